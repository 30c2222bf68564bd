"""The form that sends a capture: its token is looked at before anything of the capture is, and nobody else's form gets further."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from conftest import eventually
from dashboard.conftest import HOST_NAME, ZONE_NAME, Site, Visit, csrf_of
from hauberk.storage.access_tables import DashboardSession
from hauberk.storage.dashboard_sessions import end_sessions

PATH = f"/zones/{ZONE_NAME}/discovery/imports"
FORM = "multipart/form-data; boundary=b"
END = b"--b--\r\n"
ROW = {"time": "2026-05-01T10:00:00Z", "method": "GET", "host": HOST_NAME, "url": f"https://{HOST_NAME}/temps", "status": 200}
LINE = json.dumps(ROW).encode() + b"\n"


def field(name: str, value: str | bytes, *more: str) -> bytes:
    head = "; ".join(["form-data", f'name="{name}"', *more])
    return f"--b\r\nContent-Disposition: {head}\r\n\r\n".encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"


def file(content: bytes = LINE) -> bytes:
    return field("file", content, 'filename="day.ndjson"')


@pytest.fixture
def editor(site: Site) -> Iterator[httpx.Client]:
    with site.signed_in() as client:
        client.follow_redirects = False
        yield client


def left(site: Site) -> list[Path]:
    """What lies in the folder of captures that are received."""
    return [path for path in (site.plane.settings.state_dir / "imports").glob("**/*") if path.is_file()]


def count(site: Site) -> int:
    return int(site.rest.get(site.own("traffic/imports")).json()["result_info"]["total_count"])


def send(client: httpx.Client, *parts: bytes, kind: str = FORM, path: str = PATH) -> httpx.Response:
    return client.post(path, content=iter(parts), headers={"Content-Type": kind})


def test_the_token_is_in_the_form_and_not_in_its_address(site: Site, editor: httpx.Client) -> None:
    text = editor.get(PATH).text
    form = re.search(f'<form method="post" action="{PATH}" .*?</form>', text, re.DOTALL)
    assert form is not None
    names = re.findall(r'<(?:input|select)[^>]* name="(\w+)"', form[0])
    assert names == ["csrf", "file", "format", "default_host"]
    assert "csrf=" not in text


@pytest.mark.parametrize("sizes", [1, 7, 10_000])
def test_a_form_of_ours_is_passed_on_whole_in_whatever_pieces_it_comes(site: Site, editor: httpx.Client, sizes: int) -> None:
    body = field("csrf", csrf_of(editor.get(PATH))) + field("format", "ndjson") + file(LINE * 3) + END
    answer = send(editor, *(body[at : at + sizes] for at in range(0, len(body), sizes)))
    assert answer.status_code == 303
    import_id = answer.headers["location"].rpartition("/")[2]
    row = site.own(f"traffic/imports/{import_id}")
    eventually(lambda: site.rest.get(row).json()["result"]["state"] == "done")
    assert site.rest.get(row).json()["result"]["transactions"] == 3


def test_what_does_not_begin_with_the_token_is_refused_and_goes_nowhere(site: Site, editor: httpx.Client) -> None:
    token = csrf_of(editor.get(PATH))
    with site.signed_in() as other:
        anothers = csrf_of(other.get(PATH))
    before = count(site)
    good = field("csrf", token)
    refused = {
        "no token": [file(), END],
        "an empty one": [field("csrf", ""), file(), END],
        "a wrong one": [field("csrf", "made up"), file(), END],
        "of another session": [field("csrf", anothers), file(), END],
        "a part of it": [field("csrf", token[:-1]), file(), END],
        "no text": [field("csrf", b"\xff\x00"), file(), END],
        "after the file": [file(), good, END],
        "after another field": [field("format", ""), good, file(), END],
        "a wrong one before it": [field("csrf", "made up"), good, file(), END],
        "under another name": [field("token", token), file(), END],
        "in a part without a name": [f"--b\r\n\r\n{token}\r\n".encode(), file(), END],
        "in a part that does not end": [good[:-2]],
        "far behind": [field("x", "y" * 5000), good, file(), END],
        "behind a header that goes on and on": [good.replace(b"Content", b"X: " + b"y" * 5000 + b"\r\nContent"), file(), END],
        "no form": [b"garbage"],
        "nothing": [],
    }
    for case, parts in refused.items():
        answer = send(editor, *parts)
        assert (case, answer.status_code) == (case, 403)
        assert "This form is not one of ours" in answer.text
    for kind in ("application/x-www-form-urlencoded", "application/octet-stream", "multipart/form-data", "multipart/form-data; boundary="):
        assert send(editor, good, file(), END, kind=kind).status_code == 403
    assert send(editor, file(), END, path=f"{PATH}?csrf={token}").status_code == 403
    assert count(site) == before
    assert left(site) == []


def test_a_form_from_elsewhere_is_refused_whatever_it_carries(site: Site, editor: httpx.Client) -> None:
    before = count(site)
    body = field("csrf", csrf_of(editor.get(PATH))) + file() + END
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert editor.post(PATH, content=body, headers={"Content-Type": FORM, **headers}).status_code == 403
    assert httpx.post(site.url + PATH, content=body, headers={"Content-Type": FORM, "Origin": site.url}).headers["location"] == "/sign-in"
    assert count(site) == before


@pytest.mark.parametrize("first", [field("csrf", "made up") + b"--b\r\n", file(), b"\r\n" * 5000])
def test_the_answer_does_not_wait_for_the_rest(site: Site, editor: httpx.Client, first: bytes) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in editor.cookies.items())
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: {FORM}\r\n"
    port = urlsplit(site.url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head.encode() + b"Content-Length: 2000000000\r\n\r\n" + first)
        assert connection.recv(65536).startswith(b"HTTP/1.1 403 ")
        assert left(site) == []


def test_a_sender_who_goes_away_leaves_nothing(site: Site, editor: httpx.Client) -> None:
    before = count(site)
    begun = field("csrf", csrf_of(editor.get(PATH))) + file(LINE * 50_000)[:-2]
    cookies = "; ".join(f"{name}={value}" for name, value in editor.cookies.items())
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: {FORM}\r\n"
    with socket.create_connection(("127.0.0.1", urlsplit(site.url).port or 0), timeout=20) as connection:
        connection.sendall(head.encode() + b"Content-Length: 2000000000\r\n\r\n" + begun)
        eventually(lambda: left(site) != [])
    eventually(lambda: left(site) == [])
    assert count(site) == before


# --- In a browser -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Some megabytes, soon read."""
    path = tmp_path / "day.ndjson"
    path.write_bytes((LINE[:-2] + b" " * 40_000 + b"}\n") * 100)
    return path


