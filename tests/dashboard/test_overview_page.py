"""The overview: figures, coverage, the to-do list in order, gateways; a fresh installation is told how to begin."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from conftest import settings_for
from dashboard.conftest import HOST_NAME, ZONE_NAME, Site, Visit, served
from dashboard.reported import beat, bring_counts, bring_events
from hauberk.dashboard.overview import WAYS

VIOLATION = {"location": "body", "target": "$.unit", "error_class": "constraint_violation", "error_detail": "enum", "rule": ".x"}


def test_a_fresh_installation_is_told_how_to_begin(site: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(site.url)
    expect(page).to_have_url(site.page())
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    steps = page.locator("ol.steps > li")
    expect(steps.first).to_contain_text("Start a gateway")
    expect(steps.first).to_contain_text("hauberk up")
    expect(page.get_by_text("Nothing in this time.")).to_be_visible()
    expect(page.locator("#gateways-card")).to_contain_text("No gateway is connected")
    accessible(page)
    steps.get_by_role("link", name="Require client certificates").click()
    expect(page).to_have_url(site.page("certificates/require") + f"?host={HOST_NAME}")


def test_figures_come_by_themselves(site: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(site.page())
    beat(site)
    bring_counts(site, passed=6, logged=1, blocked_certificate=2, blocked_schema=1, protected=5, with_certificate=3, server_errors=1)
    bring_events(site, {"violation": VIOLATION, "violations": [VIOLATION], "source": "apiShieldSchemaValidation", "status": 403})
    figures = page.locator(".figure")
    expect(figures).to_have_text(["10", "3", "1", "50 %", "1"], timeout=15_000)
    row = page.get_by_role("row", name=HOST_NAME)
    expect(row).to_contain_text("50 %")
    expect(page.locator("#gateways-card")).to_contain_text("up to date")
    chart = page.get_by_role("img", name="Requests by what became of them")
    expect(chart.locator("rect.fill.bad")).to_have_count(1)
    page.get_by_role("link", name="Last hour").click()
    expect(page).to_have_url(site.page() + "?range=1h")
    expect(figures.first).to_have_text("10")
    accessible(page)
    page.get_by_role("link", name="constraint_violation.enum").click()
    expect(page.get_by_role("row")).to_have_count(2 + 2)  # heads and events; reasons and hosts beside them
    expect(page.get_by_label("Filters in force")).to_contain_text("constraint_violation.enum")


def test_certificates_that_end_soon_are_led_to_and_no_others(site: Site, visit: Visit) -> None:
    for name, days in (("ends-soon", 5), ("ends-late", 365)):
        body = {"subject": {"common_name": name}, "validity_days": days}
        site.rest.post(site.own("client_certificates/generate"), json=body).raise_for_status()
    page = visit.signed_in()
    page.goto(site.page())
    page.get_by_role("link", name="Renew 1 client certificate").click()
    expect(page.get_by_role("row", name="ends-soon")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(1 + 1)


def test_reasons_lead_to_as_many_events_as_they_count(first_state: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(first_state, tmp_path / "state"))
    with served(settings_for(folder, "127.0.0.1:8080")) as fresh, fresh.signed_in() as client:
        times = [datetime.now(UTC) - timedelta(minutes=minutes) for minutes in range(1, 120)]
        bring_events(fresh, *({"reason": "bad_request", "occurred_at": time.isoformat(timespec="milliseconds")} for time in times))
        page = client.get(f"{fresh.page()}?range=1h").text
        row = re.search(r'<a href="([^"]+)"><code>bad_request</code></a></th><td class="num">(\d+)</td>', page)
        assert row is not None
        since = parse_qs(urlsplit(unescape(row[1])).query)["since"][0]
        found = fresh.rest.get(fresh.v4("security_events"), params={"code": "bad_request", "since": since}).json()["result_info"]
        assert found["total_count"] == int(row[2])


def test_dark_is_readable_as_well(site: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.as_viewer(color_scheme="dark")
    page.goto(site.page())
    expect(page.locator(".figure").first).to_be_visible()
    accessible(page)


@pytest.mark.parametrize("query", ["range=forever", "range=7d", "range=<script>"])
def test_a_range_that_is_none_is_a_day(site: Site, query: str) -> None:
    with site.signed_in() as client:
        answer = client.get(f"{site.page()}?{query}")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_steps_lead_somewhere() -> None:
    assert all(way.page or way.command for way in WAYS.values())


def test_several_zones_are_listed_with_their_figures(site: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    site.rest.post("/hauberk/v1/zones", json={"name": "other.test"}).raise_for_status()
    beat(site)
    page = visit.signed_in()
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Zones")).to_be_visible()
    expect(page.get_by_role("row", name="other.test")).to_contain_text("Add a host")
    expect(page.get_by_role("row", name=ZONE_NAME)).to_contain_text("%")
    accessible(page)
    page.get_by_role("link", name="other.test").first.click()
    expect(page.get_by_role("heading", name="No host yet")).to_be_visible()
