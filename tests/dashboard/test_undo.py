"""Two people at once: what one of them has changed since, the other's Undo leaves as it is, and says so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from dashboard.conftest import HOST_NAME, Site, csrf_of

RULES = "rulesets/phases/http_request_firewall_custom/entrypoint"


class Colleagues:
    """One who uses pages, and one who uses REST."""

    def __init__(self, site: Site, client: httpx.Client) -> None:
        self.site, self.client = site, client

    def change(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form of a page, and give the page that tells of the change."""
        answer = self.client.post(self.site.page(path), data={"csrf": csrf_of(self.client.get("/account")), **fields})
        assert answer.status_code == 200, answer.text
        return answer

    def undo(self, told: httpx.Response) -> str:
        found = re.search(r'action="(/undo/[^"]+)"', told.text)
        assert found is not None, "nothing can be taken back"
        return self.client.post(found[1], data={"csrf": csrf_of(told)}).text

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        """Change or read something over REST, as somebody else."""
        return self.site.rest.request(method, path, json=body).raise_for_status().json()["result"]

    def operation(self, endpoint: str, action: str | None = None) -> str:
        saved = {"method": "GET", "host": HOST_NAME, "endpoint": endpoint, "mitigation_action": action}
        return str(self.rest("POST", self.site.own("endpoints"), {"operations": [saved]})[0]["operation_id"])

    def action(self, operation_id: str) -> Any:
        return self.rest("GET", self.site.own(f"endpoints/{operation_id}"))["action"]["own"]


@pytest.fixture
def colleagues(site: Site) -> Iterator[Colleagues]:
    with site.signed_in(site.new_token("edit")) as client:
        yield Colleagues(site, client)


def default_action(both: Colleagues) -> tuple[httpx.Response, str, str, Any]:
    told = both.change("schemas/default-action", action="log")
    settings = both.site.v4("schema_validation/settings")
    return told, "PATCH", settings, {"validation_default_mitigation_action": "block"}


def upstreams(both: Colleagues) -> tuple[httpx.Response, str, str, Any]:
    both.rest("POST", both.site.own("hosts"), {"name": "a.example.com", "upstreams": ["http://127.0.0.1:9"]})
    told = both.change("settings/hosts/a.example.com", upstreams="http://127.0.0.1:8")
    return told, "PUT", both.site.own("hosts/a.example.com"), {"upstreams": ["http://127.0.0.1:7"]}


def new_host(both: Colleagues) -> tuple[httpx.Response, str, str, Any]:
    told = both.change("settings/hosts", name="b.example.com", upstreams="http://127.0.0.1:9")
    return told, "PUT", both.site.own("hosts/b.example.com"), {"upstreams": ["http://127.0.0.1:7"]}


def session_identifiers(both: Colleagues) -> tuple[httpx.Response, str, str, Any]:
    told = both.change("settings/sessions", type="header", name="x-mine", do="set")
    identifiers = {"auth_id_characteristics": [{"type": "header", "name": "x-theirs"}]}
    return told, "PUT", both.site.v4("api_gateway/configuration"), identifiers


def fallthrough(both: Colleagues) -> tuple[httpx.Response, str, str, Any]:
    told = both.change("rules/fallthrough", host=HOST_NAME, action="log")
    return told, "PUT", both.site.own("fallthrough"), {"hosts": {HOST_NAME: "block"}}


def mutual_tls(both: Colleagues) -> tuple[httpx.Response, str, str, Any]:
    told = both.change("certificates/require", host=HOST_NAME, action="log")
    return told, "PUT", both.site.own("mutual-tls"), {"hosts": {HOST_NAME: {"rule": None}}}