def slowed(page: Page) -> Callable[[int], object]:
    """Give a function that has the browser send no faster than so many bytes a second; -1: as fast as it can."""
    browser = page.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1}
    return lambda most: browser.send("Network.emulateNetworkConditions", {**conditions, "uploadThroughput": most})


def test_sending_shows_how_far_it_is_and_is_cancelled(site: Site, visit: Visit, accessible: Callable[[Page], None], capture: Path) -> None:
    before = count(site)
    page = visit.signed_in()
    page.goto(site.page("discovery/imports"))
    page.set_input_files("input[type=file]", capture)
    expect(page.get_by_role("progressbar", name="Sent")).to_have_count(0)
    slow = slowed(page)
    slow(300_000)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    expect(page.locator("[data-sent]")).to_have_text(re.compile(r"^[0-9.]+ of [0-9.]+ MB$"))
    expect(page.get_by_role("button", name="Import")).to_be_disabled()
    accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Cancelled, and nothing was stored.")).to_be_visible()
    expect(page.get_by_role("button", name="Import")).to_be_focused()
    expect(page.get_by_role("progressbar", name="Sent")).to_have_count(0)
    eventually(lambda: left(site) == [])
    assert count(site) == before
    slow(-1)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("requests are in the traffic store")).to_be_visible()
    assert count(site) == before + 1


def test_what_is_refused_after_sending_is_told_on_the_page(site: Site, visit: Visit, capture: Path) -> None:
    visit.expected += ["400", "403"]
    page = visit.signed_in()
    page.goto(site.page("discovery/imports"))
    page.set_input_files("input[type=file]", capture)
    page.get_by_label("Host", exact=False).last.fill("elsewhere.test")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("alert").filter(has_text="at or below the zone")).to_be_focused()
    # The page that came in its place works as one that was loaded.
    page.set_input_files("input[type=file]", capture)
    page.evaluate("document.querySelector('form [name=csrf]').value = 'made up'")
    page.evaluate("document.querySelector('form[data-sends-file] [name=csrf]').value = 'made up'")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This form is not one of ours")


def test_sending_works_without_a_script(site: Site, visit: Visit, capture: Path) -> None:
    before = count(site)
    page = visit.signed_in(java_script_enabled=False)
    page.goto(site.page("discovery/imports"))
    expect(page.get_by_role("progressbar", name="Sent")).to_have_count(0)
    page.set_input_files("input[type=file]", capture)
    page.get_by_role("button", name="Import").click()
    expect(page).to_have_url(re.compile("/discovery/imports/[0-9a-f-]+"))
    assert count(site) == before + 1


def test_a_session_that_has_ended_leads_to_the_sign_in(site: Site, visit: Visit, capture: Path) -> None:
    page = visit.signed_in()
    page.goto(site.page("discovery/imports"))
    page.set_input_files("input[type=file]", capture)
    with site.plane.database.write() as session:
        end_sessions(session, DashboardSession.id.is_not(None))
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to hauberk")
