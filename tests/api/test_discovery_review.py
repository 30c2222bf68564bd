"""Candidates looked through over REST: filters, counts, many moved at once and moved back, and why they are what they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from conftest import HOST_NAME, LiveControlPlane, eventually, serve_control_plane
from hauberk.candidate import Candidate, Origin
from hauberk.capture_imports import Sent
from hauberk.operation import OperationKey
from hauberk.storage.candidates import Window, record_candidates
from hauberk.storage.models import Zone, now

pytestmark = pytest.mark.both_databases

FOUND: list[tuple[str, str, str, tuple[Origin, ...], int, float | None]] = [
    ("GET", HOST_NAME, "/users/{var1}", ("ML", "SessionIdentifier"), 4800, 0.99),
    ("POST", HOST_NAME, "/users", ("ML",), 2400, 0.9),
    ("POST", HOST_NAME, "/login", ("ML",), 240_000, 0.7),
    ("GET", "www.example.com", "/static/a_1", ("SessionIdentifier",), 24_000, 0.1),
    ("GET", "www.example.com", "/static/ax1", ("SessionIdentifier",), 600, None),
]


@pytest.fixture
def live(control_plane: LiveControlPlane) -> LiveControlPlane:
    candidates = [
        Candidate(method, host, endpoint, origins, requests, score, 3, now(), now(), ("/x",))
        for method, host, endpoint, origins, requests, score in FOUND
    ]
    with control_plane.plane.database.write() as session:
        record_candidates(session, session.get_one(Zone, control_plane.zone_id), candidates, Window(now(), now()))
    return control_plane


@pytest.fixture
def client(live: LiveControlPlane) -> Iterator[httpx.Client]:
    with live.client() as client:
        client.base_url = httpx.URL(f"{live.base_url}/hauberk/v1/zones/{live.zone_id}/discovery/")
        yield client


def ident(live: LiveControlPlane, index: int) -> str:
    method, host, endpoint, *_ = FOUND[index]
    return OperationKey(method, host, endpoint).operation_id(live.zone_id)


def states(client: httpx.Client) -> dict[str, str]:
    return {row["endpoint"]: row["state"] for row in client.get("candidates").json()["result"]}


def saved(live: LiveControlPlane, client: httpx.Client) -> list[str]:
    return sorted(row["endpoint"] for row in client.get(f"{live.zone}/api_gateway/operations").json()["result"])


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, [2, 1, 0, 3, 4]),
        ({"least_score": 0.7}, [2, 1, 0]),
        ({"least_score": 0.5, "most_score": 0.9}, [2, 1]),
        ({"most_score": 0.1}, [3]),
        ({"order": "score"}, [3, 2, 1, 0, 4]),
        ({"order": "score", "direction": "desc"}, [0, 1, 2, 3, 4]),
        ({"order": "requests", "direction": "desc"}, [2, 3, 0, 1, 4]),
        ({"order": "found_at"}, [2, 1, 0, 3, 4]),
        ({"prefix": "/users"}, [1, 0]),
        ({"prefix": "/static/a_"}, [3]),
        ({"prefix": "users"}, []),
        ({"endpoint": "USERS", "method": "get"}, [0]),
        ({"host": "WWW.example.com"}, [3, 4]),
        ({"origin": "SessionIdentifier"}, [0, 3, 4]),
        ({"state": "ignored"}, []),
        ({"per_page": 2, "page": 2}, [0, 3]),
    ],
)
def test_lists_are_filtered_ordered_and_paged(
    live: LiveControlPlane, client: httpx.Client, query: dict[str, Any], wanted: list[int]
) -> None:
    rows = client.get("candidates", params=query).json()["result"]
    assert [row["id"] for row in rows] == [ident(live, index) for index in wanted]
    counts = {name: value for name, value in query.items() if name not in {"order", "direction", "page", "per_page", "state"}}
    if not {"page", "state"} & set(query):
        summary = client.get("summary", params=counts).json()["result"]
        assert summary["states"] == {"review": len(wanted), "saved": 0, "ignored": 0}


@pytest.mark.parametrize("query", ["order=traffic", "least_score=2", "most_score=x", "state=new", "prefix=%00", "origin=Guess"])
def test_bad_queries_are_refused(client: httpx.Client, query: str) -> None:
    assert client.get(f"candidates?{query}").status_code == 400


def test_one_call_tells_what_a_page_needs(client: httpx.Client) -> None:
    summary = client.get("summary").json()["result"]
    assert summary["hosts"] == [{"host": HOST_NAME, "candidates": 3}, {"host": "www.example.com", "candidates": 2}]
    assert summary["methods"] == ["GET", "POST"]
    assert summary["thresholds"] == {"window_days": 10, "min_requests": 500, "min_score": pytest.approx(0.6)}
    assert (summary["below"], summary["refresh"]["state"]) == (None, "idle")


def test_many_are_moved_by_filter_and_moved_back(live: LiveControlPlane, client: httpx.Client) -> None:
    ignored = client.post("changes", json={"to": "ignored", "filters": {"prefix": "/static/", "state": "review"}}).json()["result"]
    assert (ignored["count"], ignored["skipped"]) == (2, 0)
    change = client.post("changes", json={"to": "saved", "filters": {"state": "review"}}).json()["result"]
    assert change["count"] == 3
    assert saved(live, client) == ["/login", "/users", "/users/{var1}"]
    assert states(client) == {
        "/login": "saved",
        "/users": "saved",
        "/users/{var1}": "saved",
        "/static/a_1": "ignored",
        "/static/ax1": "ignored",
    }
    # One was moved by itself since, so it is nobody else's to move back.
    client.delete(f"{live.zone}/api_gateway/operations/{ident(live, 1)}")
    client.patch(f"{live.zone}/api_gateway/discovery/operations/{ident(live, 3)}", json={"state": "review"})
    assert client.delete(f"changes/{change['id']}").json()["result"]["count"] == 2
    assert saved(live, client) == []
    assert client.delete(f"changes/{ignored['id']}").json()["result"]["count"] == 1
    assert set(states(client).values()) == {"review"}
    assert client.delete(f"changes/{ignored['id']}").status_code == 404


def test_operations_that_somebody_works_with_stay_saved(live: LiveControlPlane, client: httpx.Client) -> None:
    change = client.post("changes", json={"to": "saved", "filters": {}}).json()["result"]
    setting = f"{live.zone}/schema_validation/settings/operations/{ident(live, 0)}"
    client.put(setting, json={"mitigation_action": "log"}).raise_for_status()
    back = client.delete(f"changes/{change['id']}").json()
    assert (back["result"]["count"], back["result"]["kept"]) == (4, 1)
    assert [message["code"] for message in back["messages"]] == [330]
    assert saved(live, client) == ["/users/{var1}"]
    client.put(setting, json={"mitigation_action": None}).raise_for_status()
    assert client.delete(f"changes/{change['id']}").json()["result"] == {"id": change["id"], "count": 1, "kept": 0}
    assert saved(live, client) == []


def test_those_named_are_moved_and_others_are_told_of(live: LiveControlPlane, client: httpx.Client) -> None:
    ids = [ident(live, 0).upper(), ident(live, 1), "gone", "nul\0"]
    told = client.post("changes", json={"to": "ignored", "ids": ids}).json()["result"]
    assert (told["count"], told["skipped"]) == (2, 2)
    again = client.post("changes", json={"to": "ignored", "ids": ids[:2]}).json()["result"]
    assert (again["count"], again["skipped"]) == (0, 2)
    from_ignored = client.post("changes", json={"to": "saved", "ids": ids[:1]}).json()["result"]
    assert saved(live, client) == ["/users/{var1}"]
    assert client.delete(f"changes/{from_ignored['id']}").json()["result"]["count"] == 1
    assert states(client)["/users/{var1}"] == "ignored", "what it was before it was saved"


@pytest.mark.parametrize(
    "body",
    [
        {"to": "ignored"},
        {"to": "gone", "ids": ["x"]},
        {"to": "ignored", "ids": []},
        {"to": "ignored", "ids": ["x"], "filters": {}},
        {"to": "ignored", "filters": {"state": "saved"}},
        {"to": "ignored", "filters": {"prefiks": "/"}},
    ],
)
def test_bad_changes_are_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    assert client.post("changes", json=body).status_code == 400
    assert set(states(client).values()) == {"review"}


def test_a_reader_changes_nothing(live: LiveControlPlane, client: httpx.Client) -> None:
    made = client.post(f"{live.base_url}/hauberk/v1/tokens", json={"name": "r", "scope": "read"}).json()["result"]
    client.headers["Authorization"] = f"Bearer {made['token']}"
    assert client.get("candidates").status_code == client.get("summary").status_code == 200
    assert client.post("changes", json={"to": "ignored", "filters": {}}).status_code == 403
    assert client.delete("changes/x").status_code == client.delete("refresh").status_code == 403


def test_ten_thousand_are_saved_and_unsaved_at_once(live: LiveControlPlane, client: httpx.Client) -> None:
    many = [Candidate("GET", HOST_NAME, f"/many/{number}/x", ("ML",), number, 0.9, 1, None, None, ()) for number in range(10_000)]
    with live.plane.database.write() as session:
        record_candidates(session, session.get_one(Zone, live.zone_id), many, Window(now(), now()))
    assert client.get("candidates", params={"order": "requests", "direction": "desc"}).json()["result_info"]["total_count"] == 10_000
    change = client.post("changes", json={"to": "saved", "filters": {"prefix": "/many/"}}, timeout=120).json()["result"]
    assert change["count"] == 10_000
    assert client.get("summary").json()["result"]["states"]["saved"] == 10_000
    assert client.delete(f"changes/{change['id']}", timeout=120).json()["result"]["count"] == 10_000
    assert client.get("summary").json()["result"]["states"] == {"review": 10_000, "saved": 0, "ignored": 0}


def traffic() -> Iterator[bytes]:
    headers = [["Accept", "application/json"], ["Authorization", "Bearer s3cr3t"], ["User-Agent", "curl/8"]]
    answer = [["Content-Type", "application/json"]]
    record = {"method": "GET", "host": HOST_NAME, "status": 200, "request_headers": headers, "response_headers": answer}
    record |= {"response_content_type": "application/json", "response_body_size": 80, "time": now().isoformat()}
    for number in range(60):
        for path in (f"/v1/users/{number * 7919}", "/v1/login", "/v1/search"):
            yield json.dumps(record | {"url": f"https://{HOST_NAME}{path}"}).encode() + b"\n"


@pytest.fixture
def looked(state_dir: Any) -> Iterator[tuple[LiveControlPlane, httpx.Client]]:
    with serve_control_plane(state_dir, discovery={"min_requests": 50}) as live, live.client() as client:
        client.base_url = httpx.URL(f"{live.base_url}/hauberk/v1/zones/{live.zone_id}/discovery/")
        import_id, file = live.plane.imports.new_file()
        file.write_bytes(b"".join(traffic()))
        live.plane.imports.submit(import_id, Sent(live.zone_id, "x"))
        eventually(lambda: client.get(f"../traffic/imports/{import_id}").json()["result"]["state"] == "done")
        live.plane.inventory.refresh(live.zone_id)
        yield live, client


def test_from_a_capture_to_reasons_and_rules(looked: tuple[LiveControlPlane, httpx.Client]) -> None:
    _, client = looked
    rows = {row["endpoint"]: row for row in client.get("candidates").json()["result"]}
    assert set(rows) == {"/v1/users/{var1}", "/v1/login", "/v1/search"}
    users = rows["/v1/users/{var1}"]
    assert sum(users["traffic"]["requests"]) == 60
    assert client.get(f"candidates/{users['id']}").json()["result"] == users
    told = client.get(f"candidates/{users['id']}/score").json()["result"]
    assert told["requests"] == 60
    assert told["score"] == pytest.approx(users["score"], abs=0.02)
    assert told["min_score"] == pytest.approx(0.6)
    assert "s3cr3t" not in json.dumps([rows, told])
    assert client.get("candidates/none").status_code == client.get("candidates/none/score").status_code == 404

    merge = {"kind": "merge", "host": HOST_NAME, "method": "GET", "endpoints": ["/v1/login", "/v1/search"]}
    preview = client.post("templates/preview", json=merge).json()["result"]
    assert [one["endpoint"] for one in preview["gone"]["operations"]] == ["/v1/login", "/v1/search"]
    assert [(one["endpoint"], one["requests"]) for one in preview["new"]["operations"]] == [("/v1/{var1}", 120)]
    assert preview["saved"] == []
    assert client.get("templates").json()["result"] == [], "a preview adds nothing"
    split = {"kind": "split", "host": HOST_NAME, "endpoint": "/v1/users/{var1}", "segment": 2}
    preview = client.post("templates/preview", json=split).json()["result"]
    assert [one["endpoint"] for one in preview["gone"]["operations"]] == ["/v1/users/{var1}"]
    assert preview["new"]["count"] == 60
    rename = {"kind": "rename", "host": HOST_NAME, "endpoint": "/v1/users/{var1}", "to": "/v1/users/{a}"}
    assert client.post("templates/preview", json=rename).status_code == 400
