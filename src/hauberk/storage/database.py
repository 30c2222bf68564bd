"""Opening the database, and the two ways to use it: `read()` and `write()`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import event, select, update
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from hauberk.errors import Conflict, StorageError, Unavailable
from hauberk.storage.engines import Purpose, open_engine
from hauberk.storage.models import ClientCertificate, Enforced, Installation, now

log = logging.getLogger(__name__)

# It does not answer, is full or locked, may only be read, or all our connections are in use.
_TROUBLE = (OperationalError, InterfaceError, InternalError, PoolTimeout)


class Database:
    """
    The control plane's database, migrated to the newest revision when it is opened.

    Args:
        url: `sqlite:///state/hauberk.db`, or `postgresql://…` with what libpq takes.

    Raises:
        ConfigurationError: If the URL is none of these, or its driver is not installed.
        StorageError: If it cannot be opened, read or migrated; nothing is changed then.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.before_commit: Callable[[Session], None] = lambda _session: None
        """Called in each transaction that changes what gateways enforce; what it raises undoes the transaction."""
        self.after_commit: Callable[[Session], None] = lambda _session: None
        """Called when such a transaction is committed."""
        self.engine = open_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False, autoflush=True)
        event.listen(self._sessions, "before_flush", _raise_revision)
        try:
            self._migrate()
            with self.write() as session:
                if session.scalar(select(Installation.id)) is None:
                    session.add(Installation(id=1))
        except (DatabaseError, StorageError) as error:
            self.engine.dispose()
            name = self.engine.url.set(query={}).render_as_string(hide_password=True)
            reason = error.message if isinstance(error, StorageError) else _first_line(error)
            raise StorageError(f"the database {name} cannot be used: {reason}. {self._remedy} hauberk has changed nothing in it") from error

    @property
    def _remedy(self) -> str:
        if self.engine.dialect.name == "sqlite":
            return "Restore it from a backup, or move it away to begin anew;"
        return "See that the server runs, and that this user may make tables in the database;"

    def _migrate(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.engine.connect() as connection:
            # Several control planes may start at once: one brings the database up to date, the others find that done.
            config.attributes["connection"] = connection.execution_options(purpose=Purpose.MIGRATE)
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                newest = ScriptDirectory.from_config(config).get_current_head()
                raise StorageError(
                    f"it is of a newer version of hauberk, and this one knows it up to revision {newest} ({error})"
                ) from None
            connection.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """
        Open a session for reading; what is changed in it is thrown away.

        Raises:
            Unavailable: If the database does not answer.
        """
        try:
            with self._sessions() as session:
                yield session
        except _TROUBLE as error:
            if _is_ours(error):
                raise
            raise _unavailable("the database cannot be read", error) from error

    @contextmanager
    def write(self) -> Iterator[Session]:
        """
        Open a session and commit it at the end of the block; an exception rolls all of it back. Writers queue, on all control planes.

        Raises:
            Unavailable: If the database does not answer, is full or not writable, or others keep it locked for longer than 15 s.
            Conflict: If another transaction made the same row first.
        """
        try:
            with self._sessions() as session:
                session.connection(execution_options={"purpose": Purpose.WRITE})
                yield session
                session.flush()
                enforced = session.info.get("revision_raised")
                if enforced:
                    self.before_commit(session)
                session.commit()
                if enforced:
                    self.after_commit(session)
        except IntegrityError as error:
            raise Conflict("another request changed the same at the same time: look at it again, then try again") from error
        except _TROUBLE as error:
            if _is_ours(error):
                raise
            raise _unavailable("the change was not stored", error) from error

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _is_ours(error: Exception) -> bool:
    """Tell whether the statement is at fault, not the database: SQLite has the same class for both."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlite_errorname", None) == "SQLITE_ERROR"


def _unavailable(what: str, error: Exception) -> Unavailable:
    """Tell trouble; what the driver says where no connection comes about names hosts and users, and is for the log alone."""
    if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") is not None:
        return Unavailable(f"{what}: {_first_line(error)}")
    log.error("the database does not answer", extra={"reason": _first_line(error)})
    return Unavailable(f"{what}: the database does not answer")


def _first_line(error: Exception) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]


def raise_revision(session: Session) -> None:
    """
    Raise the revision, once in a transaction.

    A change of what gateways enforce does so by itself, unless it is made by a statement of SQL: whoever executes one calls this.
    """
    if not session.info.get("revision_raised"):
        session.info["revision_raised"] = True
        session.execute(update(Installation).values(revision=Installation.revision + 1, revised_at=now()))


def _raise_revision(session: Session, _context: object, _instances: object) -> None:
    if session.info.get("revision_raised"):
        return
    made = (isinstance(row, Enforced) and not isinstance(row, ClientCertificate) for row in (*session.new, *session.deleted))
    if any(made) or any(isinstance(row, Enforced) and session.is_modified(row) for row in session.dirty):
        raise_revision(session)
