"""Saved operations over REST: with the official SDK, and with plain HTTP for what the SDK cannot send."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import cloudflare
import pytest

from conftest import LiveControlPlane, serve_control_plane

HOST = "api.example.com"


def operation(method: str = "GET", endpoint: str = "/temps", host: str = HOST) -> dict[str, Any]:
    return {"method": method, "host": host, "endpoint": endpoint}


def count(control_plane: LiveControlPlane) -> int:
    with control_plane.client() as http:
        return int(http.get(f"{control_plane.zone}/api_gateway/operations").json()["result_info"]["total_count"])


def test_an_operation_is_saved_in_its_normal_spelling(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    saved = sdk.api_gateway.operations.create(
        zone_id=control_plane.zone_id, method="GET", host="API.example.com", endpoint="/users/{id}/%7efiles/{name}"
    )
    assert (saved.method, saved.host, saved.endpoint) == ("GET", HOST, "/users/{var1}/~files/{var2}")
    assert str(UUID(saved.operation_id)) == saved.operation_id
    assert saved.last_updated.tzinfo is not None
    got = sdk.api_gateway.operations.get(saved.operation_id, zone_id=control_plane.zone_id)
    assert got.to_dict() == saved.to_dict()
    assert got.features is None
    assert got.schemas is None


def test_saving_twice_is_not_an_error_and_dates_it_anew(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    first = sdk.api_gateway.operations.create(zone_id=zone_id, method="GET", host=HOST, endpoint="/users/{id}")
    sdk.schema_validation.settings.operations.update(first.operation_id, zone_id=zone_id, mitigation_action="log")
    revision = control_plane.plane.revision()
    again = sdk.api_gateway.operations.create(zone_id=zone_id, method="GET", host=HOST, endpoint="/users/{user}")
    assert again.operation_id == first.operation_id
    assert again.last_updated > first.last_updated
    assert count(control_plane) == 1
    assert control_plane.plane.revision() == revision, "a date is nothing a gateway enforces"
    assert sdk.schema_validation.settings.operations.get(first.operation_id, zone_id=zone_id).mitigation_action == "log"


def test_an_operation_saved_again_after_it_was_deleted_has_the_same_id(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    zone_id = control_plane.zone_id
    first = sdk.api_gateway.operations.create(zone_id=zone_id, method="GET", host=HOST, endpoint="/a")
    revision = control_plane.plane.revision()
    deleted = sdk.api_gateway.operations.delete(first.operation_id, zone_id=zone_id)
    assert (deleted.success, deleted.errors, deleted.messages) == (True, [], [])
    assert control_plane.plane.revision() > revision
    with pytest.raises(cloudflare.NotFoundError):
        sdk.api_gateway.operations.get(first.operation_id, zone_id=zone_id)
    assert sdk.api_gateway.operations.create(zone_id=zone_id, method="GET", host=HOST, endpoint="/a").operation_id == first.operation_id


def test_bulk_create_answers_a_row_for_each_operation_saved(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    body: Any = [operation("GET"), operation("POST"), operation("GET", "/users/{id}"), operation("GET", "/users/{x}")]
    rows = sdk.api_gateway.operations.bulk_create(zone_id=control_plane.zone_id, body=body).result
    assert [(row.method, row.endpoint) for row in rows] == [
        ("GET", "/temps"),
        ("POST", "/temps"),
        ("GET", "/users/{var1}"),
        ("GET", "/users/{var1}"),
    ]
    assert rows[2].operation_id == rows[3].operation_id
    assert count(control_plane) == 3


def test_five_thousand_operations_are_saved_in_one_call_and_one_more_is_refused(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as http:
        url = f"{control_plane.zone}/api_gateway/operations"
        body = [operation(endpoint=f"/things/{number}") for number in range(5001)]
        refused = http.post(url, json=body)
        assert refused.status_code == 400
        assert "5000" in refused.json()["errors"][0]["message"]
        assert count(control_plane) == 0
        assert len(http.post(url, json=body[:5000]).json()["result"]) == 5000
        assert len(http.post(url, json=body[:5000]).json()["result"]) == 5000
        listed = http.get(url, params={"per_page": 5000, "feature": "schema_info"}).json()
        assert len(listed["result"]) == 5000
        ids = [{"operation_id": row["operation_id"]} for row in listed["result"]]
        assert http.request("DELETE", url, json=ids).status_code == 200
    assert count(control_plane) == 0


@pytest.fixture
def five(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> list[tuple[str, str, str]]:
    body: Any = [
        operation("GET", "/temps"),
        operation("POST", "/temps"),
        operation("GET", "/users/{id}"),
        operation("DELETE", "/Users_100%/{id}"),
        operation("GET", "/temps", "{tenant}.example.com"),
    ]
    rows = sdk.api_gateway.operations.bulk_create(zone_id=control_plane.zone_id, body=body).result
    return [(row.method, row.host, row.endpoint) for row in rows]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, [3, 0, 1, 2, 4]),
        ({"order": "method"}, [3, 0, 2, 4, 1]),
        ({"order": "endpoint"}, [3, 0, 1, 4, 2]),
        ({"order": "host"}, [3, 0, 1, 2, 4]),
        ({"order": "host", "direction": "desc"}, [4, 2, 1, 0, 3]),
        ({"order": "thresholds.p90"}, [3, 0, 1, 2, 4]),
        ({"method": ["POST", "DELETE"]}, [3, 1]),
        ({"method": "POST,DELETE"}, [3, 1]),
        ({"host": "{x}.example.com"}, [4]),
        ({"host": "no host"}, []),
        ({"host": ["API.example.com", "nowhere.example.com"]}, [3, 0, 1, 2]),
        ({"endpoint": "users"}, [3, 2]),
        ({"endpoint": "s_1"}, [3]),
        ({"endpoint": "%25/"}, [3]),
        ({"endpoint": "/temps", "method": "POST"}, [1]),
        ({"endpoint": "nowhere"}, []),
        ({"per_page": 2}, [3, 0]),
        ({"per_page": 2, "page": 3}, [4]),
        ({"per_page": 2, "page": 4}, []),
        ({"per_page": 5000, "page": 2}, []),
    ],
)
def test_lists_are_filtered_ordered_and_paged(
    control_plane: LiveControlPlane, five: list[tuple[str, str, str]], query: dict[str, Any], wanted: list[int]
) -> None:
    with control_plane.client() as http:
        body = http.get(f"{control_plane.zone}/api_gateway/operations", params=query).json()
    assert [(row["method"], row["host"], row["endpoint"]) for row in body["result"]] == [five[index] for index in wanted]
    assert body["result_info"]["count"] == len(wanted)


def test_the_sdk_iterates_over_all_pages_and_stops(
    sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane, five: list[tuple[str, str, str]]
) -> None:
    rows = list(
        sdk.api_gateway.operations.list(
            zone_id=control_plane.zone_id, per_page=2, host=[HOST], order="method", direction="desc", feature=["schema_info"]
        )
    )
    assert [row.method for row in rows] == ["POST", "GET", "GET", "DELETE"]


def test_features_asked_for_are_there_and_those_of_later_are_absent(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    sdk.api_gateway.operations.create(zone_id=control_plane.zone_id, **operation())
    with control_plane.client() as http:
        url = f"{control_plane.zone}/api_gateway/operations"
        assert "features" not in http.get(url).json()["result"][0]
        assert http.get(url, params={"feature": "thresholds"}).json()["result"][0]["features"] == {}
        both = http.get(url, params={"feature": ["thresholds", "schema_info"]}).json()["result"][0]["features"]
        assert both == http.get(url, params={"feature": "thresholds,schema_info"}).json()["result"][0]["features"]
    assert both == {"schema_info": {"active_schema": None, "learned_available": False, "mitigation_action": None}}


def test_bulk_delete_without_a_body_deletes_nothing(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane, five: list[Any]) -> None:
    with pytest.raises(cloudflare.BadRequestError, match="operation_id"):
        sdk.api_gateway.operations.bulk_delete(zone_id=control_plane.zone_id)
    with pytest.raises(cloudflare.BadRequestError):
        sdk.api_gateway.operations.bulk_delete(zone_id=control_plane.zone_id, extra_body=[])
    assert count(control_plane) == 5


def test_bulk_delete_deletes_what_is_named_or_nothing(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane, five: list[Any]) -> None:
    ids = [row.operation_id for row in sdk.api_gateway.operations.list(zone_id=control_plane.zone_id, method=["GET"])]
    references = [{"operation_id": id_} for id_ in ids]
    unknown = {"operation_id": "00000000-0000-5000-8000-000000000000"}
    with pytest.raises(cloudflare.NotFoundError, match="00000000-0000-5000"):
        sdk.api_gateway.operations.bulk_delete(zone_id=control_plane.zone_id, extra_body=[*references, unknown])
    assert count(control_plane) == 5
    deleted = sdk.api_gateway.operations.bulk_delete(zone_id=control_plane.zone_id, extra_body=[*references, references[0]])
    assert deleted.success is True
    assert count(control_plane) == 2


def test_a_host_outside_the_zone_is_saved_and_said(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as http:
        body = http.post(f"{control_plane.zone}/api_gateway/operations/item", json=operation(host="api.elsewhere.test")).json()
    assert body["success"] is True
    assert body["messages"] == [
        {"code": 213, "message": "the host 'api.elsewhere.test' is not in the zone 'example.com': no request to it is matched here"}
    ]


@pytest.fixture(scope="module")
def unchanged(first_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveControlPlane]:
    """One control plane for all that is refused: each test sees that nothing was changed."""
    folder = Path(shutil.copytree(first_state, tmp_path_factory.mktemp("unchanged") / "state"))
    with serve_control_plane(folder) as live:
        yield live


BAD_OPERATIONS: list[tuple[Any, str, str]] = [
    ({"method": "GET", "host": HOST}, "/endpoint", "required"),
    (operation(method="FETCH"), "/method", "must be one of GET"),
    (operation() | {"method": 7}, "/method", "string"),
    (operation() | {"method": None}, "/method", "string"),
    (operation(host="foo-{x}.example.com"), "/host", "whole label"),
    (operation(host="*.example.com"), "/host", "hostVar1"),
    (operation(host="api.example.com:8443"), "/host", "without a port"),
    (operation(host="h" * 256), "/host", "255"),
    (operation(host="a\0.example.com"), "/host", "host name"),
    (operation(endpoint="temps"), "/endpoint", "begin with"),
    (operation(endpoint="/temps?x=1"), "/endpoint", "no query"),
    (operation(endpoint="/a\0b"), "/endpoint", "control"),
    (operation(endpoint="/" + "x" * 4096), "/endpoint", "4096"),
    (operation(endpoint="/{a}{b}"), "/endpoint", "touch"),
    (operation() | {"endpoint": ["/temps"]}, "/endpoint", "string"),
]


@pytest.mark.parametrize(("item", "pointer", "part"), BAD_OPERATIONS)
def test_bad_operations_are_refused_with_their_place_and_nothing_is_saved(
    unchanged: LiveControlPlane, item: Any, pointer: str, part: str
) -> None:
    with unchanged.client() as http:
        for path, body, where in (("item", item, pointer), ("", [operation(), item], f"/1{pointer}")):
            answer = http.post(f"{unchanged.zone}/api_gateway/operations/{path}".rstrip("/"), json=body)
            error = answer.json()["errors"][0]
            assert (answer.status_code, answer.json()["success"], answer.json()["result"]) == (400, False, None)
            assert error["code"] >= 1000
            assert error["source"]["pointer"] == where
            assert part in error["message"]
    assert count(unchanged) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"{",
        b"[]",
        b"[[]]",
        b'"text"',
        b"7",
        b"\xff\xfe",
        b"[" * 100_000,
        b'[{"method":"GET","host":"a.b","endpoint":"/\\ud800"}]',
    ],
)
def test_bodies_that_are_no_list_of_operations_are_refused(unchanged: LiveControlPlane, content: bytes) -> None:
    with unchanged.client() as http:
        answer = http.post(f"{unchanged.zone}/api_gateway/operations", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] >= 1000
    assert count(unchanged) == 0


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("order=latency", "order"),
        ("direction=up", "direction"),
        ("feature=everything", "feature"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("per_page=0", "per_page"),
        ("per_page=5001", "per_page"),
        ("page=many", "page"),
        ("page=99999999999999999999", "page"),
        ("endpoint=a%00b", "null"),
        ("host=a%00b", "null"),
        ("method=a%00b", "null"),
    ],
)
def test_bad_queries_are_refused_by_name(unchanged: LiveControlPlane, query: str, part: str) -> None:
    with unchanged.client() as http:
        answer = http.get(f"{unchanged.zone}/api_gateway/operations?{query}")
    assert answer.status_code == 400
    assert part in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("id_", ["item", "nonsense", "00000000-0000-5000-8000-000000000000", "a%00b", "x" * 2000, "%F0%9F%8C%A1"])
def test_unknown_operations_are_not_found(unchanged: LiveControlPlane, id_: str) -> None:
    with unchanged.client() as http:
        for method in ("GET", "DELETE"):
            answer = http.request(method, f"{unchanged.zone}/api_gateway/operations/{id_}")
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 7003)


def test_an_unknown_zone_is_not_found_and_ids_of_another_zone_are_not_seen(
    sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane
) -> None:
    saved = sdk.api_gateway.operations.create(zone_id=control_plane.zone_id, **operation())
    with control_plane.client() as http:
        other = http.post("/hauberk/v1/zones", json={"name": "example.org"}).json()["result"]["id"]
    for zone_id in ("0" * 32, "nonsense", other):
        with pytest.raises(cloudflare.NotFoundError):
            sdk.api_gateway.operations.get(saved.operation_id, zone_id=zone_id)
        with pytest.raises(cloudflare.NotFoundError):
            sdk.api_gateway.operations.delete(saved.operation_id, zone_id=zone_id)
    for zone_id in ("0" * 32, "nonsense"):
        with pytest.raises(cloudflare.NotFoundError):
            sdk.api_gateway.operations.create(zone_id=zone_id, **operation())
    assert count(control_plane) == 1


def test_a_reader_may_list_and_not_change(control_plane: LiveControlPlane) -> None:
    with control_plane.client() as http:
        token = http.post("/hauberk/v1/tokens", json={"name": "reader", "scope": "read"}).json()["result"]
    with control_plane.client(token.get("token") or token.get("value")) as http:
        url = f"{control_plane.zone}/api_gateway/operations"
        assert http.get(url).status_code == 200
        assert http.post(url, json=[operation()]).status_code == 403


def test_times_are_rfc_3339_in_utc(sdk: cloudflare.Cloudflare, control_plane: LiveControlPlane) -> None:
    raw = sdk.api_gateway.operations.with_raw_response.create(zone_id=control_plane.zone_id, **operation())
    moment = datetime.fromisoformat(json.loads(raw.read())["result"]["last_updated"])
    assert moment.utcoffset() is not None
