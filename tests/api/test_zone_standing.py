"""How a zone stands over REST: coverage host by host, and the to-do list as things are done."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conftest import LiveControlPlane, this_minute
from hauberk.certificate import Subject
from hauberk.pki.generate import generate_request
from hauberk.storage.models import GatewayStatus, Operation, OperationMetric, Schema, now
from hauberk.storage.operation_metrics import hour_of

pytestmark = pytest.mark.both_databases

COUNTS = ("passed", "logged", "blocked_certificate", "blocked_rule", "blocked_schema", "blocked_other", "protected", "with_certificate")
COUNTS += ("fallthrough", "client_errors", "server_errors")


def own(live: LiveControlPlane, path: str) -> Any:
    with live.client() as client:
        return client.get(f"/hauberk/v1/zones/{live.zone_id}/{path}").raise_for_status().json()["result"]


def codes(live: LiveControlPlane) -> list[tuple[str, int]]:
    return [(step["code"], step["count"]) for step in own(live, "todo")]


def send_counts(live: LiveControlPlane, host: str, minute: int | None = None, **counts: int) -> None:
    entry = {"zone_id": live.zone_id, "host": host, "minute": minute or this_minute(), **dict.fromkeys(COUNTS, 0), **counts}
    entry["requests"] = sum(entry[name] for name in COUNTS[:6])
    with live.client(live.gateway_token) as client:
        body = {"batch_id": uuid.uuid4().hex, "metrics": [entry]}
        client.post("/hauberk/v1/gateways/g1/request-counts", json=body).raise_for_status()


def beat(live: LiveControlPlane, **change: Any) -> None:
    snapshot = live.plane.snapshot()
    body = {"name": "edge", "version": snapshot.version, "etag": snapshot.etag, "started_at": now().isoformat(), **change}
    with live.client(live.gateway_token) as client:
        client.put("/hauberk/v1/gateways/g1", json=body).raise_for_status()


def save(live: LiveControlPlane, endpoint: str, host: str | None = None) -> str:
    with live.client() as client:
        body = {"method": "GET", "host": host or live.host, "endpoint": endpoint}
        answer = client.post(f"{live.zone}/api_gateway/operations/item", json=body).raise_for_status()
    return str(answer.json()["result"]["operation_id"])


def document(*paths: str) -> str:
    operations = {path: {"get": {"responses": {"200": {"description": "good"}}}} for path in paths}
    servers = [{"url": "https://api.example.com"}]
    return json.dumps({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "servers": servers, "paths": operations})


def upload(live: LiveControlPlane, *paths: str) -> str:
    with live.client() as client:
        files = {"file": ("t.json", document(*paths)), "kind": (None, "openapi_v3"), "validation_enabled": (None, "true")}
        answer = client.post(f"{live.zone}/api_gateway/user_schemas", files=files)
    return str(answer.raise_for_status().json()["result"]["schema"]["schema_id"])


def set_action(live: LiveControlPlane, operation_id: str, action: str) -> None:
    with live.client() as client:
        path = f"{live.zone}/api_gateway/operations/{operation_id}/schema_validation"
        client.put(path, json={"mitigation_action": action}).raise_for_status()


def test_coverage_and_the_series_are_of_the_same_requests(control_plane: LiveControlPlane) -> None:
    hour = int(time.time()) // 3600 * 3600
    for minute in range(hour - 7200, hour - 3600, 600):
        send_counts(control_plane, control_plane.host, minute, passed=1)
    for past, counted in ((0, 6), (600, 5), (1800, 3), (1830, 3), (3000, 1), (3060, 0)):
        query = f"?since={datetime.fromtimestamp(hour - 7200 + past, UTC):%Y-%m-%dT%H:%M:%SZ}"
        assert (own(control_plane, f"coverage{query}")["requests"], own(control_plane, f"requests{query}&step=60")["requests"]) == (
            counted,
            counted,
        )


def test_coverage_of_long_ago_begins_with_an_hour(control_plane: LiveControlPlane) -> None:
    hour = int(time.time()) // 3600 * 3600 - 48 * 3600
    send_counts(control_plane, control_plane.host, hour, passed=1)
    assert own(control_plane, f"coverage?since={datetime.fromtimestamp(hour + 1800, UTC):%Y-%m-%dT%H:%M:%SZ}")["requests"] == 1


def test_a_share_that_is_not_all_is_not_told_as_all(control_plane: LiveControlPlane) -> None:
    send_counts(control_plane, control_plane.host, passed=10**7, protected=10**7 - 1)
    assert own(control_plane, "coverage")["share"] < 1


def test_coverage_says_how_each_host_is_protected(control_plane: LiveControlPlane) -> None:
    send_counts(control_plane, control_plane.host, passed=6, blocked_schema=2, protected=6, with_certificate=3)
    send_counts(control_plane, "gone.example.com", passed=8)
    ids = [save(control_plane, f"/{name}") for name in "abc"]
    upload(control_plane, "/a", "/b")
    set_action(control_plane, ids[0], "block")
    set_action(control_plane, ids[1], "log")
    coverage = own(control_plane, "coverage")
    assert (coverage["requests"], coverage["protected"], coverage["share"]) == (16, 6, 0.375)
    (host,) = coverage["hosts"]
    assert host == {
        "host": control_plane.host,
        "requests": 8,
        "protected": 6,
        "share": 0.75,
        "blocked": 2,
        "logged": 0,
        "with_certificate": 3,
        "fallthrough": 0,
        "client_certificate": "none",
        "operations": 3,
        "with_schema": 2,
        "logging": 1,
        "blocking": 1,
    }


def test_what_is_asked_of_clients_follows_from_associations_and_rules(control_plane: LiveControlPlane) -> None:
    def asked() -> str:
        return str(own(control_plane, "coverage")["hosts"][0]["client_certificate"])

    beat(control_plane)
    with control_plane.client() as client:
        associations = f"{control_plane.zone}/certificate_authorities/hostname_associations"
        client.put(associations, json={"hostnames": [control_plane.host]}).raise_for_status()
        assert asked() == "asked for"
        assert "demand_certificates" in dict(codes(control_plane))
        rule = {"action": "block", "expression": f'http.host eq "{control_plane.host}" and not cf.tls_client_auth.cert_verified'}
        path = f"{control_plane.zone}/rulesets/phases/http_request_firewall_custom/entrypoint"
        client.put(path, json={"rules": [rule]}).raise_for_status()
        assert asked() == "demanded"
        part = {**rule, "expression": f'{rule["expression"]} and http.request.uri.path eq "/a"'}
        client.put(path, json={"rules": [part]}).raise_for_status()
        assert asked() == "demanded of some"
        assert not {"demand_certificates", "associate_hosts"} & set(dict(codes(control_plane)))


def test_the_list_follows_what_is_done(control_plane: LiveControlPlane) -> None:
    assert codes(control_plane) == [("no_gateway", 0), ("no_operation", 0), ("associate_hosts", 1)]
    beat(control_plane, etag="another", version=None)
    assert codes(control_plane) == [("no_requests", 0), ("no_operation", 0), ("associate_hosts", 1), ("gateways_behind", 1)]
    beat(control_plane, etag="another", version=None, refused_version=control_plane.plane.snapshot().version, refused_reason="no")
    assert codes(control_plane)[0] == ("gateways_refusing", 1)
    beat(control_plane)
    send_counts(control_plane, control_plane.host, passed=1)
    assert codes(control_plane) == [("no_operation", 0), ("associate_hosts", 1)]
    save(control_plane, "/a")
    beat(control_plane)
    assert codes(control_plane) == [("associate_hosts", 1)]
    with control_plane.client() as client:
        request = generate_request(Subject.of(common_name="device")).csr_pem
        client.post(f"{control_plane.zone}/client_certificates", json={"csr": request, "validity_days": 20}).raise_for_status()
    assert codes(control_plane) == [("certificates_expiring", 1), ("associate_hosts", 1)]
    with control_plane.plane.database.write() as session:
        session.query(GatewayStatus).one().last_seen = now() - timedelta(minutes=1)
    assert codes(control_plane)[0] == ("gateways_lost", 1)


def test_a_gateway_is_not_heard_of_in_the_future(control_plane: LiveControlPlane) -> None:
    """The clock was ahead, and is right again: who is gone must not look well until it has caught up."""
    started = now().isoformat()
    beat(control_plane, started_at=started)
    with control_plane.plane.database.write() as session:
        session.query(GatewayStatus).one().last_seen = now() + timedelta(hours=5)
    assert codes(control_plane)[0] == ("gateways_lost", 1)
    beat(control_plane, started_at=started)
    assert "gateways_lost" not in dict(codes(control_plane))


def test_an_operation_is_ready_to_block_after_a_quiet_week_under_traffic(control_plane: LiveControlPlane) -> None:
    beat(control_plane)
    quiet, violated, unused = (save(control_plane, f"/{name}") for name in ("quiet", "violated", "unused"))
    schema = upload(control_plane, "/quiet", "/violated", "/unused")
    for operation_id in (quiet, violated, unused):
        set_action(control_plane, operation_id, "log")
    with control_plane.plane.database.write() as session:
        for operation_id in (quiet, violated):
            row = OperationMetric(operation_id=operation_id, hour=hour_of(now()), last_seen=now(), latency="1:1", requests=1)
            row.client_errors = row.server_errors = 0
            session.add(row)
    event = {"id": "e", "request_id": "r", "zone_id": control_plane.zone_id, "host": control_plane.host, "method": "GET", "action": "log"}
    event |= {"source": "apiShieldSchemaValidation", "operation_id": violated, "occurred_at": datetime.now(UTC).isoformat()}
    with control_plane.client(control_plane.gateway_token) as client:
        client.post("/hauberk/v1/events", json={"events": [event]}).raise_for_status()
    told = dict(codes(control_plane))
    assert "block_quiet" not in told, "the schema is too young"
    assert told["violations_logged"] == 1
    with control_plane.plane.database.write() as session:
        session.get_one(Schema, schema).created_at = now() - timedelta(days=8)
    assert dict(codes(control_plane))["block_quiet"] == 1
    set_action(control_plane, quiet, "block")
    assert "block_quiet" not in dict(codes(control_plane))


def test_ten_thousand_operations_stay_cheap(control_plane: LiveControlPlane) -> None:
    with control_plane.plane.database.write() as session:
        for number in range(10_000):
            row = Operation(
                operation_id=str(number), zone_id=control_plane.zone_id, method="GET", host=control_plane.host, endpoint=f"/{number}"
            )
            row.mitigation_action = "log"
            session.add(row)
    begun = time.monotonic()
    assert own(control_plane, "coverage")["hosts"][0]["operations"] == 10_000
    between = time.monotonic()
    own(control_plane, "todo")
    print(json.dumps({"coverage, s": round(between - begun, 3), "to-do list, s": round(time.monotonic() - between, 3)}))
