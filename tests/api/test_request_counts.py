"""Counts of requests over REST: gateways bring them, each batch once; owners read them as a series."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from conftest import LiveControlPlane, this_minute

pytestmark = pytest.mark.both_databases

ZEROS = ("passed", "logged", "blocked_certificate", "blocked_rule", "blocked_schema", "blocked_other")
ZEROS += ("protected", "with_certificate", "fallthrough", "client_errors", "server_errors")


def counted(live: LiveControlPlane, minute: int | None = None, **counts: Any) -> dict[str, Any]:
    entry = {"zone_id": live.zone_id, "host": live.host, "minute": minute or this_minute(), **dict.fromkeys(ZEROS, 0), **counts}
    return {"requests": sum(entry[name] for name in ZEROS[:6]), **entry}


def send(live: LiveControlPlane, *metrics: dict[str, Any], batch_id: str | None = None, token: str | None = None) -> httpx.Response:
    with live.client(token or live.gateway_token) as client:
        body = {"batch_id": batch_id or uuid.uuid4().hex, "metrics": list(metrics)}
        return client.post("/hauberk/v1/gateways/g1/request-counts", json=body)


def read(live: LiveControlPlane, **query: Any) -> httpx.Response:
    with live.client() as client:
        return client.get(f"/hauberk/v1/zones/{live.zone_id}/requests", params=query)


def ago(**time_: float) -> str:
    return (datetime.now(UTC) - timedelta(**time_)).isoformat()


def test_requests_are_told_by_what_became_of_them(control_plane: LiveControlPlane) -> None:
    batch, minute = uuid.uuid4().hex, this_minute()
    sent = [
        counted(control_plane, minute, passed=5, blocked_schema=2, protected=7, client_errors=1),
        counted(control_plane, minute - 60, logged=1, blocked_certificate=3),
        counted(control_plane, minute, host="other.example.com", passed=1),
    ]
    assert [send(control_plane, *sent, batch_id=batch).json()["result"]["stored"] for _ in range(2)] == [3, 0]
    result = read(control_plane, since=ago(minutes=10), step=60).json()["result"]
    assert (result["requests"], result["passed"], result["logged"], result["blocked_certificate"], result["protected"]) == (12, 6, 1, 3, 7)
    assert result["step_seconds"] == 60
    assert 10 <= len(result["points"]) <= 12
    assert [point["requests"] for point in result["points"]].count(0) == len(result["points"]) - 2
    assert result["points"][0]["at"] == result["since"]
    only = read(control_plane, since=ago(minutes=10), host="other.example.com").json()["result"]
    assert only["requests"] == 1


@pytest.mark.parametrize(
    ("back", "query", "step", "most"),
    [
        (None, {}, 900, 98),
        ({"hours": 1}, {}, 60, 62),
        ({"days": 7}, {}, 2 * 3600 * 3 // 2, 58),
        ({"days": 14}, {"step": 60}, 3600, 338),
        ({"hours": 3}, {"step": 420}, 420, 28),
    ],
)
def test_steps_are_as_fine_as_what_is_kept(
    control_plane: LiveControlPlane, back: dict[str, int] | None, query: dict[str, Any], step: int, most: int
) -> None:
    since = {} if back is None else {"since": ago(**back)}
    result = read(control_plane, **query, **since).json()["result"]
    assert (result["step_seconds"], result["requests"]) == (step, 0)
    assert most - 3 <= len(result["points"]) <= most


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"since": ago(days=1), "step": 60}, "/step"),
        ({"since": ago(days=1), "until": ago(days=2)}, "/since"),
        ({"since": "9999-12-30T00:00:00Z"}, "/since"),
        ({"since": "0001-01-01T00:00:00Z"}, "/step"),
        ({"step": 61}, None),
        ({"since": "yesterday"}, None),
    ],
)
def test_what_cannot_be_told_is_refused(control_plane: LiveControlPlane, query: dict[str, Any], pointer: str | None) -> None:
    answer = read(control_plane, **query)
    assert answer.status_code == 400
    assert pointer is None or answer.json()["errors"][0]["source"]["pointer"] == pointer


@pytest.mark.parametrize(
    "change", [{"passed": -1}, {"requests": 9}, {"minute": 61}, {"minute": 4_102_444_800}, {"host": ""}, {"more": 1}, {"passed": 2**60}]
)
def test_what_is_no_count_is_refused_whole(control_plane: LiveControlPlane, change: dict[str, Any]) -> None:
    good = counted(control_plane, passed=1)
    assert send(control_plane, good, {**good, **change}).status_code == 400
    assert read(control_plane).json()["result"]["requests"] == 0


def test_only_gateways_bring_and_only_owners_read(control_plane: LiveControlPlane) -> None:
    assert send(control_plane, token="nobody").status_code == 401
    with control_plane.client(control_plane.gateway_token) as client:
        for path in ("requests", "coverage", "todo", "events/summary?by=rule", "events/export", "rules/hits"):
            assert client.get(f"/hauberk/v1/zones/{control_plane.zone_id}/{path}").status_code == 403
    with control_plane.client() as client:
        for path in ("requests", "coverage", "todo", "events/summary?by=rule", "events/export", "events/x", "rules/hits"):
            assert client.get(f"/hauberk/v1/zones/{'0' * 32}/{path}").status_code == 404


def test_counts_change_no_snapshot_and_go_with_their_zone(control_plane: LiveControlPlane) -> None:
    version = control_plane.plane.revision()
    assert send(control_plane, {**counted(control_plane, passed=1), "zone_id": "0" * 32}).json()["result"] == {"stored": 0}
    send(control_plane, counted(control_plane, passed=1))
    assert control_plane.plane.revision() == version
