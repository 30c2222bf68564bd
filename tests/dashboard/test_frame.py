"""What all pages share: headers, the way in, addresses that lead nowhere, text from strangers, live parts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text as sql

from dashboard.conftest import Site, Visit
from dashboard.reported import beat
from hauberk.dashboard import text
from hauberk.dashboard.addresses import link, query
from hauberk.dashboard.charts import bars, lines, nice_ceiling, spark
from hauberk.dashboard.rendering import TEMPLATES


def test_strangers_are_sent_to_the_sign_in_and_back(site: Site) -> None:
    answer = httpx.get(site.page("events?action=block"))
    assert answer.status_code in {303, 404}
    answer = httpx.get(site.page())
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fzones%2Fexample.com"


@pytest.mark.parametrize("path", ["/sign-in", "/nothing/here", "/static/hauberk.css", "/zones/example.com"])
def test_every_page_has_a_strict_policy(site: Site, path: str) -> None:
    policy = httpx.get(site.url + path).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sign-in", 200),
        ("GET", "/nothing/here", 404),
        ("PUT", "/sign-in", 405),
        ("GET", "/account", 303),
        ("GET", "/account/", 404),
        ("POST", "/account/password", 303),
        ("GET", "/static/hauberk.js", 200),
        ("GET", "/static", 404),
        ("GET", "/docs", 200),
        ("GET", "/healthz", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/client/v4/zones", 401),
        ("GET", "/hauberk/v1/nothing", 401),
    ],
)
def test_every_answer_tells_browsers_what_they_may_do_with_it(site: Site, method: str, path: str, status: int) -> None:
    _is_guarded(httpx.request(method, site.url + path, headers={"Host": "evil.example"}), status)


def test_so_does_a_refusal_to_read_on(site: Site) -> None:
    length = site.plane.settings.control_plane.max_upload_bytes + 1
    with closing(HTTPConnection(urlsplit(site.url).netloc, timeout=30)) as connection:
        form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        connection.request("POST", "/sign-in", headers={**form, "Content-Length": str(length)})
        answer = connection.getresponse()
        _is_guarded(httpx.Response(answer.status, headers=answer.getheaders()), 413)


def _is_guarded(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "cache-control" in answer.headers
    assert "evil" not in answer.headers.get("location", "")


def test_rest_answers_as_before(site: Site) -> None:
    assert httpx.get(site.url + "/client/v4/nothing").json()["success"] is False
    assert httpx.get(site.url + "/healthz").json() == {"status": "ok"}


def test_addresses_that_lead_nowhere(site: Site) -> None:
    with site.signed_in() as client:
        unknown = client.get("/zones/elsewhere.test")
        assert unknown.status_code == 404
        assert "No such zone" in unknown.text
        for path in ("/nothing/here", "/enforcement/x", "/enforcement/" + "9" * 5000):
            nothing = client.get(path)
            assert nothing.status_code == 404
            assert "No such page" in nothing.text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a\u202eb", "a\\u202eb"),
        ("a\x00\x1b[31m", "a\\x00\\x1b[31m"),
        ('" onload="x', "&#34; onload=&#34;x"),
        ("Grüße, 東京", "Grüße, 東京"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_text_from_strangers_is_only_read(value: str, shown: str) -> None:
    assert TEMPLATES.from_string("{{ value }}").render(value=value) == shown


def test_fields_send_back_what_they_were_given() -> None:
    assert TEMPLATES.from_string("{{ value | exact }}").render(value="a\u202e<") == "a\u202e&lt;"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (text.percent(0), "0 %"),
        (text.percent(1), "100 %"),
        (text.percent(0.5), "50 %"),
        (text.percent(0.1234), "12.3 %"),
        (text.percent(0.00001), "< 0.1 %"),
        (text.percent(0.99999), "> 99.9 %"),
        (text.number(12410), "12\u202f410"),
        (text.size(3_200_000), "3.2 MB"),
        (text.seconds(0.00034), "340 µs"),
        (text.seconds(0.012), "12 ms"),
        (text.seconds(0.0009996), "1 ms"),
        (text.seconds(0.9996), "1 s"),
        (text.seconds(0.9994), "999 ms"),
        (text.seconds(59.97), "60 s"),
        (text.seconds(86400 * 3), "3 days"),
        (text.ago("not a time"), text.NOTHING),
        (text.ago("2026-11-01T12:00:00.4+00:00", datetime(2026, 11, 1, 12, 0, 9, tzinfo=UTC)), "9 s ago"),
        (text.ago("2026-11-02T12:00:00+00:00", datetime(2026, 11, 1, 12, tzinfo=UTC)), "in 24 h"),
        (text.exactly("9999-12-31T23:59:59-14:00"), text.NOTHING),
        (link("example.com", "endpoints", "a/b", q="", page=2), "/zones/example.com/endpoints/a%2Fb?page=2"),
        (query({"host": "a b", "page": "3", "notice": "x"}, {"page": ""}), "host=a+b"),
    ],
)
def test_values_for_people(written: str, expected: str) -> None:
    assert written == expected


def test_charts_stay_in_their_frame() -> None:
    assert [nice_ceiling(value) for value in (0, 0.7, 1, 3, 2400, 99)] == [1, 1, 1, 5, 2500, 100]
    chart = bars("Requests", ["a", "b"], {"passed": [3, 0], "blocked": [1, 9]})
    for bar in chart.bars:
        for segment in bar.segments:
            assert 0 <= segment.y <= segment.y + segment.height <= chart.height
    assert not chart.is_empty
    assert bars("Nothing", [], {"passed": []}).is_empty
    assert lines("Latency", ["a", "b", "c"], {"p50": [1, None, 2]}).lines[0].paths[0].count(",") == 2
    assert spark([]) == ""
    assert spark([5]).count(",") == 2


def test_the_overview_in_a_browser(visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(visit.site.url)
    expect(page).to_have_url(visit.site.page())
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    accessible(page)
    page.get_by_role("button", name="Dark or light").click()
    accessible(page)


def test_a_part_that_failed_once_goes_on(site: Site, visit: Visit) -> None:
    """Or it would look as if it were live, and stay as it was."""
    visit.expected.append("status of 500")
    page = visit.signed_in()
    page.goto(site.page("settings/hosts/new"))
    page.get_by_label("Host name").fill("live.example.com")
    page.get_by_label("Upstreams").fill("http://127.0.0.1:9")
    page.get_by_label("Host name").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("No gateway is connected")
    with page.expect_response(lambda answer: "/enforcement/" in answer.url and answer.status == 500):
        _rename(site, "gateways", "hidden")
    _rename(site, "hidden", "gateways")
    beat(site)
    expect(page.get_by_role("status")).to_contain_text("All gateways enforce this")


def _rename(site: Site, table: str, to: str) -> None:
    with site.plane.database.write() as session:
        session.execute(sql(f"ALTER TABLE {table} RENAME TO {to}"))


def test_a_viewer_is_told_so(visit: Visit) -> None:
    page = visit.as_viewer()
    page.goto(visit.site.page())
    expect(page.get_by_text("(viewer)")).to_be_visible()


def test_a_form_of_another_site_changes_nothing(site: Site) -> None:
    with site.signed_in() as client:
        answer = client.post("/sign-out", data={"csrf": "made up"})
        assert answer.status_code == 403
        assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("segment", "told"),
    [
        ("users", [("users", False)]),
        ("{var1}", [("{var1}", True)]),
        ("{var1}.json", [("{var1}", True), (".json", False)]),
        ("v{var1}-{var2}", [("v", False), ("{var1}", True), ("-", False), ("{var2}", True)]),
        ("", []),
        ("{open", [("{open", False)]),
    ],
)
def test_variables_stand_out_wherever_they_are_in_a_segment(segment: str, told: list[tuple[str, bool]]) -> None:
    assert text.pieces(segment) == told


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (["current", "current"], "All gateways enforce this (version 7)."),
        (["current", "lost"], "All gateways that are heard of enforce this (version 7)."),
        (["lost"], "No gateway is connected"),
        (["current", "behind"], "1 of 2 gateways enforce it"),
        (["current", "refused"], "does not take version 7"),
    ],
)
def test_no_more_is_said_of_gateways_than_is_known(states: list[str], told: str) -> None:
    gateways = [
        {"name": f"g{number}", "state": state, "version": 7 if state == "current" else 6, "refused_reason": "x"}
        for number, state in enumerate(states)
    ]
    shown = TEMPLATES.get_template("enforcement.html").render(version=7, gateways=gateways, theme="")
    assert told in " ".join(shown.split())
    if "lost" in states:
        assert "All gateways enforce" not in shown


def test_the_keyboard_goes_on_from_what_is_told(site: Site, visit: Visit) -> None:
    visit.expected.append("400")
    page = visit.signed_in()
    page.goto(site.page("endpoints/add"))
    page.get_by_label("Host").fill("no host")
    page.get_by_label("Path template").fill("/told")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("Host").fill("api.example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Taken back")


def test_a_question_takes_the_focus_and_gives_it_back(site: Site, visit: Visit) -> None:
    page = visit.signed_in()
    page.goto(site.page("schemas"))
    ask = page.get_by_role("button", name="Switch all schema validation off…")
    ask.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(ask).to_be_focused()
