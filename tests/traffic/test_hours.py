"""The store hour by hour: what an hour has, when it counts as changed, and its rows as JSON lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hauberk.errors import StorageError
from hauberk.traffic import hours as module
from hauberk.traffic.hours import RecordedHour, RecordedHours
from hauberk.traffic.segments import SCHEMA, table_of
from hauberk.traffic.store import TrafficStore

AT = datetime(2026, 11, 22, 17, 5, 0, 123000, UTC)
BEGUN = AT.replace(minute=0, second=0, microsecond=0)
ROW: dict[str, Any] = {"host": "a.example", "method": "GET", "url": "/x?a=1", "status": 200, "time": AT.isoformat()}


@pytest.fixture
def store(tmp_path: Path) -> TrafficStore:
    return TrafficStore(tmp_path / "traffic", writer="w")


def write(store: TrafficStore, *rows: dict[str, Any]) -> None:
    store.import_rows(json.dumps(ROW | row).encode() for row in rows)


def hours_of(store: TrafficStore) -> list[RecordedHour]:
    return RecordedHours(store.folder).hours(BEGUN - timedelta(days=2), BEGUN + timedelta(days=2))


def read(store: TrafficStore, **options: Any) -> list[dict[str, Any]]:
    recorded = RecordedHours(store.folder)
    text = b"".join(lines for hour in hours_of(store) for lines in recorded.lines(hour, **options))
    return [json.loads(line) for line in text.splitlines()]


def test_rows_come_as_they_were_recorded(store: TrafficStore) -> None:
    body = '{"text": "\u0000 \\" \\\\ \u2028 \U0001f600 ü"}\n'
    row = {
        "url": "/x?q=%00&ü=1",
        "request_headers": [["content-type", "application/json"], ["x-a", '"; \\']],
        "request_body": body,
        "session": "h:1",
        "certificate": "c" * 64,
        "client": "h:2",
    }
    write(store, row)
    (given,) = read(store)
    for name, value in row.items():
        assert given[name] == value
    assert given["time"] == "2026-11-22T17:05:00.123Z"
    assert given["status"] == 200
    assert set(given) <= set(SCHEMA.names)
    assert not {"response_headers", "response_body", "path"} & set(given)


def test_a_row_without_a_time_is_there_as_well(store: TrafficStore) -> None:
    store.import_rows([json.dumps({"host": "a.example", "method": "GET", "url": "/", "status": 200}).encode()])
    now = datetime.now(UTC)
    recorded = RecordedHours(store.folder)
    (hour,) = recorded.hours(now - timedelta(hours=2), now + timedelta(hours=1))
    (line,) = b"".join(recorded.lines(hour)).splitlines()
    assert json.loads(line)["time"] is None


@pytest.mark.parametrize(
    ("row", "given"),
    [
        ({}, True),
        ({"status": 299}, True),
        ({"status": 300}, False),
        ({"status": 199}, False),
        ({"status": 0}, False),
        ({"action": "logged"}, True),
        ({"action": "blocked"}, False),
        ({"method": "PROPFIND"}, False),
        ({"method": "post"}, False),
    ],
)
def test_only_good_requests_are_given(store: TrafficStore, row: dict[str, Any], given: bool) -> None:
    write(store, row)
    assert len(read(store)) == given


def test_hours_are_told_apart(store: TrafficStore) -> None:
    write(store, {}, {"time": (AT + timedelta(hours=1)).isoformat()}, {"host": "b.example"}, {})
    found = hours_of(store)
    assert [(hour.part, hour.hour - BEGUN) for hour in found] == [
        ("a.example", timedelta(0)),
        ("a.example", timedelta(hours=1)),
        ("b.example", timedelta(0)),
    ]
    recorded = RecordedHours(store.folder)
    assert [recorded.rows(hour) for hour in found] == [2, 1, 1]
    assert {hour.day for hour in found} == {BEGUN.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()}
    assert recorded.hours(BEGUN, BEGUN) == []


def test_another_segment_makes_another_digest(store: TrafficStore) -> None:
    write(store, {})
    (before,) = hours_of(store)
    assert hours_of(store)[0].digest == before.digest
    write(store, {})
    assert hours_of(store)[0].digest != before.digest


def test_a_damaged_segment_is_left_out_and_one_that_is_gone_is_an_error(store: TrafficStore, tmp_path: Path) -> None:
    write(store, {"url": "/a"})
    (path,) = (tmp_path / "traffic").rglob("*.parquet")
    write(store, {"url": "/b"})
    path.write_bytes(b"PAR1 but no more")
    assert [row["url"] for row in read(store)] == ["/b"]
    (hour,) = hours_of(store)
    path.unlink()
    recorded = RecordedHours(store.folder)
    with pytest.raises(StorageError, match="cannot be read"):
        list(recorded.lines(hour))
    with pytest.raises(StorageError, match="cannot be read"):
        recorded.rows(hour)


def test_segments_of_before_lack_columns(store: TrafficStore) -> None:
    table = table_of(json.dumps(ROW).encode())
    old = table.select([name for name in SCHEMA.names if name not in {"certificate", "session", "action"}])
    store.folder.write("host=a.example/hour=2026-11-22T17", "old.parquet", old)
    (row,) = read(store)
    assert "session" not in row
    assert row["url"] == "/x?a=1"


def test_rows_come_some_at_a_time(store: TrafficStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS_AT_ONCE", 10)
    write(store, *({"url": f"/{number}"} for number in range(95)))
    recorded = RecordedHours(store.folder)
    (hour,) = hours_of(store)
    pieces = [lines.count(b"\n") for lines in recorded.lines(hour)]
    assert (len(pieces), sum(pieces), max(pieces)) == (10, 95, 10)
    monkeypatch.setattr(module, "BYTES_AT_ONCE", 1)
    assert max(lines.count(b"\n") for lines in recorded.lines(hour)) == 1


def test_two_may_read_at_the_same_time(store: TrafficStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS_AT_ONCE", 1)
    write(store, *({"url": f"/{number}"} for number in range(5)))
    recorded = RecordedHours(store.folder)
    (hour,) = hours_of(store)
    assert [one for one, _ in zip(recorded.lines(hour), recorded.lines(hour), strict=True)] == list(recorded.lines(hour))


def test_a_store_that_cannot_be_listed_is_an_error(store: TrafficStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> list[Any]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store.folder, "segments", fail)
    with pytest.raises(StorageError, match="Permission denied"):
        hours_of(store)


def test_what_is_left_out_is_there() -> None:
    assert set(SCHEMA.names) >= module.LEFT_OUT
