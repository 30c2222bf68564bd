"""Mutual TLS of hosts over REST: associations and rules changed together, seen before, and taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from conftest import LiveControlPlane
from hauberk.certificate import Subject
from hauberk.pki.authority import Authority

PHASE = "http_request_firewall_custom"
WHOLE = '(http.host eq "{}" and not (cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked))'


@pytest.fixture
def http(control_plane: LiveControlPlane) -> Iterator[httpx.Client]:
    with control_plane.client() as client:
        client.base_url = httpx.URL(f"{control_plane.base_url}/hauberk/v1/zones/{control_plane.zone_id}")
        yield client


def rules(live: LiveControlPlane) -> list[dict[str, Any]]:
    with live.client() as client:
        answer = client.get(f"{live.zone}/rulesets/phases/{PHASE}/entrypoint")
    return list(answer.json()["result"]["rules"]) if answer.status_code == 200 else []


def write_rules(live: LiveControlPlane, *written: dict[str, Any]) -> None:
    with live.client() as client:
        client.put(f"{live.zone}/rulesets/phases/{PHASE}/entrypoint", json={"rules": list(written)}).raise_for_status()


def associated(live: LiveControlPlane) -> list[str]:
    with live.client() as client:
        return list(client.get(f"{live.zone}/certificate_authorities/hostname_associations").json()["result"]["hostnames"])


def shown(http: httpx.Client, host: str) -> dict[str, Any]:
    [row] = http.get("/mutual-tls", params={"host": host}).json()["result"]
    return dict(row)


def test_requiring_makes_association_and_rule_in_one_change_and_before_leads_back(
    control_plane: LiveControlPlane, http: httpx.Client
) -> None:
    write_rules(control_plane, {"action": "log", "expression": 'http.request.method eq "GET"', "ref": "mine"})
    revision = control_plane.plane.revision()
    body = {"hosts": ["api.example.com", "B.example.com"]}
    preview = http.post("/mutual-tls/require", json=body, params={"dry_run": "true"}).json()["result"]
    assert control_plane.plane.revision() == revision
    made = http.post("/mutual-tls/require", json=body).json()["result"]
    assert control_plane.plane.revision() == revision + 1
    assert [row["rule"]["expression"] for row in preview["hosts"]] == [row["rule"]["expression"] for row in made["hosts"]]
    assert [row["host"] for row in made["hosts"]] == ["api.example.com", "b.example.com"]
    assert [(row["demand"], row["action"], row["served"]) for row in made["hosts"]] == [("all", "block", True), ("all", "block", False)]
    assert [rule["ref"] for rule in rules(control_plane)] == ["hauberk_mtls_api.example.com", "hauberk_mtls_b.example.com", "mine"]
    assert rules(control_plane)[0]["expression"] == WHOLE.format("api.example.com")
    assert associated(control_plane) == ["api.example.com", "b.example.com"]
    http.post("/mutual-tls/require", json=body)
    assert control_plane.plane.revision() == revision + 1, "a second time changes nothing"
    back = http.put("/mutual-tls", json=made["before"]).json()["result"]
    assert control_plane.plane.revision() == revision + 2
    assert [rule["ref"] for rule in rules(control_plane)] == ["mine"]
    assert associated(control_plane) == []
    http.put("/mutual-tls", json=back["before"])
    assert associated(control_plane) == ["api.example.com", "b.example.com"]
    assert rules(control_plane)[1]["expression"] == WHOLE.format("b.example.com")


def test_a_requirement_is_limited_to_methods_and_paths(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    body = {"hosts": ["api.example.com"], "methods": ["POST", "PUT"], "paths": ['/a"b'], "action": "log"}
    [row] = http.post("/mutual-tls/require", json=body).json()["result"]["hosts"]
    assert row["rule"]["expression"] == (
        '(http.host eq "api.example.com" and http.request.method in {"POST" "PUT"} and http.request.uri.path eq "/a\\"b" '
        "and not (cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked))"
    )
    assert (row["demand"], row["action"]) == ("part", "log")
    assert row["rule"]["description"].endswith('(POST, PUT; /a"b)')


def test_what_people_wrote_over_is_put_right_and_can_be_had_back(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    http.post("/mutual-tls/require", json={"hosts": ["api.example.com"]})
    [kept] = rules(control_plane)
    weaker = kept | {"enabled": False, "expression": 'http.host eq "other.example.com"', "action": "log", "description": "mine now"}
    write_rules(control_plane, weaker)
    assert shown(http, "api.example.com")["demand"] == "none"
    made = http.post("/mutual-tls/require", json={"hosts": ["api.example.com"]}).json()["result"]
    [righted] = rules(control_plane)
    assert (righted["id"], righted["expression"], righted["enabled"]) == (kept["id"], WHOLE.format("api.example.com"), True)
    http.put("/mutual-tls", json=made["before"])
    [again] = rules(control_plane)
    for name in ("expression", "action", "enabled", "description", "id"):
        assert again[name] == weaker[name]


def test_uploaded_authorities_stay_and_the_managed_one_is_not_added_beside_them(
    control_plane: LiveControlPlane, http: httpx.Client, factory_ca: str
) -> None:
    path = f"/client/v4/accounts/{control_plane.account_id}/mtls_certificates"
    with control_plane.client() as client:
        uploaded = client.post(path, json={"ca": True, "certificates": factory_ca, "name": "factory"}).json()["result"]["id"]
    [row] = http.put("/mutual-tls", json={"hosts": {"api.example.com": {"authorities": [uploaded]}}}).json()["result"]["hosts"]
    assert [(one["id"], one["managed"]) for one in row["authorities"]] == [(uploaded, False)]
    assert row["rule"] is None
    [row] = http.post("/mutual-tls/require", json={"hosts": ["api.example.com"]}).json()["result"]["hosts"]
    assert [one["name"] for one in row["authorities"]] == ["factory"]
    managed = control_plane.plane.authority_id
    body = {"hosts": ["api.example.com"], "authorities": [managed]}
    [row] = http.post("/mutual-tls/require", json=body).json()["result"]["hosts"]
    assert {one["id"] for one in row["authorities"]} == {managed, uploaded}
    http.put("/mutual-tls", json={"hosts": {"api.example.com": {"rule": None}}})
    assert len(shown(http, "api.example.com")["authorities"]) == 2, "what is left out stays"


@pytest.fixture(scope="session")
def factory_ca() -> str:
    return Authority.create(Subject.of(common_name="factory"), 30, datetime.now(UTC)).certificate_pem


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ([], ("none", None)),
        ([("block", WHOLE.format("api.example.com"))], ("all", "block")),
        ([("block", WHOLE.format("other.example.com"))], ("none", None)),
        ([("block", 'http.host in {"api.example.com"} and not cf.tls_client_auth.cert_presented')], ("all", "block")),
        ([("block", "not cf.tls_client_auth.cert_verified")], ("all", "block")),
        ([("block", 'http.request.method eq "POST" and not cf.tls_client_auth.cert_verified')], ("part", "block")),
        ([("block", 'http.request.uri.path eq "/admin"')], ("none", None)),
        ([("block", 'cf.tls_client_auth.cert_serial eq "AA"')], ("none", None)),
        ([("log", "not cf.tls_client_auth.cert_verified")], ("all", "log")),
        ([("log", "not cf.tls_client_auth.cert_verified"), ("block", WHOLE.format("api.example.com"))], ("all", "block")),
        ([("skip", 'http.host eq "api.example.com"'), ("block", WHOLE.format("api.example.com"))], ("none", None)),
        ([("skip", 'http.request.method eq "OPTIONS"'), ("block", WHOLE.format("api.example.com"))], ("part", "block")),
    ],
)
def test_whether_certificates_are_demanded_follows_from_the_rules(
    control_plane: LiveControlPlane, http: httpx.Client, written: list[tuple[str, str]], wanted: tuple[str, str | None]
) -> None:
    parameters = {"skip": {"action_parameters": {"ruleset": "current"}}}
    write_rules(control_plane, *({"action": action, "expression": text} | parameters.get(action, {}) for action, text in written))
    row = shown(http, "api.example.com")
    assert (row["demand"], row["action"]) == wanted


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        (WHOLE.format("api.example.com"), "none"),
        (WHOLE.format("a.b.devices.example.com"), "none"),
        (WHOLE.format("a.devices.example.com"), "part"),
        ('http.host ne "a.devices.example.com" and not cf.tls_client_auth.cert_verified', "part"),
        ('http.host ne "api.example.com" and not cf.tls_client_auth.cert_verified', "all"),
    ],
)
def test_of_a_wildcard_host_the_names_below_it_count(
    control_plane: LiveControlPlane, http: httpx.Client, expression: str, wanted: str
) -> None:
    http.post("/hosts", json={"name": "*.devices.example.com", "upstreams": ["http://127.0.0.1:9"]}).raise_for_status()
    write_rules(control_plane, {"action": "block", "expression": expression})
    assert shown(http, "*.devices.example.com")["demand"] == wanted


@pytest.mark.parametrize(
    ("method", "path", "body", "part"),
    [
        ("POST", "/mutual-tls/require", {"hosts": ["*.example.com"]}, "wildcard"),
        ("POST", "/mutual-tls/require", {"hosts": ["elsewhere.test"]}, "not at or below"),
        ("POST", "/mutual-tls/require", {"hosts": ['a" or true']}, "host name"),
        ("POST", "/mutual-tls/require", {"hosts": []}, "at least 1"),
        ("POST", "/mutual-tls/require", {"hosts": ["api.example.com"], "methods": ["get"]}, "methods"),
        ("POST", "/mutual-tls/require", {"hosts": ["api.example.com"], "paths": ["a"]}, "paths"),
        ("POST", "/mutual-tls/require", {"hosts": ["api.example.com"], "authorities": []}, "authorities"),
        ("POST", "/mutual-tls/require", {"hosts": ["api.example.com"], "authorities": ["unknown"]}, "unknown"),
        ("PUT", "/mutual-tls", {"hosts": {"api.example.com": {"rule": {"action": "block", "expression": "nonsense"}}}}, "column"),
        ("PUT", "/mutual-tls", {"hosts": {"*.example.com": {"rule": {"action": "block", "expression": "true"}}}}, "wildcard"),
        ("PUT", "/fallthrough", {"hosts": {"*.example.com": "block"}}, "wildcard"),
        ("PUT", "/fallthrough", {"hosts": {"api.example.com": "refuse"}}, "block"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    control_plane: LiveControlPlane, http: httpx.Client, method: str, path: str, body: Any, part: str
) -> None:
    revision = control_plane.plane.revision()
    answer = http.request(method, path, json=body)
    assert answer.status_code in {400, 404}
    assert part in answer.json()["errors"][0]["message"]
    assert control_plane.plane.revision() == revision


def test_lists_have_the_zones_hosts_and_those_that_are_named_elsewhere(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    http.put("/mutual-tls", json={"hosts": {"*.example.com": {"authorities": [control_plane.plane.authority_id]}}})
    answer = http.get("/mutual-tls").json()
    assert [(row["host"], row["served"]) for row in answer["result"]] == [("*.example.com", False), ("api.example.com", True)]
    assert answer["result_info"]["total_count"] == 2
    assert http.get("/mutual-tls", params={"page": 2}).json()["result"] == []


def test_fallthrough_is_decided_for_hosts_and_taken_back(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    write_rules(control_plane, {"action": "log", "expression": "true", "ref": "mine"})
    made = http.put("/fallthrough", json={"hosts": {"api.example.com": "block", "b.example.com": "log"}}).json()["result"]
    assert [(rule["ref"], rule["action"]) for rule in rules(control_plane)] == [
        ("mine", "log"),
        ("hauberk_fallthrough_api.example.com", "block"),
        ("hauberk_fallthrough_b.example.com", "log"),
    ]
    assert http.get("/fallthrough").json()["result"]["hosts"] == {"api.example.com": "block", "b.example.com": "log"}
    assert made["before"] == {"hosts": {"api.example.com": "none", "b.example.com": "none"}}
    http.put("/fallthrough", json=made["before"])
    assert [rule["ref"] for rule in rules(control_plane)] == ["mine"]


def recorded_line(host: str, certificate: str | None, **members: Any) -> bytes:
    line = {
        "host": host,
        "method": "GET",
        "url": f"https://{host}/orders",
        "http_version": "HTTP/1.1",
        "request_headers": [],
        "status": 200,
        "response_headers": [],
        "time": datetime.now(UTC).isoformat(),
        "request_id": "r",
        "certificate": certificate,
        **members,
    }
    return json.dumps(line).encode()


def test_what_was_recorded_tells_who_would_be_refused(control_plane: LiveControlPlane, http: httpx.Client) -> None:
    host = "api.example.com"
    control_plane.plane.traffic.import_rows(
        [
            *[recorded_line(host, "a" * 64)] * 3,
            *[recorded_line(host, None)] * 2,
            recorded_line(host, None, method="POST", weight=10.0),
            recorded_line(host, None, url=f"https://{host}/other?x=1"),
            recorded_line(host, None, request_id=None),
            recorded_line(host, None, time="2020-01-01T00:00:00Z"),
            recorded_line("elsewhere.test", None),
        ]
    )
    for query, wanted in (
        ({"host": [host]}, {"recorded": 7, "requests": 16, "without_certificate": 13}),
        ({"host": [host], "method": ["POST", "PUT"]}, {"recorded": 1, "requests": 10, "without_certificate": 10}),
        ({"host": [host], "path": ["/orders"], "method": ["GET"]}, {"recorded": 5, "requests": 5, "without_certificate": 2}),
        ({"host": ["b.example.com"]}, {"recorded": 0, "requests": 0, "without_certificate": 0}),
    ):
        answer = http.get("/mutual-tls/recorded", params=query)
        assert answer.json()["result"] == [{"host": query["host"][0], **wanted}], query
    assert http.get("/mutual-tls/recorded", params={"host": "elsewhere.test"}).status_code == 400
    assert http.get("/mutual-tls/recorded").status_code == 400
