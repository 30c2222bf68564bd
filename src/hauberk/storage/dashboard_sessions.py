"""
Sessions of the dashboard and links that sign in once: made, found, ended, forgotten.

A session is good while its row is there, its user is not disabled or its token not revoked, and neither limit of time is reached. All of
that is looked at with each request, so whatever ends a session ends it at once, on every control plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from hauberk.errors import NotFound
from hauberk.storage.access_tables import DashboardSession, SignInLink, User
from hauberk.storage.models import Token, now

LINK_LIFE = timedelta(hours=1)
# Of one user or token; the one that was not used for the longest time goes first.
MAX_SESSIONS = 100
# A time further ahead than this is of a clock that was wrong; such a session is not good for ever.
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True)
class Owner:
    """Whose a session or a link is: a user's, or that of a token's holder."""

    user_id: str | None = None
    token_id: str | None = None

    def owns(self, table: type[DashboardSession]) -> ColumnElement[bool]:
        """Give the condition on rows."""
        return table.user_id == self.user_id if self.user_id is not None else table.token_id == self.token_id


@dataclass(frozen=True)
class Limits:
    """How long a session lasts."""

    idle: timedelta
    absolute: timedelta


def open_session(session: Session, secret_sha256: str, owner: Owner, address: str, browser: str) -> DashboardSession:
    """Make a session."""
    oldest = select(DashboardSession.id).where(owner.owns(DashboardSession)).order_by(DashboardSession.last_seen_at.desc())
    for id_ in session.scalars(oldest.offset(MAX_SESSIONS - 1)).all():
        session.execute(delete(DashboardSession).where(DashboardSession.id == id_))
    row = DashboardSession(
        secret_sha256=secret_sha256,
        user_id=owner.user_id,
        token_id=owner.token_id,
        address=address[:64],
        browser="".join(character for character in browser if character.isprintable())[:255],
    )
    session.add(row)
    session.flush()
    return row


def good_session(session: Session, secret_sha256: str, limits: Limits) -> tuple[DashboardSession, User | None, Token | None] | None:
    """Find a session that is good now, with its user or token."""
    query = good_sessions(limits).add_columns(User, Token).where(DashboardSession.secret_sha256 == secret_sha256)
    row = session.execute(query).one_or_none()
    return (row[0], row[1], row[2]) if row is not None else None


def good_sessions(limits: Limits) -> Select[DashboardSession]:
    """Select the sessions that are good now."""
    with_user = select(DashboardSession).outerjoin(User, User.id == DashboardSession.user_id)
    return with_user.outerjoin(Token, Token.id == DashboardSession.token_id).where(_good(limits))


def sessions_of(owner: Owner, limits: Limits) -> Select[DashboardSession]:
    """Select somebody's good sessions, the newest first."""
    query = good_sessions(limits).where(owner.owns(DashboardSession))
    return query.order_by(DashboardSession.created_at.desc(), DashboardSession.id)


def session_of(session: Session, owner: Owner, session_id: str) -> DashboardSession:
    """
    Find one of somebody's sessions by id.

    Raises:
        NotFound: If there is none.
    """
    row = session.get(DashboardSession, session_id) if "\0" not in session_id else None
    if row is None or (row.user_id, row.token_id) != (owner.user_id, owner.token_id):
        raise NotFound(f"no session of this user has the id '{session_id[:64]}': it may have ended already")
    return row


def note_seen(session: Session, session_id: str) -> None:
    """Note that a session was used now."""
    session.execute(update(DashboardSession).where(DashboardSession.id == session_id).values(last_seen_at=now()))


def end_sessions(session: Session, which: ColumnElement[bool], *, keep: str | None = None) -> int:
    """End sessions, but for the one with the id `keep`; the answer is how many."""
    condition = which if keep is None else and_(which, DashboardSession.id != keep)
    return _deleted(session, DashboardSession, condition)


def add_link(session: Session, secret_sha256: str, owner: Owner) -> datetime:
    """Keep a link; the answer is when it ends."""
    expires_at = now() + LINK_LIFE
    session.add(SignInLink(secret_sha256=secret_sha256, user_id=owner.user_id, token_id=owner.token_id, expires_at=expires_at))
    return expires_at


def link_owner(session: Session, secret_sha256: str) -> Owner | None:
    """Tell whom a link signs in; nobody if it is unknown, used or too old, or its owner's rights have ended."""
    query = (
        select(SignInLink)
        .outerjoin(User, User.id == SignInLink.user_id)
        .outerjoin(Token, Token.id == SignInLink.token_id)
        .where(SignInLink.secret_sha256 == secret_sha256, SignInLink.expires_at > now(), _owner_is_good())
    )
    link = session.scalars(query).one_or_none()
    return Owner(link.user_id, link.token_id) if link is not None else None


def use_link(session: Session, secret_sha256: str) -> Owner | None:
    """Use a link up: of two who try at once one gets in."""
    owner = link_owner(session, secret_sha256)
    used = _deleted(session, SignInLink, SignInLink.secret_sha256 == secret_sha256)
    return owner if used else None


def forget(session: Session, limits: Limits) -> None:
    """Delete what is over."""
    moment = now()
    over = [DashboardSession.created_at < moment - limits.absolute, DashboardSession.last_seen_at < moment - limits.idle]
    revoked = DashboardSession.token_id.in_(select(Token.id).where(Token.revoked_at.is_not(None)))
    _deleted(session, DashboardSession, or_(*over, revoked))
    _deleted(session, SignInLink, SignInLink.expires_at < moment)


def _good(limits: Limits) -> ColumnElement[bool]:
    moment = now()
    return and_(
        DashboardSession.created_at > moment - limits.absolute,
        DashboardSession.created_at < moment + AHEAD,
        DashboardSession.last_seen_at > moment - limits.idle,
        _owner_is_good(),
    )


def _owner_is_good() -> ColumnElement[bool]:
    return or_(
        and_(User.id.is_not(None), User.disabled_at.is_(None)),
        and_(Token.id.is_not(None), Token.revoked_at.is_(None), Token.scope.in_(("read", "edit"))),
    )


def _deleted(session: Session, table: type[Any], condition: ColumnElement[bool]) -> int:
    result = session.execute(delete(table).where(condition), execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)  # noqa: S101 - of a DELETE it is one
    return result.rowcount
