"""Endpoints as people see them: the table with its filters and bulk changes, and the page of one with its schemas and versions."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from dashboard.conftest import HOST_NAME, Site, Visit, csrf_of
from dashboard.reported import bring_events
from hauberk.learning.drift import Departure
from hauberk.operation import OperationKey
from hauberk.storage.alerts import Refreshed, raise_alerts
from hauberk.storage.models import Operation, now
from hauberk.storage.operation_metrics import Counted, hour_of, store_metrics
from learning_fakes import FakeStatistics, Recorder

XSS = "<script>alert(1)<!--"  # neither a slash, which would begin another step, nor the sign between name and value
SHOWN_XSS = "&lt;script&gt;alert(1)&lt;!--"


class Endpoints:
    """A control plane that learns from what a test records, and someone signed in to its pages."""

    made = 0

    def __init__(self, site: Site, client: httpx.Client) -> None:
        self.site, self.client = site, client
        Endpoints.made += 1  # what the tests before recorded is of another path
        self.users = f"/users{Endpoints.made}"
        self.learning = site.plane.learning
        self.learning.parts = FakeStatistics().parts()
        self.learning.settings = self.learning.settings.model_copy(update={"min_requests": 10})
        self.recorder = Recorder(site.plane.settings.state_dir / f"traffic-{uuid.uuid4().hex}")
        self.recorder.store = site.plane.traffic
        with site.plane.database.write() as session:
            for row in session.query(Operation):
                session.delete(row)

    def save(self, *endpoints: str, method: str = "GET", host: str = HOST_NAME, action: str | None = None) -> list[str]:
        operations = [{"method": method, "host": host, "endpoint": one, "mitigation_action": action} for one in endpoints]
        answer = self.site.rest.post(self.site.own("endpoints"), json={"operations": operations}).raise_for_status()
        return [row["operation_id"] for row in answer.json()["result"]]

    def count(self, operation_id: str, requests: int, errors: int = 0, latency: str = "200:5") -> None:
        hour = hour_of(now())
        counted = [Counted(operation_id, hour - timedelta(hours=ago), requests, errors, 0, now(), latency) for ago in (0, 1)]
        with self.site.plane.database.write() as session:
            store_metrics(session, uuid.uuid4().hex, counted)

    def learn(self, query: str) -> str:
        """Learn a version of the operation `users` whose requests have these parameters; give its id."""
        self.recorder.record(20, url=f"{self.users}/1?{query}")
        self.learning.request(self.site.zone_id)
        self.learning.run(self.site.zone_id)
        return self.key.operation_id(self.site.zone_id)

    @property
    def key(self) -> OperationKey:
        return OperationKey("GET", HOST_NAME, f"{self.users}/{{var1}}")

    def upload(self, name: str, operation: dict[str, Any], **components: Any) -> str:
        variable = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        source = {
            "openapi": "3.0.3",
            "info": {"title": name, "version": "1"},
            "servers": [{"url": f"https://{HOST_NAME}"}],
            "paths": {
                f"{self.users}/{{id}}": {"parameters": [variable], "get": {"responses": {"200": {"description": "ok"}}, **operation}}
            },
            "components": {"schemas": components},
        }
        body = {"kind": "openapi_v3", "name": name, "source": json.dumps(source), "validation_enabled": True}
        answer = self.site.rest.post(self.site.v4("schema_validation/schemas"), json=body).raise_for_status()
        return str(answer.json()["result"]["schema_id"])

    def get(self, path: str, status: int = 200, **query: Any) -> str:
        answer = self.client.get(self.site.page(path), params=query)
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, path: str, status: int = 200, form: str = "endpoints", **fields: Any) -> str:
        token = csrf_of(self.client.get(self.site.page(form)))
        answer = self.client.post(self.site.page(path), data={"csrf": token, **fields})
        assert answer.status_code == status, answer.text
        return answer.text

    def undo(self, told: str) -> str:
        """Press the button of a notice."""
        found = re.search(r'action="(/undo/[^"]+)"', told)
        assert found is not None, "nothing can be taken back"
        token = re.search(r'name="csrf" value="([^"]+)"', told)
        assert token is not None
        answer = self.client.post(found[1], data={"csrf": token[1]})
        assert answer.status_code == 200
        return answer.text

    def actions(self) -> dict[str, str | None]:
        rows = self.site.rest.get(self.site.own("endpoints")).json()["result"]
        return {row["endpoint"]: row["action"]["own"] for row in rows}

    def in_force(self) -> int | None:
        users = self.key.operation_id(self.site.zone_id)
        version: int | None = self.site.rest.get(self.site.own(f"learning/operations/{users}")).json()["result"]["applied_version"]
        return version


@pytest.fixture
def endpoints(site: Site) -> Iterator[Endpoints]:
    with site.signed_in() as client:
        yield Endpoints(site, client)


def paths(text: str) -> list[str]:
    """List the endpoints of the table, in its order."""
    rows = re.findall(r'<code class="path">(.*?)</code>', text)
    return [re.sub(r"<[^>]*>", "", row) for row in rows]


def test_an_empty_table_teaches_the_next_step(endpoints: Endpoints) -> None:
    text = endpoints.get("endpoints")
    assert "No endpoint is saved yet" in text
    assert "hauberk operation save" in text


def test_the_table_is_filtered_and_ordered_by_its_address(endpoints: Endpoints) -> None:
    quiet, busy = endpoints.save("/quiet", "/busy")
    endpoints.save("/pets", method="POST", host="shop.example.com", action="block")
    endpoints.count(busy, 900, 90)
    endpoints.count(quiet, 10, 0, latency="400:5")
    assert paths(endpoints.get("endpoints")) == ["/busy", "/quiet", "/pets"]
    assert paths(endpoints.get("endpoints", order="p95", direction="desc")) == ["/quiet", "/busy", "/pets"]
    assert paths(endpoints.get("endpoints", order="p95", direction="desc", window="week")) == ["/quiet", "/busy", "/pets"]
    assert paths(endpoints.get("endpoints", order="endpoint", per_page="2", page="2")) == ["/quiet"]
    assert paths(endpoints.get("endpoints", host="shop.example.com")) == ["/pets"]
    assert paths(endpoints.get("endpoints", search="post shop")) == ["/pets"]
    assert paths(endpoints.get("endpoints", action="block")) == ["/pets"]
    text = endpoints.get("endpoints", method="GET", window="week")
    assert paths(text) == ["/busy", "/quiet"]
    assert ">POST (1)<" in text
    assert ">shop.example.com (0)<" not in text
    assert "1\u202f800" in text
    assert "10 %" in text
    assert "No endpoint matches" in endpoints.get("endpoints", search="nothing like it")
    assert "beyond the last" in endpoints.get("endpoints", page="9")


@pytest.mark.parametrize("query", [{"order": "nonsense"}, {"state": "nonsense"}, {"direction": "up"}, {"search": "\0"}])
def test_an_address_that_makes_no_sense_is_told(endpoints: Endpoints, query: dict[str, str]) -> None:
    assert 'role="alert"' in endpoints.get("endpoints", 400, **query)


def test_actions_of_a_selection_and_of_all_that_match(endpoints: Endpoints) -> None:
    first, *_ = endpoints.save("/a", "/b", "/c")
    endpoints.save("/d", action="log")
    told = endpoints.post("endpoints/actions", id=[first], action="block")
    assert "1 operation set to block." in told
    assert endpoints.actions() == {"/a": "block", "/b": None, "/c": None, "/d": "log"}
    told = endpoints.post("endpoints/actions?action=none", everything="block")
    assert "2 operations set to block." in told
    assert endpoints.actions() == {"/a": "block", "/b": "block", "/c": "block", "/d": "log"}
    assert "Taken back" in endpoints.undo(told)
    assert endpoints.actions() == {"/a": "block", "/b": None, "/c": None, "/d": "log"}
    endpoints.post("endpoints/actions", everything="default")
    assert set(endpoints.actions().values()) == {None}
    assert "Nothing was selected" in endpoints.post("endpoints/actions", action="log")
    assert "Nothing was selected" in endpoints.post("endpoints/delete")


def test_deleted_endpoints_are_saved_again_with_their_actions(endpoints: Endpoints) -> None:
    endpoints.save("/a", "/b")
    endpoints.save("/c", action="block")
    told = endpoints.post("endpoints/delete?search=/", everything="delete")
    assert "3 operations deleted." in told
    assert endpoints.actions() == {}
    endpoints.undo(told)
    assert endpoints.actions() == {"/a": None, "/b": None, "/c": "block"}
    [one] = endpoints.save("/c")
    told = endpoints.post(f"endpoints/{one}/delete")
    assert endpoints.actions() == {"/a": None, "/b": None}
    endpoints.undo(told)
    assert set(endpoints.actions()) == {"/a", "/b", "/c"}


def test_an_endpoint_is_added_by_hand(endpoints: Endpoints) -> None:
    form = endpoints.get("endpoints/add", host="api.example.com")
    assert 'value="api.example.com"' in form
    refused = endpoints.post("endpoints/add", 400, method="GET", host="not a host", endpoint="/x/{id}")
    assert 'role="alert"' in refused
    assert 'value="/x/{id}"' in refused
    told = endpoints.post("endpoints/add", method="GET", host=HOST_NAME, endpoint="/x/{id}")
    assert "/x/{var1}" in paths(told)
    assert "Saved GET api.example.com/x/{var1}." in told
    endpoints.undo(told)
    assert endpoints.actions() == {}
    told = endpoints.post("endpoints/add", method="GET", host="elsewhere.test", endpoint="/x")
    assert "is not in the zone" in told


def test_a_host_is_exported(endpoints: Endpoints) -> None:
    endpoints.save("/a/{id}")
    answer = endpoints.client.get(endpoints.site.page("endpoints/openapi.json"), params={"host": HOST_NAME})
    assert list(answer.json()["paths"]) == ["/a/{var1}"]
    assert answer.headers["content-disposition"] == 'attachment; filename="api.example.com.openapi.json"'
    assert "nothing to export" in endpoints.get("endpoints/openapi.json", host="unknown.test")


def test_a_viewer_sees_no_buttons_and_changes_nothing(endpoints: Endpoints) -> None:
    [one] = endpoints.save("/a")
    with endpoints.site.signed_in(endpoints.site.new_token("read")) as viewer:
        for path in ("endpoints", f"endpoints/{one}", f"endpoints/{one}/learning"):
            text = viewer.get(endpoints.site.page(path)).text
            assert "/delete" not in text
            assert "/add" not in text
            token = csrf_of(viewer.get(endpoints.site.page("endpoints")))
        for path in ("endpoints/actions", "endpoints/delete", f"endpoints/{one}/action", f"endpoints/{one}/relearn", "endpoints/add"):
            fields = {"csrf": token, "action": "block", "everything": "block", "method": "GET", "host": HOST_NAME, "endpoint": "/b"}
            assert viewer.post(endpoints.site.page(path), data=fields).status_code == 403
    assert endpoints.actions() == {"/a": None}


def test_an_endpoint_that_was_deleted_leads_back(endpoints: Endpoints) -> None:
    [one] = endpoints.save("/a")
    endpoints.post(f"endpoints/{one}/delete")
    for view in ("", "/schema", "/difference", "/learning"):
        assert "To all endpoints" in endpoints.get(f"endpoints/{one}{view}", 404)
    endpoints.post(f"endpoints/{one}/action", 404, action="block")


def test_the_action_is_told_with_its_effect(endpoints: Endpoints) -> None:
    [one] = endpoints.save(f"{endpoints.users}/{{id}}")
    assert "No schema is in force" in endpoints.get(f"endpoints/{one}")
    endpoints.learn("page=1")
    assert "put it in force" in endpoints.get(f"endpoints/{one}")
    endpoints.post(f"endpoints/{one}/apply", version="1")
    told = endpoints.post(f"endpoints/{one}/action", action="block")
    assert "Requests that break the schema are refused." in told
    assert "refused with 403" in told
    assert f"schemas/trial?operation_id={one}" in told
    assert 'value="block" aria-pressed="true"' in told
    assert 'value="log" aria-pressed="true"' in endpoints.undo(told)
    assert "The zone&#39;s default holds" in endpoints.post(f"endpoints/{one}/action", action="")


def test_the_last_events_are_told(endpoints: Endpoints) -> None:
    [one] = endpoints.save("/a")
    assert "was blocked or logged" in endpoints.get(f"endpoints/{one}")
    violation = {"location": "query", "target": XSS, "error_class": "invalid_type", "error_detail": "expected:integer", "rule": ".x"}
    source = "apiShieldSchemaValidation"
    bring_events(endpoints.site, {"operation_id": one, "source": source, "violation": violation}, {"operation_id": one})
    text = endpoints.get(f"endpoints/{one}")
    assert SHOWN_XSS in text
    assert XSS not in text
    assert f"events?operation_id={one}" in text
    assert "All 2 events" in text


def test_open_alerts_are_told(endpoints: Endpoints) -> None:
    [one] = endpoints.save(f"{endpoints.users}/{{id}}")
    endpoints.learn("page=1")
    endpoints.post(f"endpoints/{one}/apply", version="1")
    departures = [Departure("new_parameter", f"query/{XSS}{number}", "closed", 9, 3, False, "is new") for number in range(7)]
    with endpoints.site.plane.database.write() as session:
        raise_alerts(session, session.get_one(Operation, one), departures, Refreshed(1, 1))
    text = endpoints.get(f"endpoints/{one}")
    assert text.count("is new") == 5
    assert "2 more" in text
    assert XSS not in text
    assert paths(endpoints.get("endpoints", state="drift")) == [endpoints.key.endpoint]


def test_versions_are_applied_rolled_back_and_withdrawn_and_each_is_taken_back(endpoints: Endpoints) -> None:
    [one] = endpoints.save(f"{endpoints.users}/{{id}}")
    endpoints.learn("page=1")
    endpoints.learn("sort=up")
    told = endpoints.post(f"endpoints/{one}/apply", version="1")
    assert "Version 1 is in force." in told
    assert endpoints.actions() == {endpoints.key.endpoint: "log"}
    endpoints.undo(told)
    assert (endpoints.in_force(), endpoints.actions()) == (None, {endpoints.key.endpoint: None})
    endpoints.post(f"endpoints/{one}/apply", version="1")
    told = endpoints.post(f"endpoints/{one}/apply", version="2")
    endpoints.undo(told)
    assert endpoints.in_force() == 1
    endpoints.post(f"endpoints/{one}/apply", version="2")
    told = endpoints.post(f"endpoints/{one}/rollback", version="1")
    assert "Newer versions are not put in force by themselves" in told
    assert endpoints.in_force() == 1
    endpoints.undo(told)
    assert endpoints.in_force() == 2
    told = endpoints.post(f"endpoints/{one}/withdraw")
    assert endpoints.in_force() is None
    endpoints.undo(told)
    assert endpoints.in_force() == 2
    endpoints.post(f"endpoints/{one}/apply", 404, version="99")
    endpoints.post(f"endpoints/{one}/apply", 400, version="x")


def test_learning_is_begun_anew_and_applied_by_itself(endpoints: Endpoints) -> None:
    [one] = endpoints.save(f"{endpoints.users}/{{id}}")
    endpoints.learn("page=1")
    told = endpoints.post(f"endpoints/{one}/auto-apply", host=HOST_NAME, auto_apply="true")
    assert "1 that were at hand are in force" in told
    assert endpoints.in_force() == 1
    told = endpoints.post(f"endpoints/{one}/auto-apply", host=HOST_NAME, auto_apply="false")
    assert "by you alone" in told
    assert "forgotten" in endpoints.post(f"endpoints/{one}/relearn")
    assert endpoints.in_force() == 1


def test_a_relaxed_rule_is_taken_back(endpoints: Endpoints) -> None:
    [one] = endpoints.save(f"{endpoints.users}/{{id}}")
    endpoints.learn("page=1")
    path = endpoints.site.own(f"learning/operations/{one}/relaxed")
    endpoints.site.rest.post(path, json={"rules": ["query/page type"]}).raise_for_status()
    assert "query/page type" in endpoints.get(f"endpoints/{one}/learning")
    told = endpoints.post(f"endpoints/{one}/restore-rule", rule="query/page type")
    assert "learns the rule again" in told
    assert "<code>query/page type</code>" not in told


def test_schemas_stand_side_by_side(endpoints: Endpoints) -> None:
    [one] = endpoints.save(f"{endpoints.users}/{{id}}")
    for view in ("schema", "difference"):
        assert "Upload a schema" in endpoints.get(f"endpoints/{one}/{view}")
    endpoints.learn("page=1")
    endpoints.post(f"endpoints/{one}/apply", version="1")
    assert "All lines are equal" in endpoints.get(f"endpoints/{one}/difference")
    endpoints.learn("sort=up")
    text = endpoints.get(f"endpoints/{one}/difference")
    assert "Running → newest learned" in text
    assert "parameter added" in text
    assert "<ins>    name: &#34;sort&#34;</ins>" in text
    schema_id = endpoints.upload("users", {"parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}]})
    text = endpoints.get(f"endpoints/{one}/difference", before="uploaded", after="learned")
    assert "Uploaded: users" in text
    assert "<del>      type: &#34;integer&#34;</del>" in text
    text = endpoints.get(f"endpoints/{one}/schema", of="uploaded")
    assert "integer" in text
    assert "Evidence" not in text
    assert "Evidence" in endpoints.get(f"endpoints/{one}/schema")
    endpoints.site.rest.delete(endpoints.site.v4(f"schema_validation/schemas/{schema_id}")).raise_for_status()
    assert "there is nothing to compare" in endpoints.get(f"endpoints/{one}/difference", before="uploaded", after="learned")


def test_names_from_traffic_are_text(endpoints: Endpoints) -> None:
    [one] = endpoints.save(f"{endpoints.users}/{{id}}")
    endpoints.learn(f"{XSS}=1&a\u202eb=2")
    endpoints.upload(XSS, {"parameters": [{"name": XSS, "in": "query", "schema": {"enum": [XSS]}}]})
    for view in ("", "/schema", "/schema?of=uploaded", "/difference", "/difference?before=uploaded&after=learned", "/learning"):
        text = endpoints.get(f"endpoints/{one}{view}")
        assert XSS not in text
        assert "\u202e" not in text
    assert SHOWN_XSS in endpoints.get(f"endpoints/{one}/schema")
    assert "a\\u202eb" in endpoints.get(f"endpoints/{one}/difference?before=uploaded&after=learned")
    text = endpoints.get("endpoints", search=XSS)
    assert XSS not in text
    assert SHOWN_XSS in text


def test_a_large_document_and_a_long_path_are_shown(endpoints: Endpoints) -> None:
    [one] = endpoints.save(f"{endpoints.users}/{{id}}")
    endpoints.learn("page=1")
    members = {f"member{number}": {"type": "string", "description": "x" * 80, "maxLength": number} for number in range(9000)}
    body = {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Large"}}}}}
    endpoints.upload("large", body, Large={"type": "object", "properties": members})
    text = endpoints.get(f"endpoints/{one}/difference", before="uploaded", after="learned")
    assert "lines more are not shown" in text
    assert len(text) < 2_000_000
    assert "are not shown" in endpoints.get(f"endpoints/{one}/schema", of="uploaded")
    [long] = endpoints.save("/" + "x" * 4000)
    text = endpoints.get(f"endpoints/{long}")
    assert "The whole path" in text
    assert "4\u202f001 characters" in text


def test_from_the_table_to_all_blocked_and_back(visit: Visit, endpoints: Endpoints, accessible: Callable[[Page], None]) -> None:
    ids = endpoints.save("/users/{id}", "/orders", "/pets")
    for number, id_ in enumerate(ids):
        endpoints.count(id_, 10 + number, number)
    endpoints.save("/elsewhere", host="shop.example.com")
    page = visit.signed_in()
    page.goto(visit.site.page("endpoints"))
    accessible(page)
    page.get_by_label("Host").select_option("api.example.com")
    expect(page).to_have_url(re.compile("host=api.example.com"))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    page.get_by_role("link", name="Requests").click()
    expect(rows.first).to_contain_text("/pets")
    expect(page.get_by_role("button", name="Block", exact=True)).to_be_disabled()
    page.get_by_label("Select GET api.example.com/orders").check()
    expect(page.get_by_role("button", name="Block", exact=True)).to_be_enabled()
    page.get_by_role("button", name="All 3 that match…").click()
    accessible(page)
    page.get_by_role("dialog", name="Change all that match").get_by_role("button", name="Block").click()
    expect(page.get_by_role("status")).to_contain_text("3 operations set to block.")
    expect(page).to_have_url(re.compile("host=api.example.com.*order=requests"))
    assert set(endpoints.actions().values()) == {"block", None}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    assert set(endpoints.actions().values()) == {None}


def test_one_endpoint_its_difference_action_and_versions(visit: Visit, endpoints: Endpoints, accessible: Callable[[Page], None]) -> None:
    [one] = endpoints.save(f"{endpoints.users}/{{id}}")
    endpoints.count(one, 50, 5)
    endpoints.learn(f"page=1&{XSS}=1")
    endpoints.post(f"endpoints/{one}/apply", version="1")
    endpoints.learn("sort=up")
    page = visit.signed_in(color_scheme="dark")
    page.goto(visit.site.page("endpoints"))
    page.get_by_role("link", name=f"GET {endpoints.key.endpoint}").click()
    accessible(page)
    page.get_by_role("button", name="Block", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("are refused")
    expect(page.get_by_role("button", name="Block", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Parameters and body").click()
    expect(page.get_by_role("row", name=re.compile("<script>"))).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Schemas side by side").click()
    expect(page.get_by_text("query/sort parameter added")).to_be_visible()
    expect(page.locator("ins", has_text='name: "sort"')).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Learning", exact=True).click()
    accessible(page)
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_role("status")).to_contain_text("Version 2 is in force.")
    page.get_by_role("button", name="Roll back to it").click()
    expect(page.get_by_role("status")).to_contain_text("Version 1 is in force.")
    assert endpoints.in_force() == 1
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    assert endpoints.in_force() == 2
