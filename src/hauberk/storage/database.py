"""
Opening the database, and the two ways to use it: `read()` and `write()`.

SQLite runs in WAL mode with full synchronisation, so what was committed survives a kill and a power cut; a write takes the lock at
its start (`BEGIN IMMEDIATE`), so that two writers queue instead of failing half-way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, select, update
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from hauberk.errors import Conflict, StorageError
from hauberk.storage.models import ClientCertificate, Enforced, Installation, now

BUSY_TIMEOUT_SECONDS = 15

# So many changed pages of 4 KiB are held in memory before some are written to the log ahead of the commit. With SQLite's 2 MB a change of
# 10,000 operations writes and reads the same pages again and again. (The last eight bits must not all be zero: SQLite reads them as "off".)
HELD_PAGES = 30_000


class Database:
    """
    The control plane's database, migrated to the newest revision when it is opened.

    Args:
        url: SQLAlchemy URL, e.g. `sqlite:///state/hauberk.db` or `postgresql+psycopg://…`.

    Raises:
        StorageError: If it cannot be opened, read or migrated; nothing is changed then.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.before_commit: Callable[[Session], None] = lambda _session: None
        """Called in each transaction that changes what gateways enforce; what it raises undoes the transaction."""
        self.after_commit: Callable[[Session], None] = lambda _session: None
        """Called when such a transaction is committed."""
        self.engine = _create_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False, autoflush=True)
        event.listen(self._sessions, "before_flush", _raise_revision)
        try:
            self._migrate()
            with self.write() as session:
                if session.scalar(select(Installation.id)) is None:
                    session.add(Installation(id=1))
        except DatabaseError as error:
            self.engine.dispose()
            raise StorageError(
                f"the database {self.engine.url.render_as_string(hide_password=True)} cannot be used: {error.orig}. "
                "Restore it from a backup, or move it away to begin anew; hauberk has changed nothing in it"
            ) from error

    def _migrate(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading; what is changed in it is thrown away."""
        with self._sessions() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """
        Open a session and commit it at the end of the block; an exception rolls all of it back.

        Raises:
            StorageError: If the database is locked for longer than 15 s, full, or not writable.
            Conflict: If another transaction made the same row first.
        """
        with self._sessions() as session:
            try:
                session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
                yield session
                session.flush()
                enforced = session.info.get("revision_raised")
                if enforced:
                    self.before_commit(session)
                session.commit()
                if enforced:
                    self.after_commit(session)
            except IntegrityError as error:
                session.rollback()
                raise Conflict("another request changed the same at the same time: look at it again, then try again") from error
            except OperationalError as error:
                session.rollback()
                raise StorageError(f"the change was not stored: {error.orig}") from error

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _create_engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        # A read sees one state throughout, as with SQLite.
        return create_engine(url, pool_pre_ping=True, hide_parameters=True, isolation_level="REPEATABLE READ")
    # Errors are logged, and a statement's parameters may hold a private key.
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, hide_parameters=True)
    _create_private_file(engine)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself; `begin` below does: IMMEDIATE to write, DEFERRED to read one snapshot.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_spill={HELD_PAGES}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")

    return engine


def _create_private_file(engine: Engine) -> None:
    """Make the file before SQLite does: it holds the private keys of server certificates, so only its owner may read it."""
    path = Path(engine.url.database or "")
    if not engine.url.database:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise StorageError(f"the database file {path} cannot be used: {error.strerror}") from error


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
