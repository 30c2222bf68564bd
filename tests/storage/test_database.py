"""The database: durable, private, and every change of what is enforced counted."""

from __future__ import annotations

import sqlite3
import stat
import threading
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from hauberk.errors import StorageError
from hauberk.storage.database import Database
from hauberk.storage.models import GatewayStatus, Host, Installation, Token, Zone


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'state' / 'hauberk.db'}")


def revision(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(Installation.revision)).one()


def add_zone(database: Database, name: str) -> None:
    with database.write() as session:
        session.add(Zone(name=name))


def test_only_the_owner_reads_the_file(database: Database, tmp_path: Path) -> None:
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


def test_opening_again_changes_nothing(database: Database) -> None:
    add_zone(database, "example.com")
    again = Database(database.url)
    assert revision(again) == revision(database)


@pytest.mark.parametrize("content", [b"garbage" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_corrupt_file_is_told_and_left_as_it_was(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hauberk.db"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"cannot be used: .* changed nothing"):
        Database(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_locked_database_is_told(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hauberk.storage.database.BUSY_TIMEOUT_SECONDS", 0.1)
    hurried = Database(database.url)
    other = sqlite3.connect(tmp_path / "state" / "hauberk.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="not stored: database is locked"):
        add_zone(hurried, "example.com")
    other.close()
    add_zone(hurried, "example.com")
