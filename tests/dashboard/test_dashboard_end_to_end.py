"""The whole way by the browser, with a real gateway and a real origin behind the pages; nothing is replaced."""

from __future__ import annotations

import re
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, expect

from conftest import eventually, free_port, settings_for
from dashboard.conftest import HOST_NAME, Site, Visit, served
from hauberk.demo.traffic.catalogue import customer_token
from hauberk.demo.traffic.history import made_up, write_capture
from hauberk.demo.traffic.origin import Origin
from hauberk.gateway import GatewayRunner
from hauberk.serve.listening import bind

# What a page waits for that others bring about: a run of learning, a gateway that follows.
PATIENCE_MS = 30_000


class Installation:
    """A control plane that can be stopped and started again, a gateway, and the demo's shop behind it."""

    def __init__(self, state_dir: Path, folder: Path) -> None:
        self.port = free_port()
        learning = {"min_requests": 60, "refresh_seconds": 3600, "behind_proxy": True}
        discovery = {"min_requests": 20, "refresh_seconds": 3600}
        self.settings = settings_for(state_dir, f"127.0.0.1:{self.port}", learning=learning, discovery=discovery)
        self._bound = bind("127.0.0.1:0", "origin")
        self._origin = uvicorn.Server(uvicorn.Config(Origin(1), log_config=None, lifespan="off"))
        self._origin_thread = threading.Thread(target=self._origin.run, kwargs={"sockets": [self._bound]})
        self._origin_thread.start()
        zone = self.settings.zones[0]
        host = zone.hosts[0].model_copy(update={"upstreams": [f"http://127.0.0.1:{self._bound.getsockname()[1]}"]})
        self.settings = self.settings.model_copy(update={"zones": [zone.model_copy(update={"hosts": [host]})]})
        self.serve()
        gateway = settings_for(
            folder,
            f"127.0.0.1:{self.port}",
            gateway={"https": ["127.0.0.1:0"], "http": ["127.0.0.1:0"], "poll_seconds": 0.1, "grace_seconds": 0.5},
            traffic={"bodies": "json", "max_per_second": 1e6, "flush_seconds": 0.1, "store": self.site.plane.settings.traffic_store},
        )
        token = (state_dir / "gateway-token").read_text().strip()
        self.runner = GatewayRunner(gateway, self.site.url, token)
        self._runner_thread = threading.Thread(target=self.runner.run)
        self._runner_thread.start()
        eventually(lambda: self.runner.ready)
        self.client = httpx.Client(
            base_url=f"http://{self.runner.core.http_addresses[0]}",
            headers={"Host": HOST_NAME, "Authorization": f"Bearer {customer_token(1)}"},
            trust_env=False,
        )

    def serve(self) -> None:
        """Start the control plane, always at the same address."""
        self._served: AbstractContextManager[Site] = served(self.settings, f"127.0.0.1:{self.port}")
        self.site = self._served.__enter__()
        for work in (self.site.plane.inventory, self.site.plane.learning, self.site.plane.drift):
            work.start()

    def stop_serving(self) -> None:
        """Stop it; the gateway goes on."""
        self._served.__exit__(None, None, None)

    def enforced(self) -> None:
        """Wait until the gateway enforces what is stored."""
        version = self.site.plane.revision()
        eventually(lambda: self.runner.core.version == version)

    def counted(self) -> None:
        """Have the gateway bring what it counted, which it does every ten seconds."""
        for carrier in (self.runner.metrics, self.runner.requests):
            carrier.carry()

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(path, **options)

    def with_certificate(self, folder: Path, made: dict[str, Any]) -> httpx.Client:
        """Give a client that shows a certificate, over TLS."""
        for name in ("certificate", "private_key"):
            (folder / name).write_text(made[name])
        hosts = self.site.rest.get(self.site.own("hosts")).json()["result"]
        context = ssl.create_default_context(cadata=hosts[0]["certificate_pem"])
        context.load_cert_chain(folder / "certificate", folder / "private_key")
        context.check_hostname = False
        return httpx.Client(base_url=f"https://{self.runner.core.https_addresses[0]}", headers=self.client.headers, verify=context)

    def close(self) -> None:
        self.client.close()
        self.runner.stop()
        self._runner_thread.join()
        self.stop_serving()
        self._origin.should_exit = True
        self._origin_thread.join()
        self._bound.close()


