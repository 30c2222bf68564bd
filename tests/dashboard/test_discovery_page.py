"""Discovery in the browser: a capture imported, candidates saved and ignored and taken back, reasons, rules; text from strangers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from conftest import eventually, settings_for
from dashboard.conftest import HOST_NAME, Site, Visit, csrf_of, served
from hauberk.candidate import Candidate
from hauberk.dashboard import imports
from hauberk.dashboard.discovery import filters_of, meant
from hauberk.storage.candidates import Window, record_candidates
from hauberk.storage.models import Zone, now

NASTY = ("/<script>alert(1)</script>", "/a\u202eb", "/quote\"'>", "/{var1}/<img src=x onerror=alert(1)>")


@pytest.fixture(scope="module")
def site(first_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A control plane that looks at traffic, where twenty requests make a candidate."""
    folder = Path(shutil.copytree(first_state, tmp_path_factory.mktemp("site") / "state"))
    with served(settings_for(folder, "127.0.0.1:8080", discovery={"min_requests": 20, "refresh_seconds": 86400})) as running:
        running.plane.inventory.start()
        yield running


def record(method: str, path: str, number: int, **members: Any) -> bytes:
    at = (now() - timedelta(minutes=number)).isoformat()
    headers = [["Accept", "application/json"], ["Authorization", "Bearer s3cr3t"]]
    row = {"method": method, "host": HOST_NAME, "url": f"https://{HOST_NAME}{path}", "status": 200, "time": at, "request_headers": headers}
    row |= {"response_headers": [["Content-Type", "application/json"]], "response_content_type": "application/json"}
    return json.dumps(row | members).encode() + b"\n"


def capture() -> bytes:
    rows = []
    for number in range(30):
        rows += [record("GET", f"/v1/users/{number * 7919}", number), record("POST", "/v1/login", number)]
        rows += [record("GET", f"/static/{name}.css", number) for name in ("site", "shop")]
        rows += [record("GET", path, number) for path in NASTY[:1]]
    rows += [record("GET", "/v1/rare", 1), record("GET", "/x", 1, host="cdn.<script>.test"), b"garbage\n"]
    return b"".join(rows)


def rows_of(site: Site, **query: str) -> dict[str, dict[str, Any]]:
    found = site.rest.get(site.own("discovery/candidates"), params={"per_page": 500, **query}).json()["result"]
    return {f"{row['method']} {row['endpoint']}": row for row in found}


@pytest.fixture(scope="module")
def looked(site: Site) -> Site:
    """The site with the capture imported and looked at."""
    sent = site.rest.post(site.own("traffic/imports"), content=capture()).raise_for_status().json()["result"]
    eventually(lambda: site.rest.get(site.own(f"traffic/imports/{sent['id']}")).json()["result"]["state"] == "done")
    site.rest.post(site.own("discovery/refresh")).raise_for_status()
    eventually(lambda: "POST /v1/login" in rows_of(site))
    return site


def test_empty_pages_teach_the_next_step(site: Site) -> None:
    with site.signed_in() as client:
        assert "Import a capture" in client.get(site.page("discovery")).text
        for path in ("discovery/imports", "discovery/templates", "discovery/comparison"):
            answer = client.get(site.page(path))
            assert answer.status_code == 200
            assert 'class="empty"' in answer.text


def test_from_a_capture_to_saved_operations_and_back(site: Site, visit: Visit, accessible: Callable[[Page], None], tmp_path: Path) -> None:
    page = visit.signed_in()
    page.goto(site.page("discovery/imports"))
    accessible(page)
    (tmp_path / "day.ndjson").write_bytes(capture())
    page.set_input_files("input[type=file]", tmp_path / "day.ndjson")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("requests are in the traffic store")).to_be_visible()
    expect(page.get_by_text("cdn.<script>.test")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_role("link", name="/v1/login")).to_be_visible()
    expect(page.get_by_text("1 operation has fewer than 20 successful requests")).to_be_visible()
    accessible(page)

    page.get_by_label("Select POST /v1/login").check()
    page.get_by_label("Select GET /v1/users/{var1}").check()
    page.locator("[data-selected]").get_by_text("2").wait_for()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved 2 operations")).to_be_visible()
    assert len(site.rest.get(site.v4("api_gateway/operations")).json()["result"]) == 2
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back")).to_be_visible()
    assert site.rest.get(site.v4("api_gateway/operations")).json()["result"] == []

    page.get_by_label("Paths that begin with").fill("/static/")
    expect(page.locator("#prefix-count code")).to_have_text("/static/")
    page.get_by_role("button", name="Ignore them").click()
    expect(page.get_by_text("Ignored")).not_to_have_count(0)
    assert {key for key, row in rows_of(site, state="ignored").items()} == {key for key in rows_of(site) if "/static/" in key}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back")).to_be_visible()
    assert rows_of(site, state="ignored") == {}


