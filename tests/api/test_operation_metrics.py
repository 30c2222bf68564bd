"""Metrics per operation: gateways bring counts, each once; owners read them together and by hour."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import LiveControlPlane
from hauberk import _native
from hauberk.storage.models import Operation, OperationMetric, OperationMetricBatch, now
from hauberk.storage.operation_metrics import Counted, forget_metrics, hour_of, metrics_of, store_metrics

pytestmark = pytest.mark.both_databases

HOUR = int(hour_of(datetime.now(UTC)).timestamp())


def save_operation(live: LiveControlPlane, endpoint: str = "/temps") -> str:
    with live.client() as client:
        body = {"method": "GET", "host": live.host, "endpoint": endpoint}
        response = client.post(f"{live.zone}/api_gateway/operations/item", json=body)
        assert response.status_code == 200, response.text
        return str(response.json()["result"]["operation_id"])


def counted(operation_id: str, **members: Any) -> dict[str, Any]:
    entry = {"requests": 10, "client_errors": 2, "server_errors": 1, "hour": HOUR, "last_seen": HOUR + 60, "latency": "200:9 300:1"}
    return {"operation_id": operation_id, **entry, **members}


def send(live: LiveControlPlane, *metrics: dict[str, Any], batch_id: str | None = None, token: str | None = None) -> Any:
    with live.client(token or live.gateway_token) as client:
        body = {"batch_id": batch_id or uuid.uuid4().hex, "metrics": list(metrics)}
        return client.post("/hauberk/v1/gateways/g1/operation-metrics", json=body)


def read(live: LiveControlPlane, operation_id: str, since: str | None = None) -> Any:
    with live.client() as client:
        path = f"/hauberk/v1/zones/{live.zone_id}/operations/{operation_id}/metrics"
        return client.get(path, params={"since": since} if since else {})


def test_counts_of_gateways_and_hours_are_put_together(control_plane: LiveControlPlane) -> None:
    one, other = save_operation(control_plane), save_operation(control_plane, "/other")
    assert send(control_plane, counted(one), counted(one, hour=HOUR - 3600, last_seen=HOUR - 1)).json()["result"] == {"stored": 2}
    assert send(control_plane, counted(one, requests=5, client_errors=0, server_errors=0, latency="100:5")).status_code == 200
    result = read(control_plane, one).json()["result"]
    assert (result["requests"], result["client_errors"], result["server_errors"]) == (25, 4, 2)
    assert datetime.fromisoformat(result["last_seen"]).timestamp() == HOUR + 60
    assert [hour["requests"] for hour in result["hours"]] == [10, 15]
    quantiles = _native.sketch_quantiles(["100:5 200:18 300:2"], [0.5, 0.9, 0.95, 0.99])
    assert list(result["latency_ms"].values()) == pytest.approx([(value or 0) / 1000 for value in quantiles], abs=0.001)
    result = read(control_plane, one, since=datetime.fromtimestamp(HOUR, UTC).isoformat()).json()["result"]
    assert result["requests"] == 15
    with control_plane.client() as client:
        listed = client.get(f"/hauberk/v1/zones/{control_plane.zone_id}/operation-metrics").json()
    assert [(row["endpoint"], row["requests"]) for row in listed["result"]] == [("/other", 0), ("/temps", 25)]
    assert listed["result"][0]["latency_ms"] is None
    assert listed["result_info"]["total_count"] == 2
    assert read(control_plane, other).json()["result"]["last_seen"] is None


def test_a_batch_that_comes_again_counts_once(control_plane: LiveControlPlane) -> None:
    operation_id = save_operation(control_plane)
    batch_id = uuid.uuid4().hex
    assert [send(control_plane, counted(operation_id), batch_id=batch_id).json()["result"]["stored"] for _ in range(3)] == [1, 0, 0]
    assert read(control_plane, operation_id).json()["result"]["requests"] == 10


def test_metrics_change_no_snapshot_and_go_with_their_operation(control_plane: LiveControlPlane) -> None:
    operation_id = save_operation(control_plane)
    version = control_plane.plane.revision()
    send(control_plane, counted(operation_id))
    assert control_plane.plane.revision() == version
    with control_plane.plane.database.write() as session:
        session.delete(session.get_one(Operation, operation_id))
    assert send(control_plane, counted(operation_id)).json()["result"] == {"stored": 0}
    assert read(control_plane, operation_id).status_code == 404
    with control_plane.plane.database.read() as session:
        assert session.query(OperationMetric).count() == 0


@pytest.mark.parametrize(
    "entry",
    [{"latency": "2:1 1:1"}, {"latency": "a"}, {"requests": -1}, {"requests": 2**60}, {"hour": 10**18}, {"more": 1}, {"last_seen": "x"}]
    + [{name: second} for name in ("hour", "last_seen") for second in (4_102_444_800, 253_402_300_799, 10**400)],  # from the year 2100 on
)
def test_what_is_no_count_is_refused_whole(control_plane: LiveControlPlane, entry: dict[str, Any]) -> None:
    operation_id = save_operation(control_plane)
    batch_id = uuid.uuid4().hex
    assert send(control_plane, counted(operation_id), counted(operation_id, **entry), batch_id=batch_id).status_code == 400
    assert read(control_plane, operation_id).json()["result"]["requests"] == 0
    assert send(control_plane, counted(operation_id), batch_id=batch_id).json()["result"] == {"stored": 1}


def test_only_gateways_bring_and_only_owners_read(control_plane: LiveControlPlane) -> None:
    operation_id = save_operation(control_plane)
    assert send(control_plane, counted(operation_id), token="nobody").status_code == 401
    with control_plane.client(control_plane.gateway_token) as client:
        for path in (f"operations/{operation_id}/metrics", "operation-metrics"):
            assert client.get(f"/hauberk/v1/zones/{control_plane.zone_id}/{path}").status_code == 403


def test_old_metrics_are_forgotten(control_plane: LiveControlPlane) -> None:
    operation_id = save_operation(control_plane)
    # Half days lie far from the moment up to which metrics are kept, so an hour that ends meanwhile changes nothing.
    for half_days in range(1, 10, 2):
        old = HOUR - half_days * 43_200
        send(control_plane, counted(operation_id, hour=old, last_seen=old))
    with control_plane.plane.database.write() as session:
        session.query(OperationMetricBatch).limit(1).one().received_at = now() - timedelta(days=3)
    with control_plane.plane.database.write() as session:
        forget_metrics(session, keep_days=2)
        assert session.query(OperationMetric).count() == 2
        assert session.query(OperationMetricBatch).count() == 4


def test_ten_thousand_operations_stay_cheap(control_plane: LiveControlPlane) -> None:
    ids = [f"00000000-0000-4000-8000-{number:012x}" for number in range(10_000)]
    with control_plane.plane.database.write() as session:
        for number, operation_id in enumerate(ids):
            row = Operation(operation_id=operation_id, zone_id=control_plane.zone_id, method="GET", host="h", endpoint=f"/{number}")
            session.add(row)
    latency = " ".join(f"{bucket}:3" for bucket in range(150, 200))
    begun = time.monotonic()
    for at in range(0, len(ids), 1000):
        body = [counted(operation_id, latency=latency) for operation_id in ids[at : at + 1000]]
        assert send(control_plane, *body).json()["result"] == {"stored": 1000}
    stored = time.monotonic() - begun
    begun = time.monotonic()
    with control_plane.plane.database.read() as session:
        metrics = metrics_of(session, ids, now() - timedelta(days=1))
    assert all(metrics[operation_id].requests == 10 for operation_id in ids)
    print(json.dumps({"store 10,000 operations, s": round(stored, 2), "read all, s": round(time.monotonic() - begun, 2)}))
    assert stored < 60


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(1, 627), min_size=1, max_size=6, unique=True), min_size=1, max_size=6), st.randoms())
def test_sketches_are_put_together_in_any_order(buckets: list[list[int]], random: Any) -> None:
    sketches = [" ".join(f"{bucket}:{bucket}" for bucket in sorted(one)) for one in buckets]
    shuffled = random.sample(sketches, len(sketches))
    assert _native.merge_sketches(sketches) == _native.merge_sketches(shuffled)
    assert _native.sketch_quantiles(sketches, [0.5]) == _native.sketch_quantiles([_native.merge_sketches(shuffled)], [0.5])


def test_a_sketch_is_checked_before_anything_is_added(control_plane: LiveControlPlane) -> None:
    assert _native.sketch_quantiles([], [0.5]) == [None]
    with pytest.raises(ValueError, match="a sketch should read"):
        _native.merge_sketches(["1:1", "x"])
    with control_plane.plane.database.write() as session:
        entry = Counted("gone", hour_of(now()), 1, 0, 0, now(), "no sketch, but of an operation that is gone")
        assert store_metrics(session, "0" * 32, [entry]) == 0
