"""What holds for every page there is: strangers see none, viewers change nothing, forms from elsewhere are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from fastapi.routing import APIRoute

from dashboard.conftest import ZONE_NAME, Site, csrf_of
from dashboard.seen_page import Seen
from hauberk.dashboard.app import PAGES
from hauberk.dashboard.sessions import is_own_affair

ROUTES = [route for module in PAGES for route in module.routes.routes if isinstance(route, APIRoute)]
PUBLIC = ("/sign-in", "/docs")
"""What strangers may open."""


def address(route: APIRoute) -> str:
    """Give an address of a route, of things that are not there."""
    nobodys = {"zone_name": ZONE_NAME, "uuid": str(UUID(int=1))}
    return re.sub(r"\{(\w+)(?::(\w+))?\}", lambda match: nobodys.get(match[1]) or nobodys.get(match[2], "1"), route.path)


def those(method: str) -> list[str]:
    return sorted({address(route) for route in ROUTES if method in route.methods and not route.path.startswith(PUBLIC)})


class SignedIn:
    """Somebody who does not follow redirects, with the token of their forms."""

    def __init__(self, client: httpx.Client) -> None:
        client.follow_redirects = False
        self.client = client
        self.csrf = csrf_of(client.get("/account"))


@pytest.fixture(scope="module")
def stranger(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, headers={"Origin": site.url}, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def viewer(site: Site) -> Iterator[SignedIn]:
    with site.signed_in(site.new_token("read")) as client:
        yield SignedIn(client)


@pytest.fixture(scope="module")
def editor(site: Site) -> Iterator[SignedIn]:
    with site.signed_in() as client:
        yield SignedIn(client)


def test_pages_are_read_and_forms_are_sent() -> None:
    assert {method for route in ROUTES for method in route.methods} == {"GET", "POST"}


@pytest.mark.parametrize("path", [path for path in those("POST") if path != "/sign-out"])
def test_a_viewer_changes_nothing(viewer: SignedIn, path: str) -> None:
    answer = viewer.client.post(path, data={"csrf": viewer.csrf})
    if is_own_affair(path):
        assert answer.status_code in {303, 400, 404, 409}
    else:
        assert answer.status_code == 403
        assert "You are signed in as a viewer" in answer.text


@pytest.mark.parametrize("path", those("POST"))
def test_forms_from_elsewhere_are_refused(editor: SignedIn, path: str) -> None:
    good = {"files": {"csrf": (None, editor.csrf)}}  # in parts: the form that sends captures is looked at no further than its first one
    for answer in (
        editor.client.post(path),
        editor.client.post(path, files={"csrf": (None, "made up")}),
        editor.client.post(path, data={"csrf": "made up"}),
        editor.client.post(path, data={"x": "y"}, params={"csrf": editor.csrf}),
        editor.client.post(path, **good, headers={"Origin": "https://evil.example"}),
        editor.client.post(path, **good, headers={"Sec-Fetch-Site": "cross-site"}),
    ):
        assert answer.status_code == 403
        assert "load the page again" in answer.text


@pytest.mark.parametrize("path", those("POST"))
def test_strangers_change_nothing(stranger: httpx.Client, path: str) -> None:
    answer = stranger.post(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("path", those("GET"))
def test_strangers_see_nothing(stranger: httpx.Client, path: str) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("path", those("GET"))
def test_a_viewer_is_shown_no_button_that_would_be_refused(viewer: SignedIn, path: str) -> None:
    answer = viewer.client.get(path)
    assert answer.status_code < 500
    is_page = "html" in answer.headers.get("content-type", "")
    assert Seen(answer.text if is_page else "").changing == []
