"""What all of REST has in common: envelope, authentication, scopes, paging, limits. Bad input gets a clear answer and loses nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import LiveControlPlane


@pytest.fixture
def client(control_plane: LiveControlPlane) -> Iterator[httpx.Client]:
    with control_plane.client() as client:
        yield client


def errors(answer: httpx.Response) -> list[dict[str, Any]]:
    body = answer.json()
    assert body["success"] is False
    assert body["result"] is None
    assert body["messages"] == []
    assert all(error["code"] >= 1000 and error["message"] for error in body["errors"])
    return list(body["errors"])


def test_every_way_to_authenticate(control_plane: LiveControlPlane) -> None:
    good: list[dict[str, str]] = [
        {"Authorization": f"Bearer {control_plane.token}"},
        {"Authorization": f"bearer  {control_plane.token}"},
        {"X-Auth-Email": control_plane.email, "X-Auth-Key": control_plane.token},
    ]
    bad: list[dict[str, str]] = [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {control_plane.token}"},
        {"X-Auth-Key": control_plane.token},
        {"X-Auth-Email": "other@localhost", "X-Auth-Key": control_plane.token},
        {"X-Auth-Email": control_plane.email, "X-Auth-Key": "wrong"},
    ]
    for headers in good:
        assert httpx.get(f"{control_plane.api}/zones", headers=headers).status_code == 200
    for headers in bad:
        answer = httpx.get(f"{control_plane.api}/zones", headers=headers)
        assert answer.status_code == 401
        assert errors(answer)[0]["code"] == 10000
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert control_plane.token not in answer.text


def test_strangers_are_answered_before_their_body_is_read(control_plane: LiveControlPlane) -> None:
    for body in (b"{", b"x" * 20_000_000):
        answer = httpx.post(f"{control_plane.base_url}/hauberk/v1/zones", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 401


def test_a_service_key_and_a_good_key_beside_a_stale_token(control_plane: LiveControlPlane) -> None:
    for headers in (
        {"X-Auth-User-Service-Key": control_plane.token},
        {"Authorization": "Bearer stale", "X-Auth-Email": control_plane.email, "X-Auth-Key": control_plane.token},
    ):
        assert httpx.get(f"{control_plane.api}/zones", headers=headers).status_code == 200


def test_what_no_database_can_hold_is_told(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    gateway = {"name": "g", "version": None, "started_at": "2026-01-01T00:00:00Z"}
    answers = [
        client.post("/hauberk/v1/tokens", content=b'{"name": "\\ud800", "scope": "read"}', headers={"Content-Type": "application/json"}),
        client.get(f"{control_plane.zone}/security_events", params={"since": "0001-01-01T00:00:00+14:00"}),
        client.get(f"{control_plane.zone}/security_events", params={"until": "9999-12-31T23:59:59-14:00"}),
        client.put("/hauberk/v1/gateways/x", json=gateway | {"version": 10**23}),
        client.put("/hauberk/v1/gateways/x", json=gateway | {"started_at": "0001-01-01T00:00:00+14:00"}),
    ]
    for answer in answers:
        assert answer.status_code == 400
        assert errors(answer)


def test_scopes_reach_as_far_as_they_say(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    made = client.post("/hauberk/v1/tokens", json={"name": "reader", "scope": "read"})
    assert made.headers["cache-control"] == "no-store"
    reader = control_plane.client(made.json()["result"]["token"])
    gateway = control_plane.client(control_plane.gateway_token)
    with reader, gateway:
        assert reader.get("/client/v4/zones").status_code == 200
        assert reader.get("/hauberk/v1/status").status_code == 200
        for answer in (
            reader.post("/hauberk/v1/zones", json={"name": "example.org"}),
            reader.get("/hauberk/v1/tokens"),
            reader.get("/hauberk/v1/snapshot"),
            gateway.get("/client/v4/zones"),
            gateway.get("/hauberk/v1/tokens"),
        ):
            assert answer.status_code == 403
            assert errors(answer)[0]["code"] == 10001
        assert gateway.get("/hauberk/v1/snapshot").status_code == 200


def test_a_revoked_token_is_refused_and_its_text_is_never_told_again(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    made = client.post("/hauberk/v1/tokens", json={"name": "robot", "scope": "edit", "email": "robot@example.com"}).json()["result"]
    headers = {"X-Auth-Email": "robot@example.com", "X-Auth-Key": made["token"]}
    assert httpx.get(f"{control_plane.api}/zones", headers=headers).status_code == 200
    listed = client.get("/hauberk/v1/tokens")
    assert made["token"] not in listed.text
    assert {token["name"] for token in listed.json()["result"]} == {"admin-token", "gateway-token", "robot"}
    assert client.delete(f"/hauberk/v1/tokens/{made['id']}").json()["result"]["status"] == "revoked"
    assert httpx.get(f"{control_plane.api}/zones", headers=headers).status_code == 401


def test_the_last_token_that_may_edit_stays(client: httpx.Client) -> None:
    own = next(token for token in client.get("/hauberk/v1/tokens").json()["result"] if token["name"] == "admin-token")
    answer = client.delete(f"/hauberk/v1/tokens/{own['id']}")
    assert answer.status_code == 409
    assert "last token" in errors(answer)[0]["message"]


@pytest.mark.parametrize("path", ["/client/v4/nothing", "/client/v4/zones/x/y", "/nothing", "/client/v4"])
def test_an_unknown_route_is_told(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert errors(answer)[0]["code"] == 7000


def test_a_wrong_method_is_told(client: httpx.Client) -> None:
    answer = client.post("/client/v4/zones", json={})
    assert answer.status_code == 405
    assert "allow" in answer.headers


@pytest.mark.parametrize(
    "path", ["client_certificates", "security_events", "api_gateway/operations", "schema_validation/schemas", "rulesets"]
)
def test_an_unknown_zone_is_told(control_plane: LiveControlPlane, client: httpx.Client, path: str) -> None:
    answer = client.get(f"/client/v4/zones/{'0' * 32}/{path}")
    assert answer.status_code == 404
    assert errors(answer)[0]["code"] == 7003
    assert client.get(f"{control_plane.zone}/{path}").json()["success"] is True


@pytest.mark.parametrize("path", ["/client/v4/zones", "/client/v4/accounts"])
def test_beyond_the_last_page_is_an_empty_list(client: httpx.Client, path: str) -> None:
    first = client.get(path, params={"per_page": 5000}).json()
    assert first["result_info"] == {"page": 1, "per_page": 5000, "count": 1, "total_count": 1, "total_pages": 1}
    beyond = client.get(path, params={"page": 2}).json()
    assert beyond["result"] == []
    assert beyond["success"] is True


@pytest.mark.parametrize("params", [{"page": 0}, {"page": "x"}, {"per_page": 0}, {"per_page": 5001}, {"page": 10**30}])
def test_a_page_that_cannot_be_is_told(client: httpx.Client, params: dict[str, Any]) -> None:
    answer = client.get("/client/v4/zones", params=params)
    assert answer.status_code == 400
    assert next(iter(params)) in errors(answer)[0]["message"]


BAD_BODIES = [
    (b"", "body"),
    (b"{", "not valid JSON"),
    (b"\xff\xfe", "not valid JSON"),
    (b"[]", "dictionary"),
    (b"null", ""),
    (b'{"name": 5}', "name"),
    (b'{"name": "a\\u0000b"}', "host name"),
    (b"[" * 100_000, "not valid JSON"),
]


@pytest.mark.parametrize(("body", "told"), BAD_BODIES, ids=[repr(body[:20]) for body, _ in BAD_BODIES])
def test_a_body_that_is_no_good_is_told(client: httpx.Client, body: bytes, told: str) -> None:
    answer = client.post("/hauberk/v1/zones", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert told in errors(answer)[0]["message"]
    assert len(client.get("/client/v4/zones").json()["result"]) == 1


def test_a_hundred_megabytes_are_refused_by_their_length(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    answer = client.post(f"{control_plane.zone}/schema_validation/schemas", content=b"x" * 100_000_000)
    assert answer.status_code == 413
    assert errors(answer)[0]["code"] == 1413


def test_a_hundred_megabytes_without_a_length_are_refused_on_the_way(control_plane: LiveControlPlane, client: httpx.Client) -> None:
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1600):
            sent += 65536
            yield b" " * 65536

    try:
        answer = client.post(
            f"{control_plane.zone}/schema_validation/schemas", content=parts(), headers={"Content-Type": "application/json"}
        )
    except httpx.TransportError:  # the server may close while the rest is still being sent
        assert sent < 100_000_000
        return
    assert answer.status_code == 413


def test_health_metrics_and_the_document_need_no_token(control_plane: LiveControlPlane) -> None:
    for path in ("/healthz", "/readyz", "/openapi.json"):
        assert httpx.get(control_plane.base_url + path).status_code == 200
    metrics = httpx.get(control_plane.base_url + "/metrics").text
    assert 'hauberk_control_plane_requests_total{method="GET",route="/healthz",status="200"} 1.0' in metrics


def test_methods_that_strangers_make_up_share_one_metric(control_plane: LiveControlPlane) -> None:
    """Each would be kept for as long as the process runs."""
    for number in range(5):
        assert httpx.request(f"MADE{number}", control_plane.base_url + "/healthz").status_code == 405
    metrics = httpx.get(control_plane.base_url + "/metrics").text
    assert "MADE" not in metrics
    assert 'hauberk_control_plane_requests_total{method="other",route="/healthz",status="405"} 5.0' in metrics


@pytest.mark.parametrize("path", ["/healthz/", "/client/v4/zones/"])
def test_no_answer_leads_to_the_host_that_the_request_names(control_plane: LiveControlPlane, path: str) -> None:
    """Behind a proxy that host is the visitor's word, and the scheme is not the proxy's."""
    answer = httpx.get(control_plane.base_url + path, headers={"Host": "evil.example", "Authorization": f"Bearer {control_plane.token}"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_its_own_document_loads(control_plane: LiveControlPlane) -> None:
    from hauberk import _native  # noqa: PLC0415 - the extension is needed here alone

    report = _native.check_document(httpx.get(control_plane.base_url + "/openapi.json").content)
    assert report["ok"], report["problems"]
    assert len(report["operations"]) > 60


@pytest.mark.both_databases
@pytest.mark.parametrize("text", ["\0"])
def test_no_text_in_an_address_is_a_fault_of_ours(control_plane: LiveControlPlane, client: httpx.Client, text: str) -> None:
    """PostgreSQL takes neither the character NUL nor what is longer than its column."""
    document = client.get("/openapi.json").json()
    faults = []
    for path, methods in document["paths"].items():
        if not path.startswith(("/client/v4", "/hauberk/v1")):
            continue
        for method in sorted(methods.keys() & {"get", "delete"}):
            parameters = methods[method].get("parameters", [])
            texts = {one["name"] for one in parameters if one["in"] == "query" and "string" in str(one["schema"])}
            values = {"zone_id": control_plane.zone_id, "account_id": control_plane.account_id}
            filled = re.sub(r"\{(\w+)\}", lambda found, values=values: values.get(found[1], quote(text, safe="")), path)
            for query in [{}, *({name: text} for name in sorted(texts))]:
                status = client.request(method, filled, params=query).status_code
                if status >= 500 and "/discovery/refresh" not in path:
                    faults.append((status, method, path, *query))
    assert not faults
