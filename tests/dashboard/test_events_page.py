"""Events: new ones appear, filters stand in the address, pages by cursor, and what callers wrote is only text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

from playwright.sync_api import Page, expect

from dashboard.conftest import Site, Visit
from dashboard.reported import bring_events

SCRIPT = "/<script>document.title='broken'</script>\u202egpj.exe\x07"
VIOLATION = {
    "location": "header",
    "target": "<img src=x onerror=alert(1)>",
    "error_class": "invalid_type",
    "error_detail": "expected:integer",
    "rule": ".components.schemas.<b>.properties",
}
CERTIFICATE = {"serial_number": "77", "fingerprint_sha256": "ab" * 32, "verified": True, "revoked": True}
BAD: dict[str, Any] = {
    "path": SCRIPT,
    "method": "<B>",
    "source": "apiShieldSchemaValidation",
    "reason": "schema_violation",
    "violation": VIOLATION,
    "violations": [VIOLATION, {**VIOLATION, "target": "second", "error_detail": None}],
    "client_certificate": CERTIFICATE,
    "status": 403,
}


def rows(page: Page) -> Any:
    return page.locator("#events .sheet tbody tr")


def test_without_events_the_page_says_where_they_come_from(site: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(site.page("events"))
    expect(page.get_by_role("heading", name="Nothing was blocked or logged yet")).to_be_visible()
    accessible(page)


def test_new_events_appear_until_paused(site: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(site.page("events"))
    bring_events(site, {"reason": "ambiguous_path"}, {"action": "log", "reason": None, "status": None, "host": "b.example.com"})
    expect(rows(page)).to_have_count(2, timeout=15_000)
    accessible(page)
    page.get_by_role("link", name="Pause").click()
    expect(page).to_have_url(site.page("events") + "?live=off")
    expect(page.locator("#events[data-live]")).to_have_count(0)
    # Chosen at the side: only these, and the address says so.
    page.get_by_role("region", name="Hosts").get_by_role("link", name="b.example.com").click()
    expect(rows(page)).to_have_count(1)
    assert "host=b.example.com" in page.url
    page.get_by_label("Action").select_option("block")
    expect(page.get_by_role("heading", name="No such event")).to_be_visible()
    # What is not filtered is not in the address.
    expect(page).to_have_url(site.page("events") + "?live=off&action=block&host=b.example.com")
    page.get_by_role("link", name="Remove the filter host").click()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="Go on live").click()
    expect(page.locator("#events[data-live]")).to_have_count(1)


def test_the_focus_stays_where_it_is_while_new_ones_appear(site: Site, visit: Visit) -> None:
    (event,) = bring_events(site, {"host": "focus.example.com"})
    page = visit.signed_in()
    page.goto(site.page("events") + "?host=focus.example.com")
    row = rows(page).get_by_role("link")
    row.focus()
    bring_events(site, {"host": "focus.example.com"})
    expect(rows(page)).to_have_count(2, timeout=15_000)
    expect(row.nth(1)).to_be_focused()
    expect(row.nth(1)).to_have_attribute("href", re.compile(f"{event['id']}$"))
    # A region whose link is gone keeps the focus itself, so that Tab goes on from there.
    page.get_by_role("region", name="Hosts").get_by_role("link").first.focus()
    page.evaluate("document.activeElement.setAttribute('href', '#gone')")
    bring_events(site, {"host": "focus.example.com"})
    expect(rows(page)).to_have_count(3, timeout=15_000)
    expect(page.locator("#events")).to_be_focused()


def test_what_callers_wrote_is_only_text(site: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    (event,) = bring_events(site, BAD)
    page = visit.signed_in()
    page.goto(site.page("events") + "?code=invalid_type.expected%3Ainteger")
    row = rows(page).first
    expect(row).to_contain_text("<script>document.title='broken'</script>\\u202egpj.exe\\x07")
    expect(row).to_contain_text("<img src=x onerror=alert(1)>")
    accessible(page)
    row.get_by_role("link").first.click()
    expect(page).to_have_url(site.page(f"events/{event['id']}"))
    expect(page.get_by_role("heading", name="Event", exact=True)).to_be_visible()
    for text in ("<B>", ".components.schemas.<b>.properties", "expected:integer", "second", event["request_id"], "ab" * 32, "revoked"):
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page).to_have_title("Event · example.com · hauberk")
    accessible(page)


def test_pages_and_export_follow_the_filters(site: Site) -> None:
    bring_events(site, *({"host": "many.example.com", "path": f"/{number}"} for number in range(120)))
    with site.signed_in() as client:
        address: str | None = site.page("events") + "?host=many.example.com&per_page=50"
        seen: list[str] = []
        while address is not None:
            page = client.get(address)
            assert page.status_code == 200
            seen += re.findall(r'many\.example\.com</code><code class="path"><wbr>(/\d+)</code>', page.text)
            following = re.search(r'rel="next" href="([^"]+)"', page.text)
            address = site.url + unescape(following[1]) if following is not None else None
        lines = client.get(site.page("events/export") + "?host=many.example.com").text.splitlines()
        part = client.get(site.page("events/export") + "?path=%2F11&host=many.example.com").text.splitlines()
        filtered = client.get(site.page("events") + "?path=%2F119&last=1h").text
    assert seen == [f"/{number}" for number in range(120)]
    assert len(part) == 11
    assert filtered.count('many.example.com</code><code class="path">') == 1
    assert [json.loads(line)["path"] for line in lines] == [f"/{number}" for number in range(120)]
    assert len(part) == 11
    assert filtered.count('many.example.com</code><code class="path">') == 1


def test_a_filter_that_cannot_be_is_told_and_kept(site: Site) -> None:
    with site.signed_in() as client:
        answer = client.get(site.page("events") + "?status=abc&host=a")
        assert answer.status_code == 400
        assert 'role="alert"' in answer.text
        assert 'value="abc"' in answer.text
        assert client.get(site.page("events") + "?before=nonsense").status_code == 400
        assert client.get(site.page("events/nothing")).status_code == 404


def test_what_events_speak_of_may_be_gone(site: Site) -> None:
    """Rules, endpoints and certificates are deleted; pages tell of them all the same."""
    bring_events(
        site, {**BAD, "rule_id": "1" * 32, "operation_id": "gone", "source": "firewallCustom", "violation": None, "violations": []}
    )
    with site.signed_in() as client:
        assert "1" * 32 in client.get(site.page()).text
        listed = client.get(site.page("events") + f"?rule_id={'1' * 32}")
        assert "Rule: " + "1" * 32 in listed.text
        address = re.search(r'href="(/zones/example.com/events/[0-9a-f]{32})"', listed.text)
        assert address is not None
        shown = client.get(site.url + address[1]).text
    assert "Deleted or replaced since" in shown
    assert "It was saved then and is deleted now." in shown


def test_events_of_a_rule_are_called_by_its_description(site: Site, visit: Visit) -> None:
    rule = {"action": "block", "expression": 'http.request.uri.path eq "/c"', "description": "closed <b>on purpose</b>"}
    path = site.v4("rulesets/phases/http_request_firewall_custom/entrypoint")
    rule_id = site.rest.put(path, json={"rules": [rule]}).raise_for_status().json()["result"]["rules"][0]["id"]
    (event,) = bring_events(site, {"rule_id": rule_id, "source": "firewallCustom", "reason": "blocked_by_rule"})
    page = visit.as_viewer()
    page.goto(site.page("events") + f"?rule_id={rule_id}")
    expect(rows(page).first).to_contain_text("Rule: closed <b>on purpose</b>")
    page.goto(site.page(f"events/{event['id']}"))
    link = page.get_by_role("link", name="closed <b>on purpose</b>")
    assert (link.get_attribute("href") or "").endswith(f"/rules/{rule_id}")
