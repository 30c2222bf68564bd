"""Users of the dashboard. What takes their rights away ends their sessions in the same transaction."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from hauberk.errors import Conflict, InvalidRequest, NotFound
from hauberk.storage.access_tables import DashboardSession, User
from hauberk.storage.dashboard_sessions import Limits, end_sessions, good_sessions
from hauberk.storage.models import now

MOST_CHARACTERS = 64
# Lists of sessions and the work of checking names stay small.
MAX_USERS = 10_000


def check_name(name: str) -> str:
    """
    Normalise the name of a new user.

    Raises:
        InvalidRequest: If it is empty, too long, or has characters that cannot be seen.
    """
    name = unicodedata.normalize("NFC", name)
    if not 1 <= len(name) <= MOST_CHARACTERS or not name.isprintable() or name != name.strip():
        raise InvalidRequest(
            f"a user's name has 1 to {MOST_CHARACTERS} characters that can be seen, and no space before or after them", pointer="/name"
        )
    return name


def name_key(name: str) -> str:
    """Give what two spellings of one name have in common: case and composition do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def users() -> Select[User]:
    """Select all users, by name."""
    return select(User).order_by(User.name_key)


def any_user(session: Session) -> bool:
    """Tell whether there is a user."""
    return session.scalar(select(User.id).limit(1)) is not None


def find_user(session: Session, user_id: str) -> User:
    """
    Find a user by id.

    Raises:
        NotFound: If there is none.
    """
    user = session.get(User, user_id) if "\0" not in user_id else None
    if user is None:
        raise NotFound(f"no user has the id '{user_id[:64]}': GET /hauberk/v1/users lists those there are")
    return user


def user_named(session: Session, name: str) -> User | None:
    """Find a user by name, whatever its case."""
    key = name_key(name)
    return session.scalar(select(User).where(User.name_key == key)) if "\0" not in key and len(key) <= 255 else None


def add_user(session: Session, name: str, password_hash: str, role: str) -> User:
    """
    Add a user.

    Raises:
        InvalidRequest: If the name is none, or there are too many users.
        Conflict: If somebody has this name.
    """
    name = check_name(name)
    if user_named(session, name) is not None:
        raise Conflict(f"there is a user '{name}' already; upper and lower case do not count")
    if (session.scalar(select(func.count()).select_from(User)) or 0) >= MAX_USERS:
        raise InvalidRequest(f"there are {MAX_USERS:,} users, which is the most: remove some first")
    user = User(name=name, name_key=name_key(name), password_hash=password_hash, role=role)
    session.add(user)
    session.flush()
    return user


def set_password(session: Session, user: User, password_hash: str, *, keep_session: str | None = None) -> None:
    """Give a user another password; sessions end, but for the one that is named."""
    user.password_hash = password_hash
    user.password_set_at = now()
    end_sessions(session, DashboardSession.user_id == user.id, keep=keep_session)


def set_role(user: User, role: str) -> None:
    """Give a user another role; it holds in open sessions from the next request on."""
    user.role = role


def set_disabled(session: Session, user: User, *, disabled: bool) -> None:
    """Shut a user out, or let one in again; sessions end and do not come back."""
    if not disabled:
        user.disabled_at = None
        return
    user.disabled_at = user.disabled_at or now()
    end_sessions(session, DashboardSession.user_id == user.id)


def sessions_count(session: Session, user_ids: Sequence[str], limits: Limits) -> dict[str, int]:
    """Count the good sessions of users."""
    query = good_sessions(limits).where(DashboardSession.user_id.in_(user_ids)).subquery()
    rows = session.execute(select(query.c.user_id, func.count()).group_by(query.c.user_id))
    return {str(row[0]): row[1] for row in rows}