@pytest.mark.parametrize("change", [default_action, upstreams, new_host, session_identifiers, fallthrough, mutual_tls])
def test_what_somebody_has_changed_since_stays(
    colleagues: Colleagues, change: Callable[[Colleagues], tuple[httpx.Response, str, str, Any]]
) -> None:
    told, method, path, body = change(colleagues)
    colleagues.rest(method, path, body)
    theirs = colleagues.rest("GET", path)
    assert "Not taken back: it was changed since" in colleagues.undo(told)
    assert colleagues.rest("GET", path) == theirs


def test_settings_that_somebody_has_tuned_further_stay(colleagues: Colleagues) -> None:
    told = colleagues.change("settings/tuning", **{"traffic.keep_days": "14"})
    colleagues.rest("PATCH", "/hauberk/v1/settings", {"events.keep_days": 5})
    assert "Taken back" in colleagues.undo(told), "that was another one"
    told = colleagues.change("settings/tuning", **{"traffic.keep_days": "14"})
    colleagues.rest("PATCH", "/hauberk/v1/settings", {"traffic.keep_days": 21})
    assert "Not taken back" in colleagues.undo(told)
    assert {one["key"]: one["value"] for one in colleagues.rest("GET", "/hauberk/v1/settings")}["traffic.keep_days"] == 21


def test_a_host_that_somebody_has_taken_out_is_not_missed(colleagues: Colleagues) -> None:
    told = colleagues.change("settings/hosts", name="c.example.com", upstreams="http://127.0.0.1:9")
    colleagues.rest("DELETE", colleagues.site.own("hosts/c.example.com"))
    assert "Not taken back: it was changed since" in colleagues.undo(told)


def test_actions_that_somebody_has_set_since_stay(colleagues: Colleagues) -> None:
    ids = [colleagues.operation(f"/actions/{number}", "log") for number in range(3)]
    told = colleagues.change("endpoints/actions", id=ids, action="block")
    colleagues.operation("/actions/1", "none")
    assert "Not taken back: an operation was changed since" in colleagues.undo(told)
    assert [colleagues.action(id_) for id_ in ids] == ["block", "none", "block"]


def test_an_endpoint_that_somebody_has_given_an_action_is_not_deleted(colleagues: Colleagues) -> None:
    told = colleagues.change("endpoints/add", method="GET", host=HOST_NAME, endpoint="/added")
    id_ = colleagues.operation("/added", "log")
    assert "Not taken back: an operation was changed since" in colleagues.undo(told)
    assert colleagues.action(id_) == "log"
    assert "/undo/" not in colleagues.change("endpoints/add", method="GET", host=HOST_NAME, endpoint="/added").text


def test_an_endpoint_that_somebody_has_saved_again_keeps_its_action(colleagues: Colleagues) -> None:
    ids = [colleagues.operation(f"/deleted/{number}", "log") for number in range(2)]
    told = colleagues.change("endpoints/delete", id=ids)
    colleagues.operation("/deleted/0", "block")
    assert "Taken back" in colleagues.undo(told)
    assert [colleagues.action(id_) for id_ in ids] == ["block", "log"]


def test_an_upload_is_not_taken_back_from_under_somebody(colleagues: Colleagues) -> None:
    there = colleagues.operation("/uploaded/0", "none")
    paths = {f"/uploaded/{number}": {"get": {"responses": {"200": {"description": "ok"}}}} for number in range(2)}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "servers": [{"url": f"https://{HOST_NAME}"}], "paths": paths}
    fields = {"source": json.dumps(document), "name": "mine", "enabled": "1", "save": "1", f"action of {HOST_NAME}": "log"}
    told = colleagues.change("schemas/new", **fields)
    new = colleagues.operation("/uploaded/1", "block")
    # The operation that was saved before has its action back; the new one has been worked with, so it stays, and so does the schema.
    assert "Taken back in part: an operation was changed since" in colleagues.undo(told)
    assert (colleagues.action(there), colleagues.action(new)) == ("none", "block")
    assert "mine" in {one["name"] for one in colleagues.rest("GET", colleagues.site.own("schemas"))}
