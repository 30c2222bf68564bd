"""Values of an address or a form cannot make a page call another part of the REST API than the one it means."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from dashboard.conftest import ZONE_NAME, Site, csrf_of

ROOT = f"/zones/{ZONE_NAME}"


@pytest.fixture
def editor(site: Site) -> Iterator[httpx.Client]:
    with site.signed_in() as client:
        client.follow_redirects = False
        yield client


def post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return client.post(path, data={"csrf": csrf_of(client.get("/account")), **fields})


def with_a_rule(site: Site) -> str:
    rules = site.v4("rulesets/phases/http_request_firewall_custom/entrypoint")
    body = {"rules": [{"action": "log", "expression": 'http.request.uri.path eq "/a"', "description": "one"}]}
    return str(site.rest.put(rules, json=body).raise_for_status().json()["result"]["version"])


def rules_of(site: Site) -> list[str]:
    answer = site.rest.get(site.v4("rulesets/phases/http_request_firewall_custom/entrypoint"))
    return [rule["description"] for rule in answer.json()["result"]["rules"]] if answer.status_code == 200 else []


@pytest.mark.parametrize("rule", ["..", "../..", "x/../..", ".", "%2e%2e", "..?", "..#"])
def test_a_rules_id_is_not_a_way_to_all_rules(site: Site, editor: httpx.Client, rule: str) -> None:
    version = with_a_rule(site)
    answer = post(editor, f"{ROOT}/rules", do=f"delete:{rule}", version=version)
    assert 400 <= answer.status_code < 500
    assert rules_of(site) == ["one"]


def test_a_rules_id_is_not_a_way_to_something_else(site: Site, editor: httpx.Client) -> None:
    version = with_a_rule(site)
    made = site.rest.post("/hauberk/v1/tokens", json={"name": "other", "scope": "read"}).json()["result"]
    answer = post(editor, f"{ROOT}/rules", do=f"delete:../../../../../../hauberk/v1/tokens/{made['id']}", version=version)
    assert 400 <= answer.status_code < 500
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert httpx.get(f"{site.url}/client/v4/zones", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/certificates/..%3F/revoke",
        "/certificates/x%3Freactivate=1/revoke",
        "/certificates/x%23/restore",
        "/certificates/x%252F../revoke",
        "/certificates/x%0D%0Ay/revoke",
        "/certificates/x%00/restore",
        "/certificates/authorities/..%3F/delete",
        "/settings/hosts/%252e%252e/remove",
        "/discovery/imports/x%252f..%252f/cancel",
        "/endpoints/x%00/withdraw",
    ],
)
def test_parts_of_an_address_stay_parts(editor: httpx.Client, path: str) -> None:
    assert post(editor, ROOT + path).status_code == 404


def test_an_address_with_dots_that_no_browser_sends(site: Site, editor: httpx.Client) -> None:
    address = site.url.removeprefix("http://")
    csrf = csrf_of(editor.get("/account"))
    # Its client would leave the dots out, as browsers do.
    request = editor.build_request("POST", f"{ROOT}/settings/hosts/X/remove", data={"csrf": csrf})
    request.url = request.url.copy_with(raw_path=f"{ROOT}/settings/hosts/../remove".encode())
    assert request.url.netloc.decode() == address
    assert editor.send(request).status_code == 404
    assert site.rest.get(site.own("hosts")).json()["result_info"]["total_count"] == 1


@pytest.mark.parametrize("path", ["/discovery?endpoint=", "/events?path=", "/schemas/learned?endpoint=", "/certificates?search="])
def test_values_too_long_for_a_query_are_refused(editor: httpx.Client, path: str) -> None:
    assert editor.get(ROOT + path + "'" * 30_000).status_code in {200, 400, 414, 422}


def test_a_prefix_too_long_for_a_query_is_refused(editor: httpx.Client) -> None:
    assert post(editor, f"{ROOT}/discovery/prefix", prefix="/" + "x" * 100_000).status_code == 414


def test_a_rule_is_taken_back_with_its_version(site: Site, editor: httpx.Client) -> None:
    version = with_a_rule(site)
    [rule] = site.rest.get(site.v4("rulesets/phases/http_request_firewall_custom/entrypoint")).json()["result"]["rules"]
    moved = post(editor, f"{ROOT}/rules", do=f"delete:{rule['id']}", version=version)
    assert moved.status_code == 303
    assert rules_of(site) == []
    notice = httpx.URL(moved.headers["location"]).params["notice"]
    assert post(editor, f"/undo/{notice}").status_code == 303
    assert rules_of(site) == ["one"]