def test_why_it_was_found_and_what_a_rule_would_do(looked: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    site = looked
    page = visit.signed_in()
    page.goto(site.page("discovery"))
    page.get_by_role("link", name="/v1/users/{var1}").click()
    expect(page.get_by_role("heading", name="Why this path")).to_be_visible()
    expect(page.get_by_text("and more counts as an API").first).to_be_visible()
    expect(page.locator("#why var")).to_have_text("{var1}")
    accessible(page)
    page.get_by_text("Rename: say").click()
    page.get_by_role("textbox", name="The path").fill("/v1/{name}/{id}")
    page.get_by_role("button", name="Preview the new path").click()
    expect(page.get_by_text("Would be found instead")).to_be_visible()
    expect(page.locator("section", has=page.get_by_role("heading", name="Would be found instead"))).to_contain_text("/v1/{var1}/{var2}")
    accessible(page)
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_role("link", name="/v1/{var1}/{var2}")).to_be_visible()
    page.goto(site.page("discovery/templates"))
    accessible(page)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("discovery decides again")).to_be_visible()
    page.get_by_role("button", name="Put it back").click()
    expect(page.get_by_text("Taken back")).to_be_visible()
    rules = site.rest.get(site.own("discovery/templates")).json()["result"]
    assert [rule["endpoint"] for rule in rules] == ["/v1/{var1}/{var2}"]
    site.rest.delete(site.own(f"discovery/templates/{rules[0]['id']}")).raise_for_status()
    page.goto(site.page("discovery/comparison"))
    accessible(page)


def test_text_from_strangers_is_shown_as_text(looked: Site, visit: Visit) -> None:
    site = looked
    found = [Candidate("GET", HOST_NAME, path, ("ML",), 50, 0.9, 1, None, now(), (path,)) for path in NASTY]
    kept = [Candidate(row["method"], row["host"], row["endpoint"], ("ML",), 50, 0.9, 1, None, now(), ()) for row in rows_of(site).values()]
    with site.plane.database.write() as session:
        record_candidates(session, session.get_one(Zone, site.zone_id), [*kept, *found], Window(now(), now()))
    with site.signed_in() as client:
        text = client.get(site.page("discovery?per_page=500&endpoint=%3Cscript%3E")).text
        assert "<script>alert" not in text
        for row in rows_of(site).values():
            shown = client.get(site.page(f"discovery/candidates/{row['id']}"))
            assert shown.status_code == 200
            assert "<script>alert" not in shown.text
            assert "<img src=x" not in shown.text
            assert "\u202e" not in shown.text
    page = visit.signed_in()
    page.goto(site.page("discovery?per_page=500"))
    expect(page.get_by_role("link", name="%3Cscript%3E").first).to_be_visible()


def test_many_are_moved_by_filter(looked: Site) -> None:
    site = looked
    with site.signed_in() as client:
        csrf = csrf_of(client.get(site.page("discovery")))
        form = {"csrf": csrf, "to": "ignored", "which": "filter", "state": "review", "method": "POST", "score": "0.5-1"}
        answer = client.post(site.page("discovery/changes"), data=form)
        assert "Ignored 1 operation" in answer.text
        assert list(rows_of(site, state="ignored")) == ["POST /v1/login"]
        client.post(site.page("discovery/changes"), data={**form, "to": "review", "state": "ignored"})
        assert rows_of(site, state="ignored") == {}
        for wrong in ({"which": "selected"}, {"which": "prefix", "prefix": ""}, {"which": "filter", "endpoint": "none such"}):
            answer = client.post(site.page("discovery/changes"), data={"csrf": csrf, "to": "ignored", "state": "review", **wrong})
            assert "othing was" in answer.text or "There was none" in answer.text
        assert rows_of(site, state="ignored") == {}
        assert client.post(site.page("discovery/changes"), data={**form, "to": "gone"}).status_code == 400


def test_operations_are_merged_from_the_list(looked: Site) -> None:
    site = looked
    rows = rows_of(site)
    with site.signed_in() as client:
        csrf = csrf_of(client.get(site.page("discovery")))
        preview = site.page("discovery/templates/preview")
        one = client.post(preview, data={"csrf": csrf, "which": "selected", "id": rows["POST /v1/login"]["id"]})
        assert (one.status_code, "two operations or more" in one.text) == (400, True)
        ids = [rows["POST /v1/login"]["id"], next(row["id"] for key, row in rows.items() if key.startswith("GET /v1/"))]
        told = client.post(preview, data={"csrf": csrf, "which": "selected", "id": ids})
        assert "same number of segments" in told.text or "What the rule would do" in told.text
        pin = {"csrf": csrf, "kind": "pin", "host": HOST_NAME, "endpoint": "no path"}
        wrong = client.post(preview, data=pin)
        assert wrong.status_code == 400
        assert "no path" in wrong.text, "what was entered stays"


def test_a_look_can_be_asked_for_and_cancelled(looked: Site) -> None:
    site = looked
    with site.signed_in() as client:
        csrf = csrf_of(client.get(site.page("discovery")))
        assert client.post(site.page("discovery/refresh"), data={"csrf": csrf}).status_code == 200
        eventually(lambda: site.rest.get(site.own("discovery/refresh")).json()["result"]["state"] == "idle")
        told = client.post(site.page("discovery/refresh/cancel"), data={"csrf": csrf}).text
        assert "before it could be cancelled" in told


