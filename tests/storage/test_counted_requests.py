"""Counts of requests: added once, told in steps of time, folded into hours without loss."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from databases import new_database_url
from hauberk.storage.count_tables import RequestCount
from hauberk.storage.database import Database
from hauberk.storage.models import Zone, now
from hauberk.storage.request_counts import (
    COUNTS,
    HOUR,
    MINUTE,
    MINUTES_KEPT,
    CountedMinute,
    finest_step,
    request_series,
    requests_by_host,
    store_request_counts,
    tidy_request_counts,
)

pytestmark = pytest.mark.both_databases

NOW = int(now().timestamp()) // HOUR * HOUR


@pytest.fixture(scope="module")
def database(database_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = Database(new_database_url(database_kind, tmp_path_factory.mktemp("counts")))
    with opened.write() as session:
        session.add_all([Zone(id="z", name="example.com"), Zone(id="y", name="other.test")])
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def empty(database: Database) -> None:
    with database.write() as session:
        session.execute(delete(RequestCount))


def counted(minute: int, requests: int = 1, host: str = "a", zone_id: str = "z", **counts: int) -> CountedMinute:
    return CountedMinute(zone_id, host, minute, {**dict.fromkeys(COUNTS, 0), "requests": requests, "passed": requests, **counts})


def store(database: Database, *minutes: CountedMinute, batch_id: str | None = None) -> int:
    with database.write() as session:
        return store_request_counts(session, batch_id or uuid.uuid4().hex, minutes)


def test_a_batch_counts_once_and_deleted_zones_count_not(database: Database) -> None:
    batch = uuid.uuid4().hex
    minutes = [counted(NOW, 3), counted(NOW, 2, host="b"), counted(NOW, 9, zone_id="gone")]
    assert [store(database, *minutes, batch_id=batch) for _ in range(2)] == [2, 0]
    store(database, counted(NOW, 4))
    with database.read() as session:
        by_host = requests_by_host(session, "z", NOW, NOW + HOUR)
        assert {host: tally["requests"] for host, tally in by_host.items()} == {"a": 7, "b": 2}


def test_a_series_has_each_step_and_nothing_beyond(database: Database) -> None:
    store(
        database,
        counted(NOW - 60, 1),
        counted(NOW, 2),
        counted(NOW + 240, 3, host="b"),
        counted(NOW + 600, 5),
        counted(NOW, 7, zone_id="y"),
    )
    with database.read() as session:
        series = request_series(session, "z", NOW, NOW + 600, 300)
        assert [(at, tally["requests"]) for at, tally in series] == [(NOW, 5), (NOW + 300, 0)]
        of_b = request_series(session, "z", NOW, NOW + 600, 300, "b")
        assert [tally["requests"] for _, tally in of_b] == [3, 0]
        assert all(set(tally) == set(COUNTS) for _, tally in series)


MINUTES = st.tuples(st.integers(-60 * 60, 59), st.integers(1, 50), st.sampled_from("ab"))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(MINUTES, max_size=8), max_size=4), st.sampled_from([60, 120, 900, 3600, 7200]), st.booleans())
def test_a_series_is_what_a_recount_by_hand_gives(
    database: Database, batches: list[list[tuple[int, int, str]]], step: int, tidied: bool
) -> None:
    with database.write() as session:
        session.execute(delete(RequestCount))
    expected: Counter[int] = Counter()
    finest = HOUR if tidied else MINUTE
    step = max(step, finest)
    begin, end = (NOW - 60 * HOUR) // step * step, NOW + 2 * HOUR
    for batch in batches:
        store(database, *(counted(NOW + minute * MINUTE, requests, host=host) for minute, requests, host in batch))
        if tidied:
            with database.write() as session:
                tidy_request_counts(session, 14)
        for minute, requests, _ in batch:
            expected[(NOW + minute * MINUTE) // step * step] += requests
    with database.read() as session:
        series = request_series(session, "z", begin, end, step)
        assert {at: tally["requests"] for at, tally in series if tally["requests"]} == +expected
        if tidied:
            oldest = session.scalar(select(func.min(RequestCount.began)).where(RequestCount.seconds == MINUTE))
            assert oldest is None or oldest >= NOW - MINUTES_KEPT.total_seconds() - HOUR


def test_old_counts_are_forgotten(database: Database) -> None:
    store(database, *(counted(NOW - days * 86400) for days in range(5)))
    with database.write() as session:
        tidy_request_counts(session, 2)
    with database.read() as session:
        assert sum(tally["requests"] for tally in requests_by_host(session, "z", 0, NOW + HOUR).values()) == 2
        assert (finest_step(now() - timedelta(hours=1)), finest_step(now() - timedelta(days=3))) == (MINUTE, HOUR)
