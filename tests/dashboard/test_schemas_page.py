"""The pages of uploaded schemas: a look before the upload, actions, the emergency switch, and everything taken back again."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from dashboard.conftest import HOST_NAME, Site, Visit, csrf_of
from openapi_documents import temps_yaml

DOCUMENT = temps_yaml()
HOSTILE = "</textarea><script>alert(1)</script>\u202e"


@pytest.fixture(autouse=True)
def clean(site: Site) -> Iterator[None]:
    """Each test begins without schemas and operations."""
    yield
    for one in site.rest.get(site.own("schemas")).json()["result"]:
        site.rest.delete(site.v4(f"schema_validation/schemas/{one['schema_id']}")).raise_for_status()
    ids = [{"operation_id": one["operation_id"]} for one in site.rest.get(site.v4("api_gateway/operations")).json()["result"]]
    if ids:
        site.rest.request("DELETE", site.v4("api_gateway/operations"), json=ids).raise_for_status()
    settings = {"validation_default_mitigation_action": "none", "validation_override_mitigation_action": None}
    site.rest.patch(site.v4("schema_validation/settings"), json=settings).raise_for_status()


def post(client: httpx.Client, site: Site, path: str, form_at: str = "schemas", **fields: Any) -> httpx.Response:
    csrf = csrf_of(client.get(site.page(form_at)))
    answer = client.post(site.page(path), data={"csrf": csrf, **fields})
    assert answer.status_code in {200, 400}, answer.text
    return answer


def upload(client: httpx.Client, site: Site, source: str = DOCUMENT, **fields: Any) -> httpx.Response:
    return post(client, site, "schemas/new", "schemas/new", source=source, enabled="1", save="1", **fields)


def undo(client: httpx.Client, site: Site, answer: httpx.Response) -> httpx.Response:
    found = re.search(r'action="(/undo/[^"]+)"', answer.text)
    assert found is not None, "there is nothing to undo"
    return client.post(site.url + found[1], data={"csrf": csrf_of(answer)})


def enforced(site: Site) -> dict[str, tuple[bool, str | None]]:
    content = json.loads(site.plane.snapshot().data.partition(b"\n")[2])
    rows = content["zones"][0]["operations"]
    return {f"{one['method']} {one['endpoint']}": (one["schema"] is not None, one["mitigation_action"]) for one in rows}


def words(answer: httpx.Response) -> str:
    """What a reader sees."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_an_upload_is_undone_as_a_whole(site: Site) -> None:
    with site.signed_in() as client:
        existing = site.rest.post(
            site.v4("api_gateway/operations/item"), json={"method": "GET", "host": HOST_NAME, "endpoint": "/v1/temps"}
        ).json()["result"]["operation_id"]
        site.rest.put(site.v4(f"schema_validation/settings/operations/{existing}"), json={"mitigation_action": "log"}).raise_for_status()
        before = enforced(site)
        answer = upload(client, site, **{f"action of {HOST_NAME}": "block"})
        assert "Temperatures is uploaded and judges requests: 2 operations on 1 host, 1 warning below." in words(answer)
        assert "line 13, column 11" in words(answer)
        assert enforced(site) == {"GET /v1/temps": (True, "block"), "POST /v1/temps": (True, "block")}
        assert "Taken back" in words(undo(client, site, answer))
        assert enforced(site) == before == {"GET /v1/temps": (False, "log")}


def test_an_upload_that_changes_nothing_says_so(site: Site) -> None:
    with site.signed_in() as client:
        answer = upload(client, site)
        assert "Temperatures is uploaded and refuses nothing yet" in words(answer)
        assert "What breaks it passes at 2 operations" in words(answer)
        set_to_block = post(client, site, "schemas/default-action", action="block")
        assert "The zone's default action is now block." in words(set_to_block)
        assert "What breaks it refused at 2 operations" in words(client.get(str(answer.url)))


