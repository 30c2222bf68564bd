"""Saved operations are changed by statements, thousands at once: the revision is raised all the same, and only where something changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text

from hauberk.errors import NotFound
from hauberk.mitigation import MitigationAction
from hauberk.operation import OperationKey
from hauberk.storage.database import Database
from hauberk.storage.engines import HELD_PAGES
from hauberk.storage.models import Installation, Operation, Zone
from hauberk.storage.operations import delete_operations, find_operations, save_operations, set_actions

KEYS = [OperationKey("GET", "api.example.com", f"/users/{number}") for number in range(3)]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'hauberk.db'}")
    with database.write() as session:
        session.add_all([Zone(id="z", name="example.com"), Zone(id="other", name="example.org")])
    return database


def revision(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(Installation.revision)).one()


def actions(database: Database) -> dict[str, str | None]:
    with database.read() as session:
        return {row.endpoint: row.mitigation_action for row in session.scalars(select(Operation).where(Operation.zone_id == "z"))}


def test_what_gateways_enforce_raises_the_revision_once_and_what_they_do_not_never(database: Database) -> None:
    before = revision(database)
    with database.write() as session:
        ids = save_operations(session, "z", [*KEYS, KEYS[0]])
        set_actions(session, "z", {ids[0].upper(): MitigationAction.LOG, ids[1]: None})
    assert ids == [key.operation_id("z") for key in (*KEYS, KEYS[0])]
    assert revision(database) == before + 1
    with database.read() as session:
        saved_at = [row.last_updated for row in find_operations(session, "z", ids)]
    with database.write() as session:
        save_operations(session, "z", KEYS)
        set_actions(session, "z", {ids[0]: MitigationAction.LOG})
        delete_operations(session, [])
    assert revision(database) == before + 1
    with database.read() as session:
        assert all(row.last_updated > at for row, at in zip(find_operations(session, "z", ids), saved_at, strict=True))
    assert actions(database) == {"/users/0": "log", "/users/1": None, "/users/2": None}
    with database.write() as session:
        delete_operations(session, ids[:2])
    assert revision(database) == before + 2
    assert actions(database) == {"/users/2": None}


def test_of_another_zone_none_is_changed(database: Database) -> None:
    with database.write() as session:
        ids = save_operations(session, "z", KEYS)
        for wrong in ([*ids, "gone"], [*ids, "nul\0"], save_operations(session, "other", KEYS)):
            with pytest.raises(NotFound):
                set_actions(session, "z", dict.fromkeys(wrong, MitigationAction.BLOCK))
    assert set(actions(database).values()) == {None}


def test_large_changes_are_held_in_memory_until_they_are_committed(database: Database) -> None:
    with database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA cache_spill")).scalar() == HELD_PAGES
