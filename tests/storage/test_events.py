"""Security events: stored once, and forgotten by age and by number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hauberk.storage.database import Database
from hauberk.storage.events import first_kept, forget_events, store_events
from hauberk.storage.models import SecurityEvent, now

pytestmark = pytest.mark.both_databases


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    return open_database()


def event(number: int, days_ago: float = 0.0) -> dict[str, Any]:
    occurred_at = (now() - timedelta(days=days_ago, seconds=number)).isoformat()
    texts = {"zone_id": "z", "host": "h", "method": "GET", "action": "block", "source": "firewallCustom", "request_id": "r"}
    return {"id": str(number), "occurred_at": occurred_at, "operation_id": None, **texts}


def ids(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(SecurityEvent.id).order_by(SecurityEvent.occurred_at.desc())))


def test_an_event_that_comes_again_is_stored_once(database: Database) -> None:
    with database.write() as session:
        assert store_events(session, [event(1), event(2), event(1)]) == (2, 0)
    with database.write() as session:
        assert store_events(session, [event(2), event(3)]) == (1, 0)
    assert ids(database) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("days", "count", "left"), [(30, 100, ["1", "2", "3"]), (2, 100, ["1", "2"]), (30, 1, ["1"]), (30, 3, ["1", "2", "3"])]
)
def test_the_old_and_the_many_are_forgotten(database: Database, days: int, count: int, left: list[str]) -> None:
    with database.write() as session:
        store_events(session, [event(1), event(2), event(3, days_ago=5)])
    with database.write() as session:
        before = first_kept(session, days, count)
        # The oldest first, and no more at a time than asked for.
        parts = [forget_events(session, before, most=1) for _ in range(4)]
    assert ids(database) == left
    assert parts == [1] * (3 - len(left)) + [0] * (1 + len(left))


BAD = [
    {"id": None},
    {"host": 5},
    {"host": ""},
    {"occurred_at": "yesterday"},
    {"occurred_at": None},
    {"occurred_at": "0001-01-01T00:00:00+14:00"},
]


@pytest.mark.parametrize("change", [*BAD, {"path": "/\ud800"}], ids=repr)
def test_what_is_no_event_is_left_out_and_the_others_are_stored(database: Database, change: dict[str, Any]) -> None:
    with database.write() as session:
        assert store_events(session, [event(1), event(2) | change, event(3)]) == (2, 1)
    assert ids(database) == ["1", "3"]


def test_what_a_caller_made_too_long_is_cut(database: Database) -> None:
    with database.write() as session:
        assert store_events(session, [event(1) | {"method": "A" * 100, "host": "h" * 1000}]) == (1, 0)
    with database.read() as session:
        row = session.scalars(select(SecurityEvent)).one()
        assert (len(row.method), len(row.host)) == (32, 255)
