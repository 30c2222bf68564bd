"""Security events over REST: found by what they tell, page after page, summarised, one by one, and as lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import cloudflare
import httpx
import pytest

from conftest import LiveControlPlane
from hauberk.certificate import Subject
from hauberk.pki.generate import generate_request

pytestmark = pytest.mark.both_databases

NOW = datetime.now(UTC).replace(microsecond=0)
RULE = {"action": "block", "expression": 'http.request.uri.path eq "/closed"', "description": "closed"}


def event(live: LiveControlPlane, number: int, **members: Any) -> dict[str, Any]:
    texts = {"zone_id": live.zone_id, "host": live.host, "method": "GET", "path": "/temps", "action": "block", "source": "apiShield"}
    at = (NOW - timedelta(seconds=number)).isoformat(timespec="milliseconds")
    return {"id": f"{number:032x}", "occurred_at": at, "request_id": f"r{number}", "status": 400, **texts, **members}


def send(live: LiveControlPlane, *events: dict[str, Any]) -> None:
    with live.client(live.gateway_token) as client:
        client.post("/hauberk/v1/events", json={"events": list(events)}).raise_for_status()


def ask(live: LiveControlPlane, resource: str, /, **query: Any) -> httpx.Response:
    root = live.zone if resource == "security_events" else f"/hauberk/v1/zones/{live.zone_id}"
    with live.client() as client:
        return client.get(f"{root}/{resource}", params={name: value for name, value in query.items() if value is not None})


def found(live: LiveControlPlane, **query: Any) -> list[int]:
    return [int(row["id"], 16) for row in ask(live, "security_events", **query).raise_for_status().json()["result"]]


VIOLATION = {"location": "query", "target": "unit", "error_class": "constraint_violation", "error_detail": "enum", "rule": ".x"}
MIXED: list[dict[str, Any]] = [
    {"reason": "ambiguous_path", "path": "/TEMPS/%41"},
    {"violation": VIOLATION, "violations": [VIOLATION], "status": 403, "source": "apiShieldSchemaValidation", "method": "POST"},
    {"rule_id": "1" * 32, "source": "firewallCustom", "reason": "blocked_by_rule", "status": 403},
    {"action": "log", "status": None, "rule_id": "2" * 32, "source": "firewallCustom"},
    {
        "client_certificate": {"serial_number": "1", "fingerprint_sha256": "f" * 64, "verified": True, "revoked": False},
        "host": "b.example.com",
    },
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"code": "ambiguous_path"}, [0]),
        ({"code": "constraint_violation.enum"}, [1]),
        ({"rule_id": "1" * 32}, [2]),
        ({"action": "log"}, [3]),
        ({"status": 403}, [1, 2]),
        ({"method": "POST"}, [1]),
        ({"path": "temps/%4"}, [0]),
        ({"path": "%"}, [0]),
        ({"path": "t_mps"}, []),
        ({"fingerprint": "f" * 64}, [4]),
        ({"common_name": "nobody"}, []),
        ({"host": "b.example.com", "method": "GET"}, [4]),
        ({"source": "firewallCustom", "action": "block"}, [2]),
        ({"request_id": "r3"}, [3]),
        ({"since": (NOW - timedelta(seconds=1)).isoformat()}, [0, 1]),
    ],
)
def test_events_are_found_by_what_they_tell(control_plane: LiveControlPlane, query: dict[str, Any], expected: list[int]) -> None:
    send(control_plane, *(event(control_plane, number, **kind) for number, kind in enumerate(MIXED)))
    assert found(control_plane, **query) == expected
    lines = ask(control_plane, "events/export", **query)
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [int(json.loads(line)["id"], 16) for line in lines.text.splitlines()] == expected


def test_events_are_found_by_the_name_of_a_certificate(control_plane: LiveControlPlane) -> None:
    request = generate_request(Subject.of(common_name="device-7")).csr_pem
    with control_plane.client() as client:
        made = client.post(f"{control_plane.zone}/client_certificates", json={"csr": request, "validity_days": 30})
    certificate = made.raise_for_status().json()["result"]
    shown = {"serial_number": "1", "fingerprint_sha256": certificate["fingerprint_sha256"], "verified": True, "revoked": False}
    send(control_plane, event(control_plane, 1, client_certificate=shown), event(control_plane, 2))
    assert found(control_plane, common_name="device-7") == [1]
    (row,) = ask(control_plane, "events/summary", by="client").json()["result"]
    assert (row["common_name"], row["certificate_id"]) == ("device-7", certificate["id"])
    assert ask(control_plane, f"events/{1:032x}").json()["result"]["certificate"]["status"] == "active"


def test_pages_by_cursor_hold_each_event_once_while_new_ones_come(control_plane: LiveControlPlane) -> None:
    send(control_plane, *(event(control_plane, number) for number in range(10, 35)))
    seen: list[int] = []
    cursor = None
    for new in range(4):
        answer = ask(control_plane, "security_events", per_page=10, before=cursor).json()
        seen += [int(row["id"], 16) for row in answer["result"]]
        cursor = answer["result_info"]["cursor"]
        send(control_plane, event(control_plane, new))
        if cursor is None:
            break
    assert seen == list(range(10, 35))
    assert answer["result_info"] | {"total_count": 0} == {
        "page": 1,
        "per_page": 10,
        "count": 5,
        "total_count": 0,
        "total_pages": 3,
        "total_count_is_least": False,
        "cursor": None,
    }
    for wrong in ("x", "1", "-1-a", "1" * 30 + "-a"):
        assert ask(control_plane, "security_events", before=wrong).status_code == 400


def test_the_sdk_pages_through_more_than_are_counted(control_plane: LiveControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hauberk.storage.event_queries.COUNTED_AT_MOST", 20)
    monkeypatch.setattr("hauberk.api.security_events.COUNTED_AT_MOST", 20)
    send(control_plane, *(event(control_plane, number) for number in range(45)))
    info = ask(control_plane, "security_events", per_page=20).json()["result_info"]
    assert (info["total_count"], info["total_count_is_least"]) == (20, True)
    with cloudflare.Cloudflare(api_token=control_plane.token, base_url=control_plane.api, max_retries=0) as sdk:
        seen = []
        for page in range(1, 5):
            answer: Any = sdk.get(f"/zones/{control_plane.zone_id}/security_events?per_page=20&page={page}", cast_to=object)
            seen += answer["result"]
    assert [int(row["id"], 16) for row in seen] == list(range(45))


def test_summaries_say_what_is_frequent_and_what_it_is_called(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as client:
        body = {"method": "GET", "host": control_plane.host, "endpoint": "/temps"}
        operation = client.post(f"{control_plane.zone}/api_gateway/operations/item", json=body).json()["result"]["operation_id"]
        path = f"{control_plane.zone}/rulesets/phases/http_request_firewall_custom/entrypoint"
        rule = client.put(path, json={"rules": [RULE]}).raise_for_status().json()["result"]["rules"][0]["id"]
    send(
        control_plane, *(event(control_plane, number, rule_id=rule, source="firewallCustom", operation_id=operation) for number in range(3))
    )
    send(control_plane, *(event(control_plane, 10 + number, host=f"{number}.example.com", action="log") for number in range(4)))
    (row,) = ask(control_plane, "events/summary", by="rule").json()["result"]
    assert (row["key"], row["events"], row["blocked"], row["logged"], row["description"]) == (rule, 3, 3, 0, "closed")
    (row,) = ask(control_plane, "events/summary", by="operation").json()["result"]
    assert (row["method"], row["endpoint"]) == ("GET", "/temps")
    rows = ask(control_plane, "events/summary", by="host", limit=2).json()["result"]
    assert [(row["key"], row["events"]) for row in rows] == [(control_plane.host, 3), ("0.example.com", 1), (None, 3)]
    (hit,) = ask(control_plane, "rules/hits").json()["result"]
    assert (hit["rule_id"], hit["blocked"]) == (rule, 3)
    assert datetime.fromisoformat(hit["last_seen"]) == NOW
    assert ask(control_plane, "events/summary", by="method").status_code == 400
    future = (NOW + timedelta(hours=2)).isoformat()
    assert ask(control_plane, "rules/hits", since=future).json()["result"] == []
    detail = ask(control_plane, f"events/{0:032x}").json()["result"]
    assert detail["rule"] == {"id": rule, "description": "closed", "action": "block", "enabled": True}
    assert (detail["operation"]["endpoint"], detail["certificate"], detail["request_id"]) == ("/temps", None, "r0")
    with control_plane.client() as client:
        client.put(path, json={"rules": []}).raise_for_status()
    assert ask(control_plane, f"events/{0:032x}").json()["result"]["rule"] is None
    (row,) = ask(control_plane, "events/summary", by="rule").json()["result"]
    assert (row["key"], row["description"]) == (rule, None)


@pytest.mark.parametrize("event_id", ["nothing", "0" * 64, "%00", "f" * 32])
def test_an_event_that_is_not_there(control_plane: LiveControlPlane, event_id: str) -> None:
    answer = ask(control_plane, f"events/{event_id}")
    assert answer.status_code == 404


@pytest.mark.parametrize("resource", ["security_events", "events/export"])
@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_beyond_all_calendars_is_refused_before_anything_is_answered(
    control_plane: LiveControlPlane, resource: str, time: str
) -> None:
    for name in ("since", "until"):
        answer = ask(control_plane, resource, **{name: time})
        assert answer.status_code == 400
        assert name in answer.json()["errors"][0]["message"]
