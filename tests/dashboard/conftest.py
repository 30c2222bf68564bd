"""A control plane in a folder of its own, served as it is served to owners, and people who look at it in Chromium."""

from __future__ import annotations

import re
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from conftest import HOST_NAME, ZONE_NAME, eventually, missing, settings_for
from hauberk.config import Settings
from hauberk.pipeline import ControlPlane
from hauberk.serve.listening import bind
from hauberk.serve.site import site_server

__all__ = ["HOST_NAME", "ZONE_NAME", "Site", "Visit", "csrf_of", "served", "sign_in"]


@dataclass
class Site:
    """A served control plane."""

    url: str
    plane: ControlPlane
    rest: httpx.Client
    """The REST API, with the first token."""

    zone_id: str

    @property
    def token(self) -> str:
        return (self.plane.settings.state_dir / "admin-token").read_text().strip()

    def v4(self, path: str) -> str:
        return f"/client/v4/zones/{self.zone_id}/{path}"

    def own(self, path: str) -> str:
        return f"/hauberk/v1/zones/{self.zone_id}/{path}"

    def page(self, path: str = "") -> str:
        """Give the address of a page of the zone."""
        return f"{self.url}/zones/{ZONE_NAME}/{path}".rstrip("/")

    def signed_in(self, token: str | None = None) -> httpx.Client:
        """Give a client that is signed in to the pages, without a browser; use it as a context manager."""
        cookies = sign_in(self.url, {"token": token or self.token})
        # As a browser sends it with each form.
        return httpx.Client(base_url=self.url, follow_redirects=True, cookies=cookies, headers={"Origin": self.url}, timeout=30)

    def new_token(self, scope: str) -> str:
        answer = self.rest.post("/hauberk/v1/tokens", json={"name": f"a {scope} token", "scope": scope})
        return str(answer.raise_for_status().json()["result"]["token"])


def sign_in(url: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Sign in as a browser would, by `token` or by `name` and `password`, and give the cookies."""
    with httpx.Client(base_url=url, follow_redirects=True, headers={"Origin": url}, timeout=30) as client:
        form = {"csrf": csrf_of(client.get("/sign-in")), "next": "/", **fields}
        client.post("/sign-in", data=form).raise_for_status()
        return dict(client.cookies)


def csrf_of(answer: httpx.Response) -> str:
    """Give the token that the forms of a page carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
    assert found is not None, "there is no form on this page"
    return found[1]


@contextmanager
def served(settings: Settings, address: str = "127.0.0.1:0") -> Iterator[Site]:
    """Serve a control plane in a thread, on a free port unless the address names one."""
    plane = ControlPlane(settings)
    bound = bind(address, "control_plane.listen")
    certificate = settings.control_plane.certificate
    url = f"{'https' if certificate else 'http'}://127.0.0.1:{bound.getsockname()[1]}"
    running = site_server(plane)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        token = (settings.state_dir / "admin-token").read_text().strip()
        trusted = ssl.create_default_context(cafile=str(certificate)) if certificate else False
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30, verify=trusted) as rest:
            eventually(lambda: running.started)
            zones = rest.get("/client/v4/zones").raise_for_status().json()["result"]
            yield Site(url, plane, rest, zones[0]["id"] if zones else "")
    finally:
        running.should_exit = True
        thread.join()
        plane.close()


@pytest.fixture(scope="module")
def site(first_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A fresh control plane with the zone example.com and the host api.example.com, for the whole file."""
    folder = Path(shutil.copytree(first_state, tmp_path_factory.mktemp("site") / "state"))
    with served(settings_for(folder, "127.0.0.1:8080")) as served_site:
        yield served_site


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. While it is there this thread has an event loop that runs, so it ends with the tests of this folder."""
    program = shutil.which("chromium")
    if program is None:
        missing("chromium is not installed")
    with sync_playwright() as playwright:
        # Whoever runs tests as root has no sandbox; the pages are ours.
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


class Visit:
    """Someone at the browser. A page that logs an error, breaks its policy or asks another host fails the test at its end."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.browser = browser
        self.site = site
        self.contexts: list[BrowserContext] = []
        self.faults: list[str] = []
        self.expected: list[str] = []
        """Parts of console messages that belong to the test, such as the 403 it provokes."""

    def someone(self, **options: object) -> Page:
        """Open a browser of one's own, signed in nowhere."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 800}, **options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        page = context.new_page()
        self.watch(page)
        return page

    def watch(self, page: Page) -> None:
        """Note what goes wrong on a page, such as another tab."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("request", self._asked)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob", "about"} and not request.url.startswith(self.site.url):
            self.faults.append(f"asked another host: {address.netloc}")

    def signed_in(self, token: str | None = None, **options: object) -> Page:
        """Open a browser and sign in with a token, the first one by default."""
        page = self.someone(**options)
        client = self.site.signed_in(token)
        page.context.add_cookies(
            [{"name": cookie.name, "value": cookie.value or "", "url": self.site.url} for cookie in client.cookies.jar]
        )
        client.close()
        return page

    def as_viewer(self, **options: object) -> Page:
        """Open a browser, signed in with a token that may only read."""
        return self.signed_in(self.site.new_token("read"), **options)

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        wrong = [fault for fault in self.faults if not any(part in fault for part in self.expected)]
        assert not wrong, wrong


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """People at browsers of their own: `visit.signed_in()` gives a page."""
    visiting = Visit(browser, site)
    yield visiting
    visiting.close()


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """Check a page with axe-core: nothing serious or critical."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - half a megabyte of script, for some tests

    def check(page: Page) -> None:
        found = Axe().run(page).response["violations"]
        grave = [
            f"{violation['id']}: {violation['help']}: {[node['html'][:200] for node in violation['nodes'][:3]]}"
            for violation in found
            if violation["impact"] in {"serious", "critical"}
        ]
        assert not grave, grave

    return check
