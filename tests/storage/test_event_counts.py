"""Events by the million: counted as they come, read page by page, and what was there before has its columns and counts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import JSON, column, delete, select, table

import hauberk.storage.database
from databases import new_database_url, server
from hauberk.security_event import DIMENSIONS
from hauberk.storage import events
from hauberk.storage.count_tables import EventCount
from hauberk.storage.database import Database
from hauberk.storage.engines import open_engine
from hauberk.storage.event_queries import Cursor, EventFilter, all_events, count_events_of, events_of, frequent
from hauberk.storage.events import first_kept, forget_event_counts, forget_events, store_events
from hauberk.storage.models import SecurityEvent, UtcDateTime, now

pytestmark = pytest.mark.both_databases

NOW = now().replace(minute=30, second=0, microsecond=0)


@pytest.fixture(scope="module")
def database(database_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = Database(new_database_url(database_kind, tmp_path_factory.mktemp("events")))
    yield opened
    opened.close()


def clear(database: Database) -> None:
    with database.write() as session:
        session.execute(delete(SecurityEvent))
        session.execute(delete(EventCount))


def event(number: int, minutes_ago: float = 0.0, **members: Any) -> dict[str, Any]:
    texts = {"zone_id": "z", "host": "h", "method": "GET", "action": "block", "source": "firewallCustom", "request_id": f"r{number}"}
    occurred_at = (NOW - timedelta(minutes=minutes_ago)).isoformat(timespec="milliseconds")
    return {"id": f"{number:032x}", "occurred_at": occurred_at, "path": "/x", "operation_id": None, "rule_id": None, **texts, **members}


KINDS = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["block", "log"]),
        "host": st.sampled_from(["a", "b", "c", "d", "e"]),
        "rule_id": st.sampled_from([None, "1" * 32, "2" * 32]),
        "operation_id": st.sampled_from([None, "o1", "o2"]),
        "violation": st.sampled_from(
            [None, {"error_class": "invalid_type", "error_detail": "expected:string"}, {"error_class": "body_size"}]
        ),
        "client_certificate": st.sampled_from([None, {"fingerprint_sha256": "f" * 64}]),
    }
)
EXPECTED = {
    "rule": lambda row: row["rule_id"],
    "code": lambda row: row["violation"] and ".".join(row["violation"].values()),
    "operation": lambda row: row["operation_id"],
    "host": lambda row: row["host"],
    "source": lambda row: row["source"],
    "client": lambda row: row["client_certificate"] and row["client_certificate"]["fingerprint_sha256"],
}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.tuples(KINDS, st.integers(0, 300)), max_size=12), max_size=4), st.booleans())
def test_summaries_are_what_a_recount_gives(database: Database, batches: list[list[tuple[dict[str, Any], int]]], deleted: bool) -> None:
    """Each event counts once, also when it comes again, and still after it was deleted."""
    clear(database)
    rows = []
    for batch in batches:
        made = [event(len(rows) + place, minutes, **kind) for place, (kind, minutes) in enumerate(batch)]
        rows += made
        with database.write() as session:
            store_events(session, made)
            store_events(session, rows[-3:])
    if deleted:
        with database.write() as session:
            forget_events(session, first_kept(session, 30, 1))
            forget_event_counts(session, 30)
    since = NOW - timedelta(hours=3)
    recent = [row for row in rows if datetime.fromisoformat(row["occurred_at"]) >= since.replace(minute=0)]
    with database.read() as session:
        for dimension in DIMENSIONS:
            counted = {(row.key): (row.blocked, row.logged) for row in frequent(session, "z", dimension, since)}
            blocked, logged = (
                Counter(EXPECTED[dimension](row) for row in recent if row["action"] == action) for action in ("block", "log")
            )
            assert counted == {key: (blocked[key], logged[key]) for key in {*blocked, *logged} if key}
            most = frequent(session, "z", dimension, since, 1)
            assert sum(row.blocked + row.logged for row in most) == sum(map(sum, counted.values()))
            assert [row.key for row in most[1:]] in ([], [""])


def test_keys_that_callers_choose_are_bounded_and_none_is_lost(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    clear(database)
    monkeypatch.setattr(events, "MAX_KEYS", {"host": 10})
    hosts = [f"h{number}.example.com" for number in range(40)]
    for at in range(0, 40, 8):
        with database.write() as session:
            store_events(session, [event(number, host=hosts[number]) for number in range(at, at + 8)])
    with database.write() as session:
        store_events(session, [event(100 + number, host=hosts[0]) for number in range(5)])
    with database.read() as session:
        rows = frequent(session, "z", "host", NOW)
    assert (rows[0].key, rows[0].blocked) == (hosts[0], 6)
    assert (rows[-1].key, rows[-1].blocked) == ("", 30)
    assert sum(row.blocked for row in rows) == 45
    assert len(rows) == 11


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 7), st.randoms())
def test_pages_by_cursor_give_each_event_once_and_in_order(
    database: Database, minutes: list[int], size: int, chance: random.Random
) -> None:
    clear(database)
    made = [event(number, at, host=chance.choice("ab")) for number, at in enumerate(minutes)]
    with database.write() as session:
        store_events(session, made)
    for wanted in (EventFilter(), EventFilter(host="a")):
        expected = [
            row["id"]
            for row in sorted(made, key=lambda row: (row["occurred_at"], row["id"]), reverse=True)
            if wanted.host in {None, row["host"]}
        ]
        seen: list[str] = []
        before = None
        with database.read() as session:
            while rows := session.scalars(events_of("z", wanted, before).limit(size)).all():
                seen += [row.id for row in rows]
                before = Cursor.read(str(Cursor(rows[-1].occurred_at, rows[-1].id)))
            assert seen == expected
            assert [row.id for rows in all_events(session, "z", wanted, 1000, size) for row in rows] == expected
            assert count_events_of(session, "z", wanted) == len(expected)


def test_events_of_before_have_their_columns_and_counts(database_kind: str, tmp_path: Path) -> None:
    """Stored by an older version, they are found and counted as if they had come today."""
    rng = random.Random(1)
    kinds = [
        {"violation": {"error_class": "constraint_violation", "error_detail": "enum"}, "operation_id": "o1", "status": 403},
        {"rule_id": "1" * 32, "status": 403, "client_certificate": {"fingerprint_sha256": "f" * 64}},
        {"action": "log", "status": None, "violation": None, "path": "/a" * 700},
        {"violation": "no mapping", "client_certificate": 5, "status": "403", "path": None, "rule_id": 7},
    ]
    made = [event(number, rng.randrange(300), **kinds[number % len(kinds)]) for number in range(2500)]
    new = new_database_url(database_kind, tmp_path)
    old = server().url(server().create()) if database_kind == "postgresql" else f"sqlite:///{tmp_path / 'old.db'}"
    config = Config()
    config.set_main_option("script_location", str(Path(hauberk.storage.database.__file__).parent / "migrations"))
    engine = open_engine(old)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        columns = ["id", "zone_id", "host", "method", "operation_id", "action", "source", "request_id"]
        before = table("security_events", *map(column, columns), column("occurred_at", UtcDateTime()), column("details", JSON()))
        for row in made:
            at = datetime.fromisoformat(row["occurred_at"])
            connection.execute(before.insert().values({name: row.get(name) for name in columns} | {"occurred_at": at, "details": row}))
        connection.commit()
    engine.dispose()
    dumps = []
    for database in (Database(old), Database(new)):
        with database.write() as session:
            store_events(session, made)
        with database.read() as session:
            stored = session.execute(select(SecurityEvent.__table__).order_by(SecurityEvent.id)).all()
            counts = session.execute(select(EventCount.__table__).order_by(EventCount.dimension, EventCount.hour, EventCount.key)).all()
            dumps.append((stored, counts))
        database.close()
    assert dumps[0] == dumps[1]
    assert len(dumps[0][0]) == 2500
