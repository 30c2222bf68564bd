"""The database: durable, private, and every change of what is enforced counted."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from hauberk.errors import ConfigurationError, StorageError, Unavailable
from hauberk.storage.database import Database
from hauberk.storage.models import GatewayStatus, Host, Installation, Token, Zone

pytestmark = pytest.mark.both_databases


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    return open_database()


def revision(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(Installation.revision)).one()


def add_zone(database: Database, name: str) -> None:
    with database.write() as session:
        session.add(Zone(name=name))


def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path / 'state' / 'hauberk.db'}").close()
    assert stat.S_IMODE((tmp_path / "state" / "hauberk.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_each_change_of_what_is_enforced_raises_the_revision_once(database: Database) -> None:
    before = revision(database)
    with database.write() as session:
        zone = Zone(name="example.com")
        session.add(zone)
        session.flush()
        session.add(
            Host(zone_id=zone.id, name="a", upstreams=[], certificate_pem="", private_key_pem="", self_signed=True, from_file=False)
        )
    assert revision(database) == before + 1
    with database.write() as session:
        session.scalars(select(Zone)).one().default_action = "block"
    assert revision(database) == before + 2
    with database.write() as session:
        session.scalars(select(Zone)).one().default_action = "block"  # as it was
        session.add(Token(name="t", email="e", scope="read", sha256="0"))
    assert revision(database) == before + 2
    with database.write() as session:
        session.delete(session.scalars(select(Host)).one())
    assert revision(database) == before + 3


def test_an_exception_rolls_everything_back(database: Database) -> None:
    before = revision(database)

    def fail_half_way() -> None:
        with database.write() as session:
            session.add(Zone(name="example.com"))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    assert revision(database) == before
    with database.read() as session:
        assert session.scalar(select(Zone.id)) is None


def test_writers_queue_and_none_is_lost(database: Database) -> None:
    threads = [threading.Thread(target=add_zone, args=(database, f"{i}.example")) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert len(session.scalars(select(Zone.id)).all()) == 20


def test_a_reader_sees_one_state_while_another_writes(database: Database) -> None:
    with database.read() as session:
        assert session.scalars(select(Zone.id)).all() == []
        add_zone(database, "example.com")
        assert session.scalars(select(Zone.id)).all() == []


def test_times_keep_their_zone_and_naive_ones_are_refused(database: Database) -> None:
    with database.write() as session:
        session.add(Zone(name="example.com"))
    with database.read() as session:
        assert session.scalars(select(Zone)).one().created_at.tzinfo is not None
    with pytest.raises(StatementError, match="without a zone"), database.write() as session:
        session.add(GatewayStatus(id="g", name="g", started_at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_opening_again_changes_nothing(database: Database, open_database: Callable[[], Database]) -> None:
    add_zone(database, "example.com")
    before = revision(database)
    assert revision(open_database()) == before


@pytest.mark.parametrize("content", [b"garbage" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_corrupt_file_is_told_and_left_as_it_was(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hauberk.db"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"cannot be used: .* changed nothing"):
        Database(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_database_that_is_locked_for_long_is_told(
    database: Database, open_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hauberk.storage.engines.WAIT_SECONDS", 0.1)
    hurried = open_database()
    with database.write(), pytest.raises(Unavailable, match=r"not stored: (database is locked|canceling statement due to lock timeout)"):
        add_zone(hurried, "example.com")
    add_zone(hurried, "example.com")


def test_what_a_writer_has_read_stays_true_until_it_has_written(database: Database, open_database: Callable[[], Database]) -> None:
    """Each adds one to what it read; were one to read before the other has written, an addition would be lost."""

    def add_one(own: Database) -> None:
        for _ in range(10):
            with own.write() as session:
                row = session.scalars(select(Installation)).one()
                row.account_name = str(int(row.account_name) + 1)

    with database.write() as session:
        session.scalars(select(Installation)).one().account_name = "0"
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(add_one, own) for own in (database, database, open_database())]:
            done.result()
    with database.read() as session:
        assert session.scalars(select(Installation)).one().account_name == "30"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("hunter2", "is not the URL of a database"),
        ("postgresql://u:hunter2@h:port/d", "is not the URL of a database"),
        ("mysql://u:hunter2@h/d", "begins with 'mysql://', which hauberk does not work with"),
        ("postgresql+psycopg2://u:hunter2@h/d", r"begins with 'postgresql\+psycopg2://'"),
    ],
)
def test_an_url_that_cannot_be_is_told_without_its_password(url: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"control_plane\.database_url {told}.*: write sqlite:.* or postgresql:") as raised:
        Database(url)
    assert "hunter2" not in str(raised.value)


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_was(database: Database, open_database: Callable[[], Database]) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match=r"cannot be used: it is of a newer version of hauberk.* up to revision \d{4}.* changed nothing"):
        open_database()
    with database.read() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
