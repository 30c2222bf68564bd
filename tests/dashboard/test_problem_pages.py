"""Whatever goes wrong, a person sees a page with words, with the menu if they are signed in; programs get JSON."""

from __future__ import annotations

import html
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect

from conftest import settings_for
from dashboard.conftest import ZONE_NAME, Site, Visit, csrf_of, served
from hauberk.storage.access_tables import DashboardSession
from hauberk.storage.dashboard_sessions import end_sessions

LIMIT = 100_000
NO_BOUNDARY = {"Content-Type": "multipart/form-data"}
PARTS = {"Content-Type": "multipart/form-data; boundary=b"}
ZONE = f"/zones/{ZONE_NAME}"
FIELD = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A control plane that takes little."""
    with served(
        settings_for(tmp_path_factory.mktemp("small") / "state", "127.0.0.1:8080", control_plane={"max_upload_bytes": LIMIT})
    ) as site:
        yield site


def assert_page(answer: httpx.Response, status: int, title: str, words: str, *, framed: bool) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    heading = re.search("<h1>(.*?)</h1>", answer.text)
    assert heading is not None
    assert heading[1] == title
    seen = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())
    assert words in seen
    assert "To the first page" in seen
    assert ('<nav class="side"' in answer.text) is framed


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "title", "words"),
    [
        ("GET", "/nothing/here", {}, 404, "No such page", "Nothing is at this address."),
        ("GET", "/static/none.css", {}, 404, "No such page", "Nothing is at this address."),
        ("GET", "/enforcement/x", {}, 404, "No such page", "Nothing is at this address."),
        ("GET", "/zones/elsewhere.test", {}, 404, "No such zone", "no zone named elsewhere.test"),
        ("GET", f"{ZONE}/events/none", {}, 404, "Not found", "none"),
        ("PUT", "/", {}, 405, "Not at this address", "done by the button of a page"),
        ("POST", f"{ZONE}/events", {}, 405, "Not at this address", "done by the button of a page"),
        ("GET", "/sign-out", {}, 405, "Not at this address", "only looked at here"),
        ("GET", f"{ZONE}/events/export?since=yesterday", {}, 400, "This was not understood", "since"),
        ("GET", f"{ZONE}/events/export?status=x", {}, 400, "This was not understood", "status"),
        ("GET", f"{ZONE}/schemas/uploaded/none/source", {}, 404, "Not found", "none"),
        ("POST", "/settings/users", {"json": {"name": "x"}}, 403, "This form is not one of ours", "load the page again"),
        ("POST", "/settings/users", {"content": b"", "headers": PARTS}, 403, "This form is not one of ours", "load the page again"),
        ("POST", "/settings/users", {"content": b"x", "headers": PARTS}, 400, "This was not understood", "Nothing was changed."),
        ("POST", "/settings/users", {"content": FIELD, "headers": NO_BOUNDARY}, 400, "This was not understood", "boundary"),
        ("POST", "/settings/users", {"content": bytes(LIMIT + 1)}, 413, "This is too large", "100.0 kB (100,000 bytes)"),
        ("POST", f"{ZONE}/schemas/new", {"content": iter([FIELD, bytes(LIMIT)]), "headers": PARTS}, 413, "This is too large", "setting"),
        ("POST", "/account/password", {"data": {"a": "x" * 20_000}}, 400, "This was not understood", "Field exceeded maximum size"),
        ("POST", f"{ZONE}/discovery/imports", {"files": {"file": b"x"}}, 403, "This form is not one of ours", "load the page again"),
    ],
)  # fmt: skip
def test_who_is_signed_in_keeps_the_menu(small: Site, method: str, path: str, sent: Any, status: int, title: str, words: str) -> None:
    with small.signed_in() as client:
        answer = client.request(method, path, **sent)
    assert_page(answer, status, title, words, framed=True)
    assert ("allow" in answer.headers) is (status == 405)


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "title", "words"),
    [
        ("GET", "/nothing/here", {}, 404, "No such page", "Nothing is at this address."),
        ("DELETE", "/sign-in", {}, 405, "Not at this address", "Nothing was changed."),
        ("POST", "/sign-in", {"data": {"csrf": "made up"}}, 403, "This form is not one of ours", "load the page again"),
        ("POST", "/sign-in", {"content": bytes(20_000)}, 413, "This is too large", "larger than any that the sign-in page sends"),
        ("POST", "/sign-in", {"content": b"&".join([b"a=b"] * 30)}, 400, "This was not understood", "no form of the sign-in page"),
    ],
)
def test_a_stranger_sees_a_page_without_it(small: Site, method: str, path: str, sent: Any, status: int, title: str, words: str) -> None:
    answer = httpx.request(method, small.url + path, **sent, headers={"Origin": small.url})
    assert_page(answer, status, title, words, framed=False)


def test_a_viewer_is_told_on_a_page_with_the_menu(small: Site) -> None:
    with small.signed_in(small.new_token("read")) as client:
        assert_page(client.post(f"{ZONE}/rules"), 403, "You may not do this", "You are signed in as a viewer", framed=True)


def test_a_form_of_a_session_that_has_ended_leads_back_to_its_page(small: Site) -> None:
    with small.signed_in() as client:
        csrf = csrf_of(client.get("/settings/users"))
        with small.plane.database.write() as session:
            end_sessions(session, DashboardSession.id.is_not(None))
        before = {"Referer": f"{small.url}{ZONE}/rules?page=2"}
        answer = client.post("/settings/users", data={"csrf": csrf}, headers=before, follow_redirects=False)
        assert answer.headers["location"] == "/sign-in?ended=1&next=%2Fzones%2Fexample.com%2Frules%3Fpage%3D2"
        shown = client.get(answer.headers["location"]).text
        assert "Your session has ended, and what you sent last was not done." in shown
        assert f'value="{ZONE}/rules?page=2"' in shown
        elsewhere = client.post("/sign-out", headers={"Referer": "https://evil.example//evil.example/x"}, follow_redirects=False)
        assert "//evil" not in client.get(elsewhere.headers["location"]).text


@pytest.mark.parametrize(
    ("head", "content_type", "words"),
    [
        (b"GET /zones/example.com/events?path=" + b"x" * 1_000_000, b"text/html", b"This request is too long"),
        (b"GET / HTTP/1.1\r\nCookie: " + b"x" * 1_000_000, b"text/html", b"forget the cookies of this host"),
        (b"GET /client/v4/zones?name=" + b"x" * 1_000_000, b"application/json", b'"code":1413'),
    ],
)
def test_a_head_that_goes_on_and_on_is_refused_in_words(small: Site, head: bytes, content_type: bytes, words: bytes) -> None:
    answer = b""
    with socket.create_connection(("127.0.0.1", urlsplit(small.url).port or 0), timeout=20) as connection:
        try:
            connection.sendall(head)
            while part := connection.recv(65536):
                answer += part
        except ConnectionError:  # it is closed before all of it is sent
            pass
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"\r\ncontent-type: " + content_type in answer
    assert words in answer
    assert b"\r\ncontent-security-policy: " in answer


def test_a_look_at_a_document_that_is_too_large_says_so_in_its_place(small: Site, browser: Browser) -> None:
    visit = Visit(browser, small)
    visit.expected.append("413")
    page = visit.signed_in()
    page.goto(small.page("schemas/new"))
    page.set_input_files("input[type=file]", {"name": "openapi.yaml", "mimeType": "application/yaml", "buffer": bytes(LIMIT)})
    told = page.locator("#look").get_by_role("alert")
    expect(told).to_have_text(re.compile(r"^This is too large: A form may hold 100\.0 kB .* control_plane\.max_upload_bytes"))
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This is too large")
    visit.close()


def test_rest_answers_json(small: Site) -> None:
    for answer, status in (
        (small.rest.get("/client/v4/nothing"), 404),
        (small.rest.put(small.own("events/export")), 405),
        (small.rest.get(small.own("events/export"), params={"since": "yesterday"}), 400),
        (small.rest.post(small.own("schemas"), content=bytes(LIMIT + 1)), 413),
    ):
        assert answer.status_code == status
        assert answer.json()["success"] is False


def test_a_database_that_fails_is_told_on_a_page(tmp_path: Any) -> None:
    settings = settings_for(tmp_path / "state", "127.0.0.1:8080")
    with served(settings) as site, site.signed_in() as client, closing(sqlite3.connect(settings.state_dir / "hauberk.db")) as database:
        # What pages ask REST for fails first, then it cannot even be told who is signed in.
        database.execute("ALTER TABLE security_events RENAME TO lost_events")
        failed = "An error inside hauberk: its log has the details."
        for path in (f"{ZONE}/events", f"{ZONE}/events/export"):
            assert_page(client.get(path), 500, "This did not work", failed, framed=True)
        database.execute("ALTER TABLE zones RENAME TO lost_zones")
        assert_page(client.get(f"{ZONE}/events"), 500, "This did not work", failed, framed=False)
        database.execute("ALTER TABLE dashboard_sessions RENAME TO lost_sessions")
        for path in ("/", f"{ZONE}/events/export", "/sign-in"):
            assert_page(client.get(path), 500, "This did not work", "the database does not answer", framed=False)
        assert_page(client.post("/settings/users"), 500, "This did not work", "the database does not answer", framed=False)
        assert_page(client.get("/nothing/here"), 404, "No such page", "Nothing is at this address.", framed=False)
