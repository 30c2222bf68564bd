"""Settings: hosts and zones, session identifiers with what they would tell, sampling and retention with where each value comes from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select

from dashboard.conftest import HOST_NAME, Site, Visit
from hauberk.pki.server_certificate import self_signed
from hauberk.storage.models import Host


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with site.signed_in() as signed_in:
        yield signed_in


@pytest.fixture(scope="module")
def recorded(site: Site) -> Site:
    """A site with requests of twenty callers, of which three in four carry a token."""
    now = datetime.now(UTC) - timedelta(hours=2)
    rows = [
        {
            "host": HOST_NAME,
            "method": "GET",
            "url": f"https://{HOST_NAME}/items/{n}",
            "path": f"/items/{n}",
            "status": 200,
            "time": (now + timedelta(seconds=n)).isoformat().replace("+00:00", "Z"),
            "client": f"c:{n % 20:012x}",
            "request_headers": [["x-tenant", f"h:{n % 20:012x}"]] if n % 80 >= 20 else [["accept", "*/*"]],
            "response_headers": [],
            "weight": 1,
        }
        for n in range(400)
    ]
    assert site.plane.traffic.import_rows(json.dumps(row).encode() for row in rows) == 400
    return site


def csrf(client: httpx.Client, address: str) -> str:
    return client.get(address).text.partition('name="csrf" value="')[2].partition('"')[0]


def send(client: httpx.Client, site: Site, path: str, form: str = "settings/sessions", **fields: object) -> httpx.Response:
    return client.post(site.page(path), data={"csrf": csrf(client, site.page(form)), **fields})


def test_what_hauberk_toml_declares_is_shown_and_not_changed_here(site: Site, client: httpx.Client) -> None:
    text = client.get(site.page("settings")).text
    assert f'/settings/hosts/{HOST_NAME}"' in text
    assert "<code>hauberk.toml</code>" in text
    assert f"/hosts/{HOST_NAME}/remove" not in text
    one = client.get(site.page(f"settings/hosts/{HOST_NAME}")).text
    assert "[[zones.hosts]]" in one
    assert "<textarea" not in one
    assert "hauberk.toml" in send(client, site, f"settings/hosts/{HOST_NAME}", upstreams="http://127.0.0.1:1").text


def test_a_host_is_added_with_a_certificate_changed_and_removed(visit: Visit, accessible: Callable[[Page], None]) -> None:
    certificate, key = self_signed("shop.example.com", loopback=True)
    page = visit.signed_in()
    page.goto(visit.site.page("settings"))
    accessible(page)
    page.get_by_role("link", name="Add a host").click()
    accessible(page)
    page.get_by_label("Host name").fill("shop.example.com")
    page.get_by_label("Upstreams").fill("nonsense")
    page.get_by_role("button", name="Add the host").click()
    expect(page.get_by_role("alert").first).to_contain_text("http://HOST[:PORT]")
    visit.expected.append("400")
    expect(page.get_by_label("Host name")).to_have_value("shop.example.com")
    page.get_by_label("Upstreams").fill("http://127.0.0.1:9001\nhttp://127.0.0.1:9002")
    page.get_by_label("or its text").first.fill(certificate)
    page.get_by_label("Private key file").set_input_files({"name": "key.pem", "mimeType": "text/plain", "buffer": key.encode()})
    page.get_by_role("button", name="Add the host").click()
    expect(page.get_by_role("status")).to_contain_text("shop.example.com is served")
    row = page.get_by_role("row", name="shop.example.com")
    expect(row).to_contain_text("given")
    row.get_by_role("link", name="shop.example.com", exact=True).click()
    assert "PRIVATE KEY" not in page.content()
    page.get_by_label("Upstreams").fill("http://127.0.0.1:9003")
    page.get_by_role("button", name="Change it").click()
    expect(row).to_contain_text("9003")
    page.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("9002")
    row.get_by_role("button", name="Remove…").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("not served any more")
    expect(row).to_have_count(0)


def test_a_certificate_is_downloaded_under_its_host_s_name(site: Site, client: httpx.Client) -> None:
    answer = client.get(site.page(f"settings/hosts/{HOST_NAME}/certificate.pem"))
    assert answer.headers["content-disposition"] == f'attachment; filename="{HOST_NAME}.pem"'
    assert f"curl --cacert {HOST_NAME}.pem " in client.get(site.page("settings")).text


def test_a_zone_is_made(site: Site, client: httpx.Client) -> None:
    address = f"{site.url}/settings/zones"
    refused = client.post(address, data={"csrf": csrf(client, address), "name": "not a name"})
    assert (refused.status_code, "must be a host name" in refused.text) == (400, True)
    made = client.post(address, data={"csrf": csrf(client, address), "name": "example.org"})
    assert str(made.url).startswith(f"{site.url}/zones/example.org/settings")
    assert "No host yet" in made.text


def test_identifiers_are_tried_while_typing_and_set(recorded: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(recorded.page("settings/sessions"))
    accessible(page)
    expect(page.get_by_role("heading", name="What traffic proposes")).to_be_visible()
    page.get_by_label("Name").first.fill("X-Tenant")
    expect(page.locator("#seen")).to_contain_text("75 % of 400 successful requests carry it: 20 sessions")
    page.get_by_label("Name").first.fill("x tenant")
    expect(page.locator("#seen")).to_contain_text("must be a header's name")
    visit.expected.append("400")
    page.get_by_label("Name").first.fill("x-tenant")
    page.get_by_role("button", name="Set them").click()
    expect(page.get_by_role("status")).to_contain_text("Session identifiers are set")
    path = recorded.v4("api_gateway/configuration")
    assert recorded.rest.get(path).json()["result"]["auth_id_characteristics"] == [{"type": "header", "name": "x-tenant"}]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    assert recorded.rest.get(path).json()["result"]["auth_id_characteristics"] == []


def test_settings_are_changed_refused_and_set_back(visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(visit.site.page("settings/tuning"))
    accessible(page)
    days = page.get_by_label("traffic.keep_days")
    days.fill("0")
    page.get_by_role("button", name="Change what differs").click()
    visit.expected.append("400")
    expect(page.get_by_role("alert").first).to_contain_text("greater than or equal to 1")
    expect(days).to_have_value("0")
    days.fill("14")
    page.get_by_label("traffic.bodies").select_option("json")
    page.get_by_role("button", name="Change what differs").click()
    told = page.get_by_role("status")
    expect(told).to_contain_text("traffic.keep_days is 14, in force at once")
    expect(told).to_contain_text("traffic.bodies is json, in force at once")
    enforced = told.locator(".enforced")
    expect(enforced).to_contain_text("No gateway is connected: it is enforced once one is.")
    row = page.get_by_role("row", name="traffic.keep_days")
    expect(row).to_contain_text("changed here")
    row.get_by_role("button", name="Default").click()
    expect(row).not_to_contain_text("changed here")
    page.get_by_label("learning.enabled").select_option("off")
    page.get_by_role("button", name="Change what differs").click()
    assert not visit.site.plane.settings.learning.enabled
    expect(enforced).to_have_count(0)  # gateways do not learn
    page.get_by_role("button", name="Undo").click()
    expect(told).to_contain_text("Taken back")
    assert visit.site.plane.settings.learning.enabled


def test_a_viewer_sees_all_and_is_offered_nothing(recorded: Site, visit: Visit) -> None:
    page = visit.as_viewer()
    for path in ("settings", f"settings/hosts/{HOST_NAME}", "settings/sessions", "settings/tuning"):
        page.goto(recorded.page(path))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        for label in ("Add a host", "Change it", "Set them", "Change what differs", "Default", "Remove…"):
            expect(page.get_by_role("button", name=label)).to_have_count(0)
    set_ = {"auth_id_characteristics": [{"type": "header", "name": "x-tenant"}]}
    recorded.rest.put(recorded.v4("api_gateway/configuration"), json=set_).raise_for_status()
    page.goto(recorded.page("settings/sessions"))
    expect(page.locator("#seen")).to_contain_text("75 %")


def test_what_a_viewer_sends_is_refused(site: Site) -> None:
    with site.signed_in(site.new_token("read")) as viewer:
        assert send(viewer, site, "settings/tuning", **{"events.keep_days": "3"}).status_code == 403
        assert send(viewer, site, "settings/sessions", type="header", name="x").status_code == 403
        assert site.plane.settings.events.keep_days == 30


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e999", "9" * 5000, "x"])
def test_what_is_no_number_is_refused(site: Site, value: str) -> None:
    with site.signed_in() as editor:
        for key in ("traffic.sample_rate", "events.keep_days"):
            if key in site.rest.get("/hauberk/v1/settings").text:
                assert send(editor, site, "settings/tuning", **{key: value}).status_code == 400


def test_a_host_among_thousands_has_its_page(site: Site, client: httpx.Client) -> None:
    with site.plane.database.write() as session:
        first = dict(session.execute(select(Host.__table__)).mappings().first() or {})
        rows = [first | {"id": f"{number:032x}", "name": f"h{number:04}.example.com", "from_file": False} for number in range(1200)]
        session.execute(insert(Host), rows)
    for name in ("h0000.example.com", "h1199.example.com", "H1199.example.com"):
        shown = client.get(site.page(f"settings/hosts/{name}"))
        assert shown.status_code == 200
        assert name.lower() in shown.text
        assert "PRIVATE KEY" not in shown.text
        told = site.rest.get(site.own(f"hosts/{name}")).raise_for_status().json()["result"]
        assert told["name"] == name.lower()
        assert "private_key_pem" not in told
    for name in ("h1200.example.com", "x%00"):
        assert client.get(site.page(f"settings/hosts/{name}")).status_code == 404
        assert site.rest.get(site.own(f"hosts/{name}")).status_code == 404