@pytest.fixture(scope="module")
def installation(first_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("whole")
    made = Installation(Path(shutil.copytree(first_state, folder / "state")), folder / "gateway")
    yield made
    made.close()


@pytest.fixture
def person(browser: Browser, installation: Installation) -> Iterator[Visit]:
    visiting = Visit(browser, installation.site)
    yield visiting
    visiting.close()


@pytest.fixture
def patience() -> Iterator[None]:
    """Wait longer for what the background brings about."""
    expect.set_options(timeout=PATIENCE_MS)
    yield
    expect.set_options(timeout=5_000)


def test_mutual_tls_is_required_and_the_refusal_is_counted(installation: Installation, person: Visit, tmp_path: Path) -> None:
    site = installation.site
    assert installation.get("/v1/categories").status_code == 200
    page = person.signed_in()
    page.goto(site.page("certificates/require"))
    page.get_by_label(HOST_NAME).check()
    expect(page.locator("#would")).to_contain_text("cert_verified")
    page.get_by_role("button", name="Require it").click()
    expect(page.get_by_role("status")).to_contain_text("All gateways enforce this")
    assert installation.get("/v1/categories").status_code == 403
    made = site.rest.post(site.own("client_certificates/generate"), json={"subject": {"common_name": "device-1"}, "validity_days": 30})
    installation.enforced()
    with installation.with_certificate(tmp_path, made.json()["result"]) as device:
        assert device.get("/v1/categories").status_code == 200
    installation.counted()

    page.goto(site.page("events"))
    row = page.get_by_role("row").filter(has_text="/v1/categories")
    expect(row.first).to_contain_text("blocked")
    page.goto(site.page())
    overview = page.locator("#overview")
    expect(overview.locator(".card").filter(has_text="blocked").first.locator(".figure")).to_have_text("1")
    expect(overview).to_contain_text("demanded")

    # And taken back, with the button of the change.
    page.goto(site.page("certificates/hosts"))
    site.rest.put(site.own("mutual-tls"), json={"hosts": {HOST_NAME: {"rule": None, "authorities": []}}}).raise_for_status()
    installation.enforced()
    assert installation.get("/v1/categories").status_code == 200


def test_two_tabs_at_once(installation: Installation, person: Visit) -> None:
    site = installation.site
    first = person.signed_in()
    second = first.context.new_page()
    person.watch(second)
    first.goto(site.page("settings/hosts/new"))
    second.goto(site.page("settings/hosts/new"))
    for page, name in ((first, "one.example.com"), (second, "two.example.com")):
        page.get_by_label("Host name").fill(name)
        page.get_by_label("Upstreams").fill("http://127.0.0.1:9")
    first.get_by_role("button", name="Add the host").click()
    second.get_by_role("button", name="Add the host").click()
    # Each is told of its own change, and sees the other's.
    expect(first.get_by_role("status")).to_contain_text("one.example.com is served")
    expect(second.get_by_role("status")).to_contain_text("two.example.com is served")
    expect(second.get_by_role("row", name="one.example.com")).to_be_visible()
    # What one has removed, the other is told of.
    first.goto(site.page("settings/hosts/two.example.com"))
    second.get_by_role("row", name="two.example.com").get_by_role("button", name="Remove…").click()
    second.get_by_role("button", name="Remove", exact=True).click()
    expect(second.get_by_role("status")).to_contain_text("not served any more")
    first.get_by_label("Upstreams").fill("http://127.0.0.1:10")
    person.expected.append("404")
    first.get_by_role("button", name="Change it").click()
    expect(first.get_by_text("the zone has no host 'two.example.com'")).to_be_visible()
    # Signed out in one, neither may go on.
    second.locator("header details.menu summary").last.click()
    second.get_by_role("button", name="Sign out").click()
    expect(second).to_have_url(f"{site.url}/sign-in")
    first.goto(site.page("settings"))
    expect(first).to_have_url(f"{site.url}/sign-in?next=%2Fzones%2Fexample.com%2Fsettings")


def test_the_control_plane_is_restarted_under_an_open_page(installation: Installation, person: Visit) -> None:
    page = person.signed_in()
    page.goto(installation.site.page())
    person.expected += ["ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "ERR_SOCKET_NOT_CONNECTED"]
    installation.stop_serving()
    try:
        expect(page.get_by_text("The control plane does not answer.")).to_be_visible(timeout=PATIENCE_MS)
        assert installation.get("/v1/categories").status_code == 200
    finally:
        installation.serve()
    expect(page.get_by_text("The control plane does not answer.")).to_be_hidden(timeout=PATIENCE_MS)
    expect(page.locator("#gateways")).to_contain_text("1 gateway up to date", timeout=PATIENCE_MS)
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    assert "sign-in" not in page.url


@pytest.mark.usefixtures("patience")
def test_from_a_capture_to_a_refusal(installation: Installation, person: Visit, tmp_path: Path) -> None:
    site = installation.site
    capture = tmp_path / "recorded.ndjson"
    # The shop's app as the demo plays it, two days long; what is not of this host is left out.
    past = made_up(5, 2, 120, datetime.now(UTC) - timedelta(minutes=5))
    write_capture(capture, (one for one in past if one.sent.caller.startswith("app-")))
    site.rest.put(
        site.v4("api_gateway/configuration"), json={"auth_id_characteristics": [{"type": "header", "name": "authorization"}]}
    ).raise_for_status()
    page = person.signed_in()
    page.set_default_timeout(PATIENCE_MS)

    page.goto(site.page("discovery"))
    page.get_by_role("link", name="Import a capture").first.click()
    page.get_by_label("The capture, plain or packed").set_input_files(capture)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("requests are in the traffic store")).to_be_visible()
    page.get_by_role("button", name="Look now").click()

    row = page.get_by_role("row").filter(has_text="/v1/orders/{var1}").filter(has=page.get_by_text("GET", exact=True))
    expect(row).to_have_count(1)
    page.locator("input[data-select-all]").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(re.compile("Saved [0-9]+ operations"))
    installation.enforced()

    page.goto(site.page("schemas/learned"))
    page.get_by_role("button", name="Learn now").click()
    saved = site.rest.get(site.v4("api_gateway/operations"), params={"per_page": 100}).json()["result"]
    wanted = next(one for one in saved if (one["method"], one["endpoint"]) == ("GET", "/v1/orders/{var1}"))["operation_id"]
    eventually(lambda: site.rest.get(site.own(f"learning/operations/{wanted}")).json()["result"]["state"] == "schema_learned")
    # The table follows by itself while it is learned.
    page.get_by_role("button", name=re.compile("Apply all [0-9]+ ready")).click()
    expect(page.get_by_role("status")).to_contain_text("All gateways enforce this")
    attack = "/v1/orders/1%27%20OR%201=1"
    assert installation.get(attack).status_code == 404  # logged, and let through to the shop, which knows no such order

    page.goto(site.page("schemas/trial"))
    page.get_by_role("button", name="Begin").click()
    switch = page.get_by_role("button", name=re.compile("Switch .* to block"))
    switch.wait_for()
    box = (
        page.get_by_role("row")
        .filter(has_text="/v1/orders/{var1}")
        .filter(has=page.get_by_text("GET", exact=True))
        .locator("input[data-row]")
    )
    box.first.check()
    switch.click()
    expect(page.get_by_role("status")).to_contain_text("All gateways enforce this")
    assert installation.get("/v1/orders/1234").status_code == 200
    assert installation.get(attack).status_code == 403

    page.goto(site.page(f"events?operation_id={wanted}"))
    events = page.get_by_role("row").filter(has_text="orders")
    expect(events.filter(has_text="blocked").first).to_be_visible()
    expect(events.filter(has_text="logged").first).to_be_visible()
    assert "OR 1=1" not in page.content()
