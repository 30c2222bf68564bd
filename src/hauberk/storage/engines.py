"""
How the two kinds of database are opened, and how their transactions begin.

Both have one writer at a time. Whoever writes has then read nothing that another one changes meanwhile: writers queue, and none fails
half-way. SQLite has a lock for that (`BEGIN IMMEDIATE`); on PostgreSQL it is an advisory lock of the database, which all control planes
share. Readers wait for nobody, and see one state from their first statement to their last.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from hauberk.errors import ConfigurationError, StorageError

WAIT_SECONDS = 15
"""How long a writer waits for the one before."""

# Far longer than a writer thinks between two statements: one whose machine is gone must not keep all others from writing.
SILENT_SECONDS = 120
CONNECT_SECONDS = 10
# So many changed pages of 4 KiB are held in memory before some are written to the log ahead of the commit. With SQLite's 2 MB a change of
# 10,000 operations writes and reads the same pages again and again. (The last eight bits must not all be zero: SQLite reads them as "off".)
HELD_PAGES = 30_000

# Any number that no other program takes for a lock in the same database.
LOCK = int.from_bytes(b"hauberk")

# A transaction sees what was committed before its first statement, and that one is what waits: so each of a writer's statements looks anew.
# Nobody else writes meanwhile, so all of them see one state.
_QUEUE = f"SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({LOCK})"


class Purpose(Enum):
    """What a transaction is for; without the execution option `purpose` it is for reading."""

    WRITE = "write"
    MIGRATE = "migrate"
    """Writes, and waits however long the others take."""


def open_engine(url: str) -> Engine:
    """
    Make the engine of a database; PostgreSQL is not connected to yet.

    Raises:
        ConfigurationError: If the URL is none, names another kind of database, or its driver is not installed.
        StorageError: If the file cannot be made.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # not quoted: it may hold a password
        raise _unknown("is not the URL of a database") from None
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        return _sqlite(parsed)
    if parsed.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return _postgresql(parsed.set(drivername="postgresql+psycopg"))
    raise _unknown(f"begins with '{parsed.drivername}://', which hauberk does not work with")


def _unknown(what: str) -> ConfigurationError:
    return ConfigurationError(f"control_plane.database_url {what}: write sqlite:////FOLDER/FILE or postgresql://USER@HOST/DATABASE")


def _postgresql(url: URL) -> Engine:
    url = url.update_query_dict({"connect_timeout": str(CONNECT_SECONDS), "application_name": "hauberk", **url.query})
    try:
        # A connection that broke while nobody used it is noticed and replaced. A statement's parameters may hold a private key.
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, isolation_level="REPEATABLE READ")
    except ImportError as error:
        raise ConfigurationError(
            "control_plane.database_url names a PostgreSQL database, and its driver is not installed: "
            f"install hauberk[postgres], e.g. by \"pip install 'hauberk[postgres]'\" ({error})"
        ) from None

    @event.listens_for(engine, "connect")
    def check(connection: Any, _record: Any) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StorageError(f"its encoding is {encoding}, which cannot hold every text: make one with ENCODING 'UTF8'")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        purpose = connection.get_execution_options().get("purpose")
        if purpose is Purpose.WRITE:
            limits = f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'; SET LOCAL idle_in_transaction_session_timeout = '{SILENT_SECONDS}s'"
            connection.exec_driver_sql(f"{limits}; {_QUEUE}")
        elif purpose is Purpose.MIGRATE:
            connection.exec_driver_sql(_QUEUE)

    return engine


def _sqlite(url: URL) -> Engine:
    # In WAL mode with full synchronisation what was committed survives a kill and a power cut.
    engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS}, hide_parameters=True)
    _create_private_file(engine)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself; `begin` below does: IMMEDIATE to write, DEFERRED to read one snapshot.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_spill={HELD_PAGES}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN DEFERRED" if connection.get_execution_options().get("purpose") is None else "BEGIN IMMEDIATE")

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