def test_what_cannot_be_imported_is_told_on_the_page(looked: Site) -> None:
    site = looked
    with site.signed_in() as client:
        address = site.page("discovery/imports")
        csrf = csrf_of(client.get(address))
        bad = client.post(address, files={"file": b"x"}, data={"csrf": csrf, "default_host": "elsewhere.test"})
        assert (bad.status_code, "at or below the zone" in bad.text) == (400, True)
        assert client.post(address, files={"other": b"x"}, data={"csrf": csrf}).status_code == 400
        told = client.post(address, files={"file": ("<b>.log", b"garbage")}, data={"csrf": csrf})
        import_id = str(told.url).rpartition("/")[2]
        eventually(lambda: site.rest.get(site.own(f"traffic/imports/{import_id}")).json()["result"]["state"] == "failed")
        shown = client.get(told.url).text
        assert "Not imported" in shown
        assert "<b>.log" not in shown
        late = client.post(f"{address}/{import_id}/cancel", data={"csrf": csrf}).text
        assert "not under way" in late
        forged = client.post(address, files={"file": capture()}, headers={"Origin": "https://elsewhere.test"})
        assert forged.status_code == 403


def test_a_capture_that_is_too_large_is_told_on_the_page(first_state: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(first_state, tmp_path / "state"))
    limits: dict[str, Any] = {"control_plane": {"max_upload_bytes": 5000}, "traffic": {"max_import_bytes": 200_000}}
    with served(settings_for(folder, "127.0.0.1:8080", **limits)) as small, small.signed_in() as client:
        csrf = csrf_of(client.get(small.page("discovery/imports")))
        for size in (201_000, 5_000_000):
            answer = client.post(small.page("discovery/imports"), files={"file": bytes(size)}, data={"csrf": csrf})
            assert answer.status_code == 413
            assert "larger than 200000 bytes; the setting is traffic.max_import_bytes" in answer.text
            assert "<h1>Import a capture</h1>" in answer.text
        large = client.post(small.page("discovery/changes"), data={"csrf": csrf, "prefix": "x" * 6000})
        assert (large.status_code, "control_plane.max_upload_bytes" in large.text) == (413, True)
        assert not list((folder / "imports").glob("*"))


def test_a_viewer_looks_and_changes_nothing(looked: Site) -> None:
    site = looked
    before = len(site.rest.get(site.own("traffic/imports")).json()["result"])
    with site.signed_in(site.new_token("read")) as client:
        text = client.get(site.page("discovery")).text
        assert "<wbr>/login" in text
        assert "Look now" not in text
        assert 'value="ignored"' not in text
        assert 'type="file"' not in client.get(site.page("discovery/imports")).text
        assert client.post(site.page("discovery/imports"), files={"file": capture()}).status_code == 403
        csrf = csrf_of(client.get(site.page("discovery")))
        form = {"csrf": csrf, "to": "ignored", "which": "filter", "state": "review"}
        assert client.post(site.page("discovery/changes"), data=form).status_code == 403
    assert rows_of(site, state="ignored") == {}
    assert len(site.rest.get(site.own("traffic/imports")).json()["result"]) == before


def test_addresses_with_nonsense_show_a_page(looked: Site) -> None:
    site = looked
    with site.signed_in() as client:
        for query in (
            "state=x&order=y&direction=z",
            "score=a-b&origin=q&page=-1",
            "score=0.25-0.4",
            "host=%3Cb%3E&method=%3Cb%3E",
            "page=999",
        ):
            assert client.get(site.page(f"discovery?{query}")).status_code == 200, query
        for path in ("discovery/candidates/none", "discovery/candidates/%00", "discovery/imports/none", "discovery/candidates/none/why"):
            assert client.get(site.page(path)).status_code == 404, path


def test_filters_are_read_as_the_rest_api_has_them() -> None:
    given = filters_of({"host": " a ", "score": "0.6-1", "origin": "x", "other": "y", "method": ""})
    assert given == {"host": "a", "score": "0.6-1"}
    assert meant(given, "review", "/p") == {"host": ["a"], "least_score": 0.6, "most_score": 1.0, "state": "review", "prefix": "/p"}
    assert meant({}, "saved") == {}
    assert filters_of({"score": "1-0"}) == filters_of({"score": "nan-1"}) == {}


def test_how_much_was_read_is_told_while_it_can_be() -> None:
    row = {"state": "running", "phase": "reading", "bytes": 200, "bytes_read": 50, "last_hour": None}
    assert imports.share_of(row) == 0.25
    assert imports.share_of(row | {"phase": "checking"}) is imports.share_of(row | {"state": "waiting"}) is None
    assert imports.is_old(row | {"last_hour": "2001-01-01T00:00:00+00:00"}, 10)
    assert not imports.is_old(row | {"last_hour": now().isoformat()}, 10)
