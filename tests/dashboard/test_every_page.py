"""All pages, found by following links: strangers' text is only read, keyboards reach everything, axe-core finds nothing grave."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from html import unescape
from itertools import cycle
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from conftest import settings_for
from dashboard.conftest import Site, Visit, served
from dashboard.hostile import ATTRIBUTE, FIELDS, MARKUP, RAW, TURNED, fill

# Of pages that differ only in what they show, so many are looked at.
OF_A_KIND = 2
MOST_PAGES = 150
PHONE = 390
"""Pixels; as wide is a window of 1280 at 300 %."""

LINK = re.compile(r'href="([^"]+)"')
VARIABLE = re.compile(r"/(?:[0-9a-f]{32}|[0-9a-f-]{36}|[^/]*%[^/]*|[^/]*\.example\.com)(?=/|$)")

FORM = re.compile(r'<form((?=[^>]* method="get")[^>]*)>(.*?)</form>', re.DOTALL)
ELSEWHERE = ("/static", "/docs", "/client", "/hauberk")

BEYOND = "9999-12-31T23:59:59-14:00"
"""No number, no name, no choice; and a time that is none in UTC."""

ODD = ("-1", "9" * 5000, "1e400", "NaN", "a\0b", f"{MARKUP}{ATTRIBUTE}{TURNED}", "../..", "٣", "[", "(" * 2000)

UNREACHABLE = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((one) => one.checkVisibility() && !one.disabled && one.type !== "hidden" && !one.closest("[aria-hidden=true]"))
    .filter((one) => one.tabIndex !== 0)
    .map((one) => one.outerHTML.slice(0, 120))"""
NAMELESS = """() => [...document.querySelectorAll("button, input, select, textarea")]
    .filter((one) => one.type !== "hidden" && one.checkVisibility() && !one.labels?.length && !one.getAttribute("aria-label")
        && !one.getAttribute("aria-labelledby") && !one.textContent.trim())
    .map((one) => one.outerHTML.slice(0, 120))"""


def crawl(site: Site) -> dict[str, str]:
    """Follow the links of all pages from the first one on; gives pages by their addresses, some of each kind."""
    pages: dict[str, str] = {}
    kinds = Counter[str]()
    broken: list[str] = []
    waiting = ["/zones/example.com", "/settings/zones", "/account"]
    with site.signed_in() as client:
        while waiting and len(pages) < MOST_PAGES:
            address = waiting.pop(0)
            parts = urlsplit(address)
            kind = VARIABLE.sub("/…", parts.path) + "?" + ",".join(sorted(re.findall(r"(?:^|&)([a-z_]+)=", parts.query)))
            if address in pages or kinds[kind] >= OF_A_KIND:
                continue
            kinds[kind] += 1
            answer = client.get(address)
            if "text/html" not in answer.headers["content-type"]:
                continue
            pages[address] = answer.text
            if answer.status_code != 200:
                broken.append(f"{address} answers {answer.status_code}")
            for link in LINK.findall(answer.text):
                target = urlsplit(urljoin(site.url + address, unescape(link)))
                if target.netloc == urlsplit(site.url).netloc and not target.path.startswith(ELSEWHERE):
                    waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    assert not broken, broken
    return pages


@pytest.fixture(scope="module")
def hostile(site: Site) -> dict[str, str]:
    """The pages of a site that strangers have filled."""
    fill(site)
    return crawl(site)


@pytest.fixture
def open_pages(hostile: dict[str, str], visit: Visit) -> tuple[Page, list[str]]:
    """A signed-in browser, and one page of each kind."""
    chosen: dict[str, str] = {}
    for address in hostile:
        chosen.setdefault(VARIABLE.sub("/…", urlsplit(address).path), address)
    return visit.signed_in(), list(chosen.values())


def test_nothing_of_what_strangers_sent_is_markup(hostile: dict[str, str]) -> None:
    assert len(hostile) > 20, sorted(hostile)
    for address, text in hostile.items():
        read = FIELDS.sub("", text)
        found = RAW.search(read)
        assert found is None, f"{address}: {read[max(0, found.start() - 200) : found.end() + 80]!r}"
    shown = "".join(hostile.values())
    # It is there all the same, to be read.
    for part in ("&lt;script&gt;window.pwned=1", "onerror=window.pwned=2&gt;", "\\u202e", "\\x1b"):
        assert part in shown, part