def test_a_look_proposes_log_where_the_default_does_nothing(site: Site) -> None:
    log, kept = '<option value="log" selected>', '<option value="log">'
    with site.signed_in() as client:
        look = {"form_at": "schemas/new", "source": DOCUMENT}
        assert log in post(client, site, "schemas/preview", **look).text
        # Chosen otherwise, or with something to keep, it stays as it is.
        assert kept in post(client, site, "schemas/preview", **look, **{f"action of {HOST_NAME}": ""}).text
        upload(client, site, **{f"action of {HOST_NAME}": "block"})
        assert kept in post(client, site, "schemas/preview", **look).text


def test_a_look_shows_what_would_change_and_stores_nothing(site: Site) -> None:
    with site.signed_in() as client:
        upload(client, site)
        revision = site.plane.revision()
        csrf = csrf_of(client.get(site.page("schemas/new")))
        changed = DOCUMENT.replace("maximum: 10", "maximum: 5").replace("/v1}", "/v1}, {url: https://other.test}")
        files = {"file": ("openapi.yaml", changed.encode())}
        answer = client.post(site.page("schemas/preview"), data={"csrf": csrf, "name": "x", "source": "", "save": "1"}, files=files)
        seen = words(answer)
        assert "4 operations: 2 new 2 saved already 2 with another schema in force 2 warnings" in seen
        assert "refuses more query/page maximum 10 → 5" in seen
        assert "other.test not in this zone: never enforced here" in seen
        assert "line 3 /servers" in seen
        # What was typed is kept, and a file's text can be edited where there is no script.
        assert "maximum: 5" in answer.text
        assert 'name="name" value="x"' in answer.text
        assert site.plane.revision() == revision
        assert len(site.rest.get(site.own("schemas")).json()["result"]) == 1


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("openapi: 2", "This would be refused"),
        ("openapi: 3.0.3\n  a: [", "line 2, column 4"),
        (b"\xff\xfe\x00", "the document is not UTF-8: byte 0 cannot be read"),
        ("", "there is no document"),
    ],
)
def test_what_is_refused_is_told_with_its_place(site: Site, source: str | bytes, said: str) -> None:
    with site.signed_in() as client:
        csrf = csrf_of(client.get(site.page("schemas/new")))
        data = source if isinstance(source, bytes) else source.encode()
        answer = client.post(site.page("schemas/new"), data={"csrf": csrf}, files={"file": ("x.yaml", data)})
        assert (answer.status_code, said in words(answer)) == (400, True)
        assert site.rest.get(site.own("schemas")).json()["result"] == []


def test_a_schema_is_switched_off_deleted_and_put_back(site: Site) -> None:
    with site.signed_in() as client:
        where = str(upload(client, site).url).partition("?")[0]
        path = where.removeprefix(f"{site.url}/zones/example.com/")
        off = post(client, site, f"{path}/enabled", path, enabled="0")
        assert "Temperatures is off" in words(off)
        assert not any(judged for judged, _ in enforced(site).values())
        undo(client, site, off)
        assert all(judged for judged, _ in enforced(site).values())
        source = client.get(f"{where}/source")
        assert (source.text, source.headers["content-disposition"].partition(";")[0]) == (DOCUMENT, "attachment")
        gone = post(client, site, f"{path}/delete", path)
        assert "No schema is uploaded" in words(gone)
        assert client.get(where).status_code == 404
        undo(client, site, gone)
        assert "line 13, column 11" in words(client.get(where))
        assert all(judged for judged, _ in enforced(site).values())
        rest = words(client.get(f"{where}?status=new"))
        assert "Not saved 0" in rest


def test_the_zones_actions_and_the_emergency_switch(site: Site) -> None:
    def settings() -> tuple[str, str | None]:
        told = site.rest.get(site.v4("schema_validation/settings")).json()["result"]
        return told["validation_default_mitigation_action"], told["validation_override_mitigation_action"]

    with site.signed_in() as client:
        answer = post(client, site, "schemas/default-action", action="block")
        assert settings() == ("block", None)
        undo(client, site, answer)
        assert settings() == ("none", None)
        answer = post(client, site, "schemas/override", override="none")
        assert settings() == ("none", "none")
        assert "All schema validation of example.com is off." in words(answer)
        undo(client, site, answer)
        assert settings() == ("none", None)
        wrong = client.post(site.page("schemas/default-action"), data={"csrf": csrf_of(client.get(site.page("schemas"))), "action": "drop"})
        assert wrong.status_code == 400


