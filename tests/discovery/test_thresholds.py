"""What counts, and how much of it makes a candidate."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hauberk.discovery.sightings import PathRow, countable, zone_of_host
from hauberk.discovery.thresholds import FoundOperation, Thresholds, candidates, found_operations, origins, shortfalls


def found(**changes: Any) -> FoundOperation:
    values: dict[str, Any] = {
        "method": "GET",
        "host": "api.example.com",
        "endpoint": "/a",
        "requests": 500,
        "score": 0.9,
        "with_session": 0,
        "distinct_paths": 1,
        "first_seen": 1_700_000_000,
        "last_seen": None,
        "examples": ("/a",),
    }
    return FoundOperation(**values | changes)


@pytest.mark.parametrize(
    ("changes", "ways"),
    [
        ({}, ("ML",)),
        ({"requests": 499}, ()),
        ({"score": 0.5}, ("ML",)),
        ({"score": 0.499}, ()),
        ({"with_session": 499}, ("ML",)),
        ({"with_session": 500}, ("ML", "SessionIdentifier")),
        ({"with_session": 500, "score": 0.0}, ("SessionIdentifier",)),
        ({"requests": 499, "with_session": 499, "score": 1.0}, ()),
        ({"score": float("nan")}, ()),
    ],
)
def test_each_way_has_its_own_threshold(changes: dict[str, Any], ways: tuple[str, ...]) -> None:
    operation = found(**changes)
    thresholds = Thresholds(min_requests=500, min_score=0.5)
    assert origins(operation, thresholds) == ways
    kept = candidates([operation], thresholds)
    assert [candidate.origins for candidate in kept] == ([ways] if ways else [])
    assert bool(shortfalls(operation, thresholds)) is not bool(ways) or operation.score != operation.score


def test_what_lacks_is_said_with_what_is_needed() -> None:
    assert shortfalls(found(requests=3), Thresholds(500, 0.5)) == ["3 successful requests in the window, and 500 are needed"]
    told = " ".join(shortfalls(found(score=0.25, with_session=7), Thresholds(500, 0.5)))
    assert "0.250" in told
    assert "7 of its requests" in told


def test_what_path_discovery_gives_is_read() -> None:
    row = found().__dict__ | {"examples": ["/a"], "more": "of later"}
    assert found_operations(json.dumps([row])) == [found()]


@pytest.mark.parametrize("seconds", [10**18, -(10**18)])
def test_a_time_no_calendar_has_is_not_known(seconds: int) -> None:
    (candidate,) = candidates([found(first_seen=seconds)], Thresholds(1, 0.0))
    assert candidate.first_seen is None


@pytest.mark.parametrize(
    ("host", "zone"),
    [
        ("api.example.com", "example.com"),
        ("example.com", "example.com"),
        ("API.Example.com:8443", "example.com"),
        ("a.shop.example.com.", "shop.example.com"),
        ("notexample.com", None),
        ("example.com.evil.test", None),
        ("", None),
    ],
)
def test_a_host_belongs_to_the_longest_zone_it_is_below(host: str, zone: str | None) -> None:
    assert zone_of_host(host, ["example.com", "shop.example.com"]) == zone


def row(host: str = "api.example.com", method: str = "GET", path: str = "/a") -> PathRow:
    return (host, method, path, 1, 0.9, 0, None, None)


def test_only_what_can_be_an_operation_of_the_zone_counts() -> None:
    rows = [
        row(),
        row("API.example.com:8443"),
        row("shop.example.com"),
        row("elsewhere.test"),
        row(method="BREW"),
        row(method="get"),
        row(path="/cdn-cgi/challenge"),
        row(path="/cdn-cgi"),
    ]
    counted = list(countable(rows, "example.com", ["example.com", "shop.example.com"]))
    assert counted == [row(), row(), row(path="/cdn-cgi")]


@pytest.mark.parametrize("host", ["", ":8443"])
def test_what_was_asked_of_no_host_is_no_operation(host: str) -> None:
    document = json.dumps([found(host=name).__dict__ for name in ("a.example.com", host)])
    assert [operation.host for operation in found_operations(document)] == ["a.example.com"]