def asked_of(pages: dict[str, str]) -> dict[str, tuple[str, set[str]]]:
    """Give an address of each kind of page, with the parameters that links and forms bring to it."""
    known: dict[str, tuple[str, set[str]]] = {}
    for address, text in pages.items():
        asked: list[tuple[str, list[str]]] = [(urljoin(address, unescape(link)), []) for link in (address, *LINK.findall(text))]
        for attributes, fields in FORM.findall(text):
            action = re.search(r' action="([^"]*)"', attributes)
            asked.append((urljoin(address, unescape(action[1]) if action else ""), re.findall(r' name="([a-z0-9_]+)"', fields)))
        for target, names in asked:
            parts = urlsplit(target)
            if not parts.path.startswith(ELSEWHERE):
                _, there = known.setdefault(VARIABLE.sub("/…", parts.path), (parts.path, set()))
                there.update(names, (name for name, _ in parse_qsl(parts.query)))
    return known


def test_no_address_is_too_odd_to_be_answered(hostile: dict[str, str], site: Site) -> None:
    """Whatever a parameter holds, a page says what is wrong with it or does without."""
    odd = cycle(ODD)
    with site.signed_in() as client:
        client.follow_redirects = False
        for path, names in asked_of(hostile).values():
            for name in sorted(names | {"page"}):
                for value in (BEYOND, next(odd)):
                    answer = client.get(path, params={name: value})
                    assert answer.status_code < 500, (path, name, value)
                    if "text/html" in answer.headers.get("content-type", ""):
                        assert RAW.search(FIELDS.sub("", answer.text)) is None, (path, name, value)


def test_the_tab_key_goes_through_a_form_and_enter_sends_it(visit: Visit) -> None:
    page = visit.signed_in()
    page.goto(visit.site.page("settings/hosts/new"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.get_by_label("Host name").evaluate("(one) => one === document.activeElement"):
            break
    page.keyboard.type("typed.example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("http://127.0.0.1:9")
    page.get_by_label("Host name").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("typed.example.com is served")


def test_each_page_runs_nothing_of_strangers_and_is_for_everybody(
    open_pages: tuple[Page, list[str]], visit: Visit, accessible: Callable[[Page], None]
) -> None:  # fmt: skip
    page, addresses = open_pages
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for address in addresses:
        page.goto(visit.site.url + address)
        assert page.evaluate("window.pwned") is None, address
        assert page.locator("img[src=x], script:not([src])").count() == 0, address
        assert page.evaluate(UNREACHABLE) == [], address
        assert page.evaluate(NAMELESS) == [], address
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        _judge(page, address, accessible)
        page.set_viewport_size({"width": PHONE, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, f"{address} is wider than a phone"
        page.set_viewport_size({"width": 1280, "height": 800})
    assert dialogs == []


def test_axe_finds_nothing_grave_on_empty_pages(
    first_state: Path, tmp_path: Path, browser: Browser, accessible: Callable[[Page], None]
) -> None:  # fmt: skip
    folder = Path(shutil.copytree(first_state, tmp_path / "state"))
    with served(settings_for(folder, "127.0.0.1:8080")) as empty:
        visit = Visit(browser, empty)
        page = visit.signed_in()
        with empty.signed_in() as client:
            menu = dict.fromkeys(re.findall(r'<li><a href="(/zones/[^"]+)"', client.get("/zones/example.com").text))
        assert len(menu) >= 8
        for address in menu:
            page.goto(empty.url + address)
            _judge(page, address, accessible)
        visit.close()


def _judge(page: Page, address: str, accessible: Callable[[Page], None]) -> None:
    """Everything in the light theme, and contrast in the dark one."""
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    try:
        accessible(page)
    except AssertionError as error:
        raise AssertionError(f"{address}: {error}") from None
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    pale = page.evaluate("axe.run(document, {runOnly: ['color-contrast']})")["violations"]
    assert pale == [], (address, [node["html"] for violation in pale for node in violation["nodes"]][:5])
