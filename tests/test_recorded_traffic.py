"""The traffic store as discovery reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from hauberk.recorded_traffic import RecordedTraffic

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 11, tzinfo=UTC)


@dataclass
class Recorder:
    """A store that keeps what it was asked."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def paths(self, hosts: Any = (), since: Any = None, until: Any = None) -> Any:
        self.asked.append(("paths", hosts, since, until))
        return [SimpleNamespace(**row) for row in self.rows]

    def query(self, sql: str, parameters: Any = None, hosts: Any = (), since: Any = None, until: Any = None) -> Any:
        self.asked.append((" ".join(sql.split()), hosts, since, until))
        return SimpleNamespace(to_pylist=lambda: self.rows)


def test_rows_are_as_path_discovery_takes_them_and_what_was_never_scored_is_no_api() -> None:
    row = {"host": "a", "method": "GET", "path": "/", "requests": 3, "score": None, "with_session": 1, "first_seen": 5, "last_seen": None}
    store = Recorder([row, row | {"score": 0.5}])
    assert list(RecordedTraffic(store).paths(["a"], SINCE, UNTIL)) == [
        ("a", "GET", "/", 3, 0.0, 1, 5, None),
        ("a", "GET", "/", 3, 0.5, 1, 5, None),
    ]
    assert store.asked == [("paths", ["a"], SINCE, UNTIL)]


def test_no_hosts_means_none_and_not_all() -> None:
    store = Recorder([{"host": "a"}])
    assert list(RecordedTraffic(store).paths([], SINCE, UNTIL)) == []
    assert list(RecordedTraffic(store).transactions([], SINCE, UNTIL, 5)) == []
    assert store.asked == []


def test_hosts_and_samples_are_of_the_time_that_is_asked_for() -> None:
    store = Recorder([{"host": "a"}])
    assert list(RecordedTraffic(store).hosts(SINCE, UNTIL)) == ["a"]
    assert list(RecordedTraffic(store).transactions(["a"], SINCE, UNTIL, 5)) == [{"host": "a"}]
    assert [asked[1:] for asked in store.asked] == [((), SINCE, UNTIL), (["a"], SINCE, UNTIL)]
    assert "reservoir(5 ROWS)" in store.asked[1][0]
