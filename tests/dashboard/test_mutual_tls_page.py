"""Hosts and client certificates on pages: associations, and the wizard that makes hosts demand a certificate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.conftest import HOST_NAME, Site, Visit, csrf_of

PHASE = "http_request_firewall_custom"


@pytest.fixture
def plain(site: Site) -> Iterator[Site]:
    """The zone without rules and associations, before and after."""

    def clear() -> None:
        site.rest.put(site.v4(f"rulesets/phases/{PHASE}/entrypoint"), json={"rules": []}).raise_for_status()
        for row in site.rest.get(site.own("mutual-tls")).json()["result"]:
            site.rest.put(site.own("mutual-tls"), json={"hosts": {row["host"]: {"authorities": []}}}).raise_for_status()

    clear()
    yield site
    clear()


def host_row(site: Site, host: str = HOST_NAME) -> dict[str, Any]:
    [row] = site.rest.get(site.own("mutual-tls"), params={"host": host}).json()["result"]
    return dict(row)


def test_the_wizard_shows_what_it_stores_stores_it_and_takes_it_back(plain: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(plain.page("certificates/hosts"))
    accessible(page)
    page.get_by_role("link", name="Require…").click()
    expect(page.get_by_label(HOST_NAME)).to_be_checked()
    shown = page.locator("#would")
    expect(shown).to_contain_text(f'(http.host eq "{HOST_NAME}" and not (cf.tls_client_auth.cert_verified')
    accessible(page)
    page.get_by_label("POST").check()
    page.get_by_label("Only these paths").fill("/orders\n/o'clock")
    expect(shown).to_contain_text('http.request.uri.path in {"/orders" "/o\'clock"}')
    expect(shown).to_contain_text('http.request.method eq "POST"')
    page.get_by_label("Only these paths").fill("orders")
    expect(page.get_by_role("alert")).to_contain_text("paths")
    page.get_by_label("Only these paths").fill("")
    page.get_by_label("POST").uncheck()
    page.get_by_label("Other names").fill("later.example.com")
    expect(shown).to_contain_text("no gateway serves it")
    expression = shown.locator("pre").first.text_content()
    page.get_by_role("button", name="Require it").click()
    expect(page.get_by_role("status")).to_contain_text(f"{HOST_NAME}, later.example.com: the gateway refuses callers")
    row = host_row(plain)
    assert (row["rule"]["expression"], row["demand"], len(row["authorities"])) == (expression, "all", 1)
    expect(page.get_by_role("row", name="later.example.com")).to_contain_text("not served")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    row = host_row(plain)
    assert (row["rule"], row["demand"], row["authorities"]) == (None, "none", [])


def test_associations_are_added_and_removed_and_a_trap_is_pointed_out(plain: Site, visit: Visit) -> None:
    page = visit.signed_in()
    page.goto(plain.page("certificates/hosts"))
    row = page.get_by_role("row", name=HOST_NAME)
    expect(row).to_contain_text("none is asked for")
    row.get_by_role("button", name="Add managed").click()
    expect(page.get_by_role("status")).to_contain_text("asks for certificates of this authority, too")
    plain.rest.post(plain.own("mutual-tls/require"), json={"hosts": [HOST_NAME]}).raise_for_status()
    page.goto(plain.page("certificates/hosts"))
    row.get_by_role("button", name="Remove…").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_contain_text("refuses everybody")
    row.get_by_role("button", name="Stop requiring…").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop requiring").click()
    expect(row).to_contain_text("no rule demands one")
    page.get_by_role("button", name="Undo").click()
    assert host_row(plain)["demand"] == "all"


def test_it_works_without_a_script(plain: Site) -> None:
    with plain.signed_in() as client:
        form = {
            "csrf": csrf_of(client.get(plain.page("certificates/require"))),
            "host": HOST_NAME,
            "action": "log",
            "method": ["GET", "PUT"],
        }
        looked = client.post(plain.page("certificates/require/preview"), data=form)
        assert "http.request.method in {&#34;GET&#34; &#34;PUT&#34;}" in looked.text
        assert host_row(plain)["demand"] == "none"
        assert "the gateway logs callers" in client.post(plain.page("certificates/require"), data=form).text
        assert (host_row(plain)["demand"], host_row(plain)["action"]) == ("part", "log")
        plain.rest.post(plain.own("mutual-tls/require"), json={"hosts": [HOST_NAME]}).raise_for_status()
        assert "This demands less than now" in client.post(plain.page("certificates/require/preview"), data=form).text
        refused = client.post(plain.page("certificates/require"), data=form | {"others": "*.example.com"})
        assert refused.status_code == 400
        assert "wildcard" in refused.text


def test_the_wizard_tells_whom_it_would_have_refused(plain: Site) -> None:
    line = {
        "host": HOST_NAME,
        "method": "GET",
        "url": f"https://{HOST_NAME}/",
        "http_version": "HTTP/1.1",
        "request_headers": [],
        "status": 200,
        "response_headers": [],
        "time": datetime.now(UTC).isoformat(),
        "request_id": "r",
    }
    plain.plane.traffic.import_rows(json.dumps(line | {"certificate": one}).encode() for one in (None, None, "a" * 64))
    with plain.signed_in() as client:
        address = plain.page(f"certificates/require?host={HOST_NAME}")
        assert "has not asked for certificates yet" in client.get(address).text
        managed = plain.plane.authority_id
        plain.rest.put(plain.own("mutual-tls"), json={"hosts": {HOST_NAME: {"authorities": [managed]}}}).raise_for_status()
        assert "<strong>2 of 3</strong>" in client.get(address).text
        form = {"csrf": csrf_of(client.get(address)), "host": HOST_NAME, "action": "block", "method": "PUT"}
        assert "No request of this kind" in client.post(plain.page("certificates/require/preview"), data=form).text


def test_a_viewer_sees_and_may_not(plain: Site) -> None:
    with plain.signed_in(plain.new_token("read")) as client:
        hosts = client.get(plain.page("certificates/hosts"))
        assert "Add managed" not in hosts.text
        assert client.get(plain.page(f"certificates/require?host={HOST_NAME}")).status_code == 200
        form = {"csrf": csrf_of(hosts), "host": HOST_NAME, "action": "block"}
        assert client.post(plain.page("certificates/require"), data=form).status_code == 403
    assert host_row(plain)["demand"] == "none"
