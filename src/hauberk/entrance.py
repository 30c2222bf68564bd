"""
The way in to the dashboard: a password, a token or a link that is good once becomes a session; a cookie's secret becomes a visitor.

It joins what checks passwords and counts tries (`access`) with the database. Limits on tries are of this process: several control planes
on one database count for themselves.

Tries for a name are counted together, wherever they come from, or a crowd of addresses could guess without end; so whoever fails for a name
can make its owner wait. Not where the owner has signed in before: such a browser has a mark, signed by us and good for this name alone, and
its tries are counted by that mark. Nobody gets one without the password, so guessing gains nothing by it.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from hauberk.access.passwords import Passwords
from hauberk.access.seal import Seal, new_secret, secret_sha256
from hauberk.access.throttle import Throttle
from hauberk.config import DashboardSettings
from hauberk.errors import Forbidden, StorageError, TooManyRequests, Unauthenticated
from hauberk.storage.access_tables import DashboardSession, User
from hauberk.storage.dashboard_sessions import (
    Limits,
    Owner,
    add_link,
    end_sessions,
    forget,
    good_session,
    link_owner,
    note_seen,
    open_session,
    use_link,
)
from hauberk.storage.database import Database
from hauberk.storage.models import Installation, Token, now
from hauberk.storage.tokens import token_sha256
from hauberk.storage.users import any_user, name_key, user_named

log = logging.getLogger(__name__)

# Whoever knows a name can make its owner wait by failing for them: so a name waits less long than an address.
LONGEST_WAIT_OF_ADDRESS_SECONDS = 900.0
LONGEST_WAIT_OF_NAME_SECONDS = 30.0
# A session's last use is written this often, so that looking at pages seldom writes.
SEEN_EVERY = timedelta(minutes=1)
ROLE_SCOPES = {"viewer": "read", "editor": "edit"}


@dataclass(frozen=True)
class Origin:
    """Where a sign-in comes from."""

    address: str
    browser: str
    """Its User-Agent."""

    mark: str = ""
    """What the browser was given when somebody signed in there by name, from a cookie that was signed here; empty if it has none."""


@dataclass(frozen=True)
class Entered:
    """Who is signed in."""

    session_id: str
    name: str
    """The user's, or the token's."""

    scope: str
    """`read` or `edit`."""

    owner: Owner
    email: str
    """The owner of what this visitor makes."""


class Entrance:
    """
    Signs in and out.

    Args:
        database: Knows users, tokens and sessions.

        settings: How long sessions last.

        clock: Seconds that only go up, for the limits on tries.
    """

    def __init__(self, database: Database, settings: DashboardSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self.passwords = Passwords()
        self.limits = Limits(timedelta(hours=settings.session_idle_hours), timedelta(days=settings.session_days))
        self.addresses = Throttle(LONGEST_WAIT_OF_ADDRESS_SECONDS, clock)
        self.names = Throttle(LONGEST_WAIT_OF_NAME_SECONDS, clock)
        self.seal = Seal(_cookie_key(database))

    # --- In -------------------------------------------------------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str, origin: Origin) -> str:
        """
        Sign a user in.

        Returns:
            The secret of a new session, for a cookie.

        Raises:
            Unauthenticated: If there is no such user, the password is another, or the user is disabled: the message is the same.
            TooManyRequests: If it was tried too often.
        """
        with self._try(_network(origin.address), _key_of(name, origin.mark)):
            checked = self._checked(name, password)
            if checked is not None:
                with self.database.write() as session:
                    user = session.get(User, checked.id)
                    # Who has another password by now does not get in by the old one.
                    if user is not None and user.password_set_at == checked.password_set_at:
                        user.signed_in_at = now()
                        return self._open(session, Owner(user_id=user.id), origin)
            raise Unauthenticated("the name or the password is wrong")

    def check_again(self, name: str, password: str, session_id: str) -> None:
        """
        Have somebody who is signed in prove it once more; tries are counted by session.

        Raises:
            Forbidden: If the password is wrong.
            TooManyRequests: If it was tried too often.
        """
        with self._try(session_id):
            if self._checked(name, password) is None:
                raise Forbidden("the present password is wrong")

    def _checked(self, name: str, password: str) -> User | None:
        """
        Find the user of a name who is not disabled and has this password; it takes as long for names that nobody has.

        A hash of older parameters is brought up to date.
        """
        with self.database.read() as session:
            user = user_named(session, name)
        if not self.passwords.is_right(user.password_hash if user is not None else None, password):
            return None
        if user is None or user.disabled_at is not None:
            return None
        if self.passwords.is_outdated(user.password_hash):
            newer = self.passwords.hash(password)
            with self.database.write() as session:
                session.execute(
                    update(User).where(User.id == user.id, User.password_hash == user.password_hash).values(password_hash=newer)
                )
        return user

    def sign_in_with_token(self, text: str, origin: Origin) -> str:
        """
        Sign the holder of a token in.

        Raises:
            Unauthenticated: If the token is unknown or revoked.
            Forbidden: If it is a gateway's.
            TooManyRequests: If it was tried too often.
        """
        with self._try(_network(origin.address)):
            with self.database.read() as session:
                query = select(Token).where(Token.sha256 == token_sha256(text), Token.revoked_at.is_(None))
                token = session.scalars(query).one_or_none()
            if token is None:
                raise Unauthenticated("the token is unknown or revoked")
            if token.scope not in ROLE_SCOPES.values():
                raise Forbidden(f"a token of scope '{token.scope}' is for gateways: sign in with one of scope 'read' or 'edit'")
            with self.database.write() as session:
                return self._open(session, Owner(token_id=token.id), origin)

    def sign_in_with_link(self, secret: str, origin: Origin) -> str:
        """
        Sign in by a link, and use it up. Nobody can guess one, so it lets in its owner however often others at that address have failed.

        Raises:
            Unauthenticated: If it is unknown, used or too old.
        """
        if self.is_link(secret):
            with self.database.write() as session:
                owner = use_link(session, secret_sha256(secret))
                if owner is not None:
                    return self._open(session, owner, origin)
        log.warning("a sign-in failed", extra={"by": _network(origin.address)})
        raise Unauthenticated("this link was used already, or is older than an hour")

    def _open(self, session: Session, owner: Owner, origin: Origin) -> str:
        secret = new_secret()
        row = open_session(session, secret_sha256(secret), owner, origin.address, origin.browser)
        log.info("signed in", extra={"session_id": row.id, "user_id": owner.user_id, "token_id": owner.token_id})
        return secret

    @contextmanager
    def _try(self, by: str, key: str | None = None) -> Iterator[None]:
        """Count a try against whoever makes it (an address, or a session) and the name or the browser's mark, unless it succeeds."""
        wait = self.addresses.begin(by)
        if not wait and key is not None and (wait := self.names.begin(key)):
            self.addresses.succeeded(by, clear=False)
        if wait:
            raise TooManyRequests("too many failed sign-ins: wait before you try again", wait)
        try:
            yield
        except (Unauthenticated, Forbidden):
            log.warning("a sign-in failed", extra={"by": by})
            raise
        except Exception:  # it was not found out whether the password is right
            self._not_failed(by, key, clear=False)
            raise
        self._not_failed(by, key, clear=True)

    def _not_failed(self, by: str, key: str | None, *, clear: bool) -> None:
        # What an address has failed before stays: or its user could try other names and be forgiven by signing in.
        self.addresses.succeeded(by, clear=False)
        if key is not None:
            self.names.succeeded(key, clear=clear)

    # --- Inside ---------------------------------------------------------------------------------------------------------------------------

    def entered(self, secret: str, *, active: bool = True) -> Entered | None:
        """
        Tell who is signed in.

        Args:
            secret: The session's secret, from a cookie.

            active: Whether the person did something; a page that renews itself does not keep a session alive.

        Raises:
            StorageError: If the database does not answer.
        """
        try:
            with self.database.read() as session:
                found = good_session(session, secret_sha256(secret), self.limits)
        except DatabaseError as error:
            raise StorageError(
                "who is signed in cannot be told: the database does not answer. Gateways go on with what they have"
            ) from error
        if found is None:
            return None
        row, user, token = found
        if active and now() - row.last_seen_at > SEEN_EVERY:
            self._note_seen(row.id)
        owner = Owner(row.user_id, row.token_id)
        if user is not None:
            return Entered(row.id, user.name, ROLE_SCOPES[user.role], owner, user.name)
        assert token is not None  # noqa: S101 - a good session has a user or a token
        return Entered(row.id, token.name, token.scope, owner, token.email)

    def _note_seen(self, session_id: str) -> None:
        try:
            with self.database.write() as session:
                note_seen(session, session_id)
        except StorageError as error:
            log.warning("it was not noted that a session is in use", extra={"reason": error.message})

    def sign_out(self, secret: str) -> None:
        """End a session."""
        with self.database.write() as session:
            end_sessions(session, DashboardSession.secret_sha256 == secret_sha256(secret))

    def forget(self) -> None:
        """Delete the sessions and links that are over."""
        with self.database.write() as session:
            forget(session, self.limits)

    # --- Links ----------------------------------------------------------------------------------------------------------------------------

    def make_link(self, owner: Owner) -> tuple[str, datetime]:
        """Make the secret of a link that signs its owner in once; with it comes when it ends."""
        secret = new_secret()
        with self.database.write() as session:
            return secret, add_link(session, secret_sha256(secret), owner)

    def is_link(self, secret: str) -> bool:
        """Tell whether a link would sign in."""
        with self.database.read() as session:
            return link_owner(session, secret_sha256(secret)) is not None

    def has_users(self) -> bool:
        """Tell whether there is a user."""
        with self.database.read() as session:
            return any_user(session)

    def first_link(self) -> str | None:
        """Make the secret of a link for the owner of the first token, while there is no user; else `None`."""
        if self.has_users():
            return None
        with self.database.read() as session:
            query = select(Token.id).where(Token.scope == "edit", Token.revoked_at.is_(None)).order_by(Token.created_at).limit(1)
            token_id = session.scalar(query)
        return self.make_link(Owner(token_id=token_id))[0] if token_id is not None else None


def new_mark(name: str) -> str:
    """Make the mark of a browser in which the owner of a name has signed in."""
    return f"{new_secret()}:{_digest(name)}"


def _key_of(name: str, mark: str) -> str:
    """Tell by what tries for a name are counted."""
    return mark if mark.endswith(f":{_digest(name)}") else _digest(name)


def _digest(name: str) -> str:
    return secret_sha256(name_key(name))


def _cookie_key(database: Database) -> bytes:
    """Give the key that signs cookies, made when it is first needed; control planes that share a database share it."""
    with database.write() as session:
        fresh = secrets.token_hex(32)
        session.execute(update(Installation).where(Installation.cookie_key.is_(None)).values(cookie_key=fresh))
        key = session.scalars(select(Installation.cookie_key)).one()
    return bytes.fromhex(key or fresh)


def _network(address: str) -> str:
    """Give what one caller has of addresses: in IPv6 a whole network of 64 bits."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]  # as a proxy wrote it
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
