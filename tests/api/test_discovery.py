"""Discovery over REST: with the official SDK, and with plain HTTP for what the SDK cannot send."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudflare
import httpx
import pytest

from conftest import LiveControlPlane, eventually
from hauberk import _native
from hauberk.candidate import Candidate, Origin
from hauberk.operation import OperationKey
from hauberk.storage.candidates import Window, record_candidates
from hauberk.storage.models import Zone, now
from test_gateway import RunningGateway, add_rule, send_to
from traffic_fakes import HOST, FakeDiscovery, FakeTraffic, row

BOTH: tuple[Origin, ...] = ("ML", "SessionIdentifier")
FOUND: list[tuple[str, str, str, tuple[Origin, ...], int]] = [
    ("GET", HOST, "/users/{var1}", BOTH, 4800),
    ("POST", HOST, "/users", ("ML",), 2400),
    ("POST", HOST, "/login", ("ML",), 240_000),
    ("GET", "www.example.com", "/Members_100%25", ("SessionIdentifier",), 24_000),
    ("DELETE", "{hostVar1}.example.com", "/x", ("ML",), 700),
]


def record(live: LiveControlPlane, found: list[tuple[str, str, str, tuple[Origin, ...], int]]) -> None:
    candidates = [
        Candidate(method, host, endpoint, origins, requests, 0.75, 3, None, now(), ("/users/{masked}",))
        for method, host, endpoint, origins, requests in found
    ]
    with live.plane.database.write() as session:
        moment = now()
        window = Window(moment.fromtimestamp(moment.timestamp() - 864_000, moment.tzinfo), moment)
        record_candidates(session, session.get_one(Zone, live.zone_id), candidates, window)


def ident(live: LiveControlPlane, index: int) -> str:
    method, host, endpoint, *_ = FOUND[index]
    return OperationKey(method, host, endpoint).operation_id(live.zone_id)


@pytest.fixture
def found(control_plane: LiveControlPlane) -> LiveControlPlane:
    record(control_plane, FOUND)
    return control_plane


def state_of(live: LiveControlPlane, index: int) -> str:
    with live.client() as http:
        rows = http.get(f"{live.zone}/api_gateway/discovery/operations").json()["result"]
    return str(next(row["state"] for row in rows if row["id"] == ident(live, index)))


def test_discovered_operations_are_as_the_sdk_reads_them(sdk: cloudflare.Cloudflare, found: LiveControlPlane) -> None:
    rows = list(sdk.api_gateway.discovery.operations.list(zone_id=found.zone_id, per_page=2))
    assert [(found_one.method, found_one.host, found_one.endpoint) for found_one in rows] == [
        ("POST", HOST, "/login"),
        ("POST", HOST, "/users"),
        ("GET", HOST, "/users/{var1}"),
        ("GET", "www.example.com", "/Members_100%25"),
        ("DELETE", "{hostVar1}.example.com", "/x"),
    ]
    users = rows[2]
    assert users.id == ident(found, 0)
    assert (users.state, users.origin) == ("review", ["ML", "SessionIdentifier"])
    assert users.features is not None
    assert users.features.traffic_stats is not None
    assert users.features.traffic_stats.period_seconds == 3600
    assert users.features.traffic_stats.requests == pytest.approx(20)
    assert users.features.traffic_stats.last_updated == users.last_updated


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, [2, 1, 0, 3, 4]),
        ({"order": "traffic_stats.requests", "direction": "desc"}, [2, 3, 0, 1, 4]),
        ({"order": "traffic_stats.requests", "direction": "asc"}, [4, 1, 0, 3, 2]),
        ({"order": "traffic_stats.last_updated"}, [2, 1, 0, 3, 4]),
        ({"order": "method"}, [4, 0, 3, 2, 1]),
        ({"order": "endpoint", "direction": "desc"}, [4, 0, 1, 2, 3]),
        ({"order": "host"}, [2, 1, 0, 3, 4]),
        ({"host": "www.example.com"}, [3]),
        ({"host": [HOST.upper(), "www.example.com"], "method": "GET"}, [0, 3]),
        ({"host": "{any}.example.com"}, [4]),
        ({"method": ["POST", "DELETE"]}, [2, 1, 4]),
        ({"endpoint": "var1"}, [0]),
        ({"endpoint": "s_1"}, [3]),
        ({"endpoint": "USERS"}, [1, 0]),
        ({"origin": "ML"}, [2, 1, 0, 4]),
        ({"origin": "SessionIdentifier"}, [0, 3]),
        ({"origin": "LabelDiscovery"}, []),
        ({"state": "review"}, [1, 0, 4]),
        ({"state": "saved"}, [2]),
        ({"state": "ignored"}, [3]),
        ({"diff": "true"}, [1, 0, 3, 4]),
        ({"diff": "true", "state": "saved"}, []),
        ({"diff": "false"}, [2, 1, 0, 3, 4]),
        ({"per_page": 2, "page": 3}, [4]),
        ({"per_page": 2, "page": 4}, []),
    ],
)
def test_lists_are_filtered_ordered_and_paged(found: LiveControlPlane, query: dict[str, Any], wanted: list[int]) -> None:
    with found.client() as http:
        http.post(f"{found.zone}/api_gateway/operations/item", json={"method": "POST", "host": HOST, "endpoint": "/login"})
        http.patch(f"{found.zone}/api_gateway/discovery/operations/{ident(found, 3)}", json={"state": "ignored"})
        body = http.get(f"{found.zone}/api_gateway/discovery/operations", params=query).json()
    assert [row["id"] for row in body["result"]] == [ident(found, index) for index in wanted]
    assert body["result_info"]["count"] == len(wanted)


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("order=score", "order"),
        ("direction=up", "direction"),
        ("state=new", "state"),
        ("origin=Guess", "origin"),
        ("diff=perhaps", "diff"),
        ("page=0", "page"),
        ("endpoint=a%00", "null"),
    ],
)
def test_bad_queries_are_refused_by_name(found: LiveControlPlane, query: str, part: str) -> None:
    with found.client() as http:
        answer = http.get(f"{found.zone}/api_gateway/discovery/operations?{query}")
    assert answer.status_code == 400
    assert part in answer.json()["errors"][0]["message"]


def test_states_are_changed_in_bulk_and_one_by_one(sdk: cloudflare.Cloudflare, found: LiveControlPlane) -> None:
    operations = sdk.api_gateway.discovery.operations
    body: Any = {ident(found, 1): {"state": "ignored"}, ident(found, 2): {"state": "ignored"}}
    answer = operations.bulk_edit(zone_id=found.zone_id, body=body)
    assert {id_: item.state for id_, item in answer.items()} == dict.fromkeys(body, "ignored")
    assert [row.endpoint for row in operations.list(zone_id=found.zone_id, state="ignored")] == ["/login", "/users"]
    with found.client() as http:
        url = f"{found.zone}/api_gateway/discovery/operations/{ident(found, 1).upper()}"
        assert http.patch(url, json={"state": "review"}).json()["result"] == {"state": "review"}
    assert [row.endpoint for row in operations.list(zone_id=found.zone_id, state="ignored")] == ["/login"]


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        ({}, 400, "at least 1"),
        ({"nonsense": {"state": "ignored"}}, 404, "nonsense"),
        ({"0": {"state": "saved"}}, 400, "review"),
        ({"0": {"state": None}}, 400, "review"),
        ({"0": {}}, 400, "required"),
        ({"0": {"state": "ignored", "more": 1}}, 400, "Extra"),
        ([], 400, "dictionary"),
        ({"a\0b": {"state": "ignored"}}, 404, "no discovered operation"),
    ],
)
def test_bad_changes_are_refused_and_change_nothing(found: LiveControlPlane, body: Any, status: int, part: str) -> None:
    if isinstance(body, dict) and "nonsense" in body:
        body = {ident(found, 0): {"state": "ignored"}} | body
    with found.client() as http:
        answer = http.patch(f"{found.zone}/api_gateway/discovery/operations", json=body)
    assert (answer.status_code, answer.json()["success"]) == (status, False)
    assert part in answer.json()["errors"][0]["message"]
    assert state_of(found, 0) == "review"


def test_saving_and_deleting_move_a_candidate(sdk: cloudflare.Cloudflare, found: LiveControlPlane) -> None:
    saved = sdk.api_gateway.operations.create(zone_id=found.zone_id, method="GET", host=HOST, endpoint="/users/{user}")
    assert saved.operation_id == ident(found, 0)
    assert state_of(found, 0) == "saved"
    with found.client() as http:
        answer = http.patch(f"{found.zone}/api_gateway/discovery/operations/{ident(found, 0)}", json={"state": "ignored"})
    assert answer.status_code == 409
    sdk.api_gateway.operations.delete(saved.operation_id, zone_id=found.zone_id)
    assert state_of(found, 0) == "review"
    ids = [{"operation_id": ident(found, 0)}, {"operation_id": ident(found, 1)}]
    body: Any = [{"method": method, "host": host, "endpoint": endpoint} for method, host, endpoint, *_ in FOUND[:2]]
    sdk.api_gateway.operations.bulk_create(zone_id=found.zone_id, body=body)
    assert (state_of(found, 0), state_of(found, 1)) == ("saved", "saved")
    sdk.api_gateway.operations.bulk_delete(zone_id=found.zone_id, extra_body=ids)
    assert (state_of(found, 0), state_of(found, 1)) == ("review", "review")


def test_saved_operations_tell_their_traffic(sdk: cloudflare.Cloudflare, found: LiveControlPlane) -> None:
    sdk.api_gateway.operations.create(zone_id=found.zone_id, method="GET", host=HOST, endpoint="/users/{user}")
    sdk.api_gateway.operations.create(zone_id=found.zone_id, method="GET", host=HOST, endpoint="/unseen")
    with found.client() as http:
        query = {"feature": ["traffic_stats", "schema_info"], "order": "endpoint"}
        rows = http.get(f"{found.zone}/api_gateway/operations", params=query).json()["result"]
    assert [sorted(row["features"]) for row in rows] == [["schema_info"], ["schema_info", "traffic_stats"]]
    assert rows[1]["features"]["traffic_stats"]["requests"] == pytest.approx(20)


def test_what_was_found_is_given_as_openapi(sdk: cloudflare.Cloudflare, found: LiveControlPlane) -> None:
    with found.client() as http:
        http.patch(f"{found.zone}/api_gateway/discovery/operations/{ident(found, 3)}", json={"state": "ignored"})
    answer = sdk.api_gateway.discovery.get(zone_id=found.zone_id)
    assert answer.timestamp.tzinfo is not None
    titles = []
    for schema in answer.schemas:
        report = _native.check_document(json.dumps(schema).encode())
        assert report["ok"], report["problems"]
        titles.append(report["title"])
    assert titles == [f"Discovered on {HOST}", "Discovered on {hostVar1}.example.com"]


def test_saved_operations_are_given_as_openapi(sdk: cloudflare.Cloudflare, found: LiveControlPlane) -> None:
    zone_id = found.zone_id
    for host in (HOST, "www.example.com"):
        sdk.api_gateway.operations.create(zone_id=zone_id, method="GET", host=host, endpoint="/users/{user}")
    every: Any = sdk.api_gateway.schemas.list(zone_id=zone_id).schemas
    assert [schema["servers"][0]["url"] for schema in every] == [f"https://{HOST}", "https://www.example.com"]
    (one,) = (
        sdk.api_gateway.schemas.list(zone_id=zone_id, host=[HOST], feature=["schema_info"], include_schema_kind=["learned"]).schemas or []
    )
    operation = one["paths"]["/users/{var1}"]["get"]  # type: ignore[index]
    assert operation["x-hauberk-features"]["schema_info"]["mitigation_action"] is None
    with found.client() as http:
        for query, part in (("feature=all", "feature"), ("include_schema_kind=uploaded", "learned")):
            answer = http.get(f"{found.zone}/api_gateway/schemas?{query}")
            assert answer.status_code == 400
            assert part in answer.json()["errors"][0]["message"]


def test_a_zone_without_traffic_has_nothing(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    assert sdk.api_gateway.discovery.get(zone_id=control_plane.zone_id).schemas == []
    assert list(sdk.api_gateway.discovery.operations.list(zone_id=control_plane.zone_id)) == []
    assert sdk.api_gateway.schemas.list(zone_id=control_plane.zone_id).schemas == []
    with control_plane.client() as http:
        own = f"/hauberk/v1/zones/{control_plane.zone_id}/discovery"
        assert http.get(f"{own}/refresh").json()["result"]["state"] == "idle"
        assert http.get(f"{own}/comparison").json()["result"]["hosts"] == []
        control_plane.plane.inventory.source = None  # as where there is no traffic store at all
        assert http.post(f"{own}/refresh").status_code == 409


def test_unknown_zones_are_not_found(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as http:
        calls = [
            ("GET", f"/client/v4/zones/x/api_gateway/{path}") for path in ("discovery", "discovery/operations", "configuration", "schemas")
        ]
        calls += [("GET", f"/hauberk/v1/zones/x/discovery/{path}") for path in ("refresh", "comparison", "templates")]
        calls += [("GET", "/hauberk/v1/zones/x/session-identifiers/proposal"), ("POST", "/hauberk/v1/zones/x/discovery/refresh")]
        calls += [("GET", "/hauberk/v1/zones/x/discovery/explain?method=GET&host=a.b&path=/")]
        for method, url in calls:
            assert http.request(method, url).status_code == 404, url


@pytest.fixture
def looking(control_plane: LiveControlPlane) -> Iterator[FakeTraffic]:
    """A control plane that looks at traffic of its own."""
    source = FakeTraffic([row(f"/users/{n}", 100) for n in range(10)])
    inventory = control_plane.plane.inventory
    inventory.engine, inventory.source = FakeDiscovery, source
    inventory.start()
    eventually(lambda: inventory.status(control_plane.zone_id)["finished_at"] is not None)
    yield source
    inventory.stop()


def test_a_look_at_the_traffic_can_be_asked_for(control_plane: LiveControlPlane, looking: FakeTraffic) -> None:
    looking.rows.append(row("/new", 999, with_session=999))
    own = f"/hauberk/v1/zones/{control_plane.zone_id}/discovery"
    with control_plane.client() as http:
        answer = http.post(f"{own}/refresh")
        assert (answer.status_code, answer.json()["result"]["state"]) == (202, "requested")
        eventually(lambda: http.get(f"{own}/refresh").json()["result"]["candidates"] == 2)
        status = http.get(f"{own}/refresh").json()["result"]
        assert (status["state"], status["operations_found"], status["paths_read"], status["error"]) == ("idle", 2, 11, None)
        report = http.get(f"{own}/comparison").json()["result"]
        assert report["totals"] == {"both": 1, "only_ml": 1, "only_session_identifier": 0}
        assert report["differences"]["gained_1_to_50"] == {"hosts": 1, "share": 1.0}
        assert http.get(f"{own}/comparison?max_operations=0").json()["result"]["hosts"][0]["both"] == {"count": 1, "operations": []}
        told = http.get(f"{own}/explain", params={"method": "get", "host": f"{HOST}:8443", "path": "/users/4711"}).json()["result"]
        assert told["operation"]["endpoint"] == "/users/{var1}"
        for query, status_code in (({"path": "users"}, 400), ({"host": "a b"}, 400), ({"method": "BREW"}, 400), ({"method": "PUT"}, 404)):
            asked = {"method": "GET", "host": HOST, "path": "/users/1"} | query
            assert http.get(f"{own}/explain", params=asked).status_code == status_code


def test_a_reader_may_look_and_not_change(found: LiveControlPlane) -> None:
    with found.client() as http:
        token = http.post("/hauberk/v1/tokens", json={"name": "reader", "scope": "read"}).json()["result"]
    own = f"/hauberk/v1/zones/{found.zone_id}"
    with found.client(token.get("token") or token.get("value")) as http:
        for url in (f"{found.zone}/api_gateway/discovery/operations", f"{own}/discovery/templates", f"{own}/discovery/refresh"):
            assert http.get(url).status_code == 200
        assert http.patch(f"{found.zone}/api_gateway/discovery/operations", json={ident(found, 0): {"state": "ignored"}}).status_code == 403
        assert http.post(f"{own}/discovery/refresh").status_code == 403
        assert http.put(f"{found.zone}/api_gateway/configuration", json={"auth_id_characteristics": []}).status_code == 403


def test_a_saved_candidate_is_matched_by_the_gateway_within_two_seconds(found: LiveControlPlane, origin: str, tmp_path: Path) -> None:
    send_to(found, origin)
    add_rule(found, "cf.api_gateway.fallthrough_detected")
    with RunningGateway(found, tmp_path / "gateway") as gateway, found.client() as http:
        eventually(lambda: gateway.runner.ready)
        assert gateway.get("/users/4711").status_code == 403
        method, host, endpoint, *_ = FOUND[0]
        saved = http.post(f"{found.zone}/api_gateway/operations/item", json={"method": method, "host": host, "endpoint": endpoint})
        assert saved.json()["result"]["operation_id"] == ident(found, 0)
        started = time.monotonic()
        eventually(lambda: gateway.get("/users/4711").status_code == httpx.codes.OK, seconds=10)
        taken = time.monotonic() - started
        assert taken < 2, f"it took {taken:.1f} s"
        assert gateway.get("/shops/4711").status_code == 403
        http.delete(f"{found.zone}/api_gateway/operations/{ident(found, 0)}")
        eventually(lambda: gateway.get("/users/4711").status_code == 403)