def test_operations_are_taken_away_as_openapi(site: Site) -> None:
    with site.signed_in() as client:
        upload(client, site)
        answer = client.get(site.page("schemas/export"), params={"host": HOST_NAME})
        assert list(answer.json()["paths"]) == ["/v1/temps"]
        assert answer.headers["content-disposition"] == 'attachment; filename="saved-operations.json"'
        assert "There is nothing to export" in words(client.get(site.page("schemas/export"), params={"kind": "learned"}))


def test_what_a_document_says_is_text(site: Site) -> None:
    operation = {
        "description": HOSTILE,
        "parameters": [{"name": HOSTILE, "in": "query", "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {}, "x/<script>alert(1)</script>": {}}},
        "responses": {"200": {"description": HOSTILE}},
    }
    path = HOSTILE.replace("/", "")
    document = {"openapi": "3.0.3", "info": {"title": HOSTILE, "version": "1"}, "paths": {f"/{path}/{{{path}}}": {"post": operation}}}
    source = json.dumps(document, ensure_ascii=False)
    with site.signed_in() as client:
        csrf = csrf_of(client.get(site.page("schemas/new")))
        look = client.post(site.page("schemas/preview"), data={"csrf": csrf, "source": source, "name": HOSTILE, "host": HOSTILE})
        good = client.post(site.page("schemas/preview"), data={"csrf": csrf, "source": source, "name": HOSTILE})
        shown = upload(client, site, source)
        listed = client.get(site.page("schemas"))
        for answer in (look, good, shown, listed):
            assert "<script>alert" not in answer.text
            assert answer.status_code in {200, 400}
        assert "&lt;script&gt;alert(1)" in shown.text
        assert "\u202e" not in shown.text
        # The field sends back what was pasted, to the last character.
        pasted = re.search(r'<textarea name="source"[^>]*>\n(.*?)</textarea>', good.text, re.DOTALL)
        assert pasted is not None
        assert html.unescape(pasted[1]) == source


def test_a_viewer_looks_and_changes_nothing(site: Site) -> None:
    with site.signed_in() as editor:
        where = str(upload(editor, site).url).partition("?")[0]
    with site.signed_in(site.new_token("read")) as client:
        for page in (site.page("schemas"), where, site.page("schemas/new")):
            answer = client.get(page)
            assert answer.status_code == 200
            assert "Delete…" not in answer.text
        csrf = csrf_of(client.get(site.page("schemas")))
        for path in ("/delete", "/enabled"):
            assert client.post(where + path, data={"csrf": csrf}).status_code == 403
        assert client.post(site.page("schemas/override"), data={"csrf": csrf, "override": "none"}).status_code == 403
        assert len(site.rest.get(site.own("schemas")).json()["result"]) == 1


def test_upload_with_warnings_choose_block_and_enable(visit: Visit, site: Site, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(site.page("schemas"))
    accessible(page)
    page.get_by_role("link", name="Upload a document…").first.click()
    page.locator("input[type=file]").set_input_files({"name": "openapi.yaml", "mimeType": "application/yaml", "buffer": DOCUMENT.encode()})
    # It is looked at without being asked.
    expect(page.get_by_text("line 13, column 11")).to_be_visible()
    expect(page.get_by_text("/paths/~1temps/post/requestBody/content/application~1xml")).to_be_visible()
    accessible(page)
    page.get_by_label(f"Action of {HOST_NAME}").select_option("block")
    expect(page.get_by_label(f"Action of {HOST_NAME}")).to_have_value("block")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("heading", name="Temperatures")).to_be_visible()
    expect(page.get_by_text("2 operations on 1 host, 1 warning below.")).to_be_visible()
    expect(page.get_by_text("blocks")).to_have_count(2)
    accessible(page)
    assert enforced(site) == {"GET /v1/temps": (True, "block"), "POST /v1/temps": (True, "block")}
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No schema is uploaded")).to_be_visible()
    page.get_by_role("button", name="Put it back").click()
    expect(page.get_by_role("link", name="Temperatures")).to_be_visible()
