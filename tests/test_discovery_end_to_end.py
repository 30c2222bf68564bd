"""Discovery from a caller's request to an enforced operation: `hauberk up` as owners run it, a site behind it, and what they then do."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cloudflare
import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from conftest import PATIENCE_SECONDS, eventually, free_port
from hauberk.cli import main
from hauberk.cli.init import settings_text
from hauberk.demo.stage import free_ports
from hauberk.serve.listening import bind
from hauberk.traffic.store import TrafficStore

ZONE = "example.com"
HOST = "api.example.com"
PHASE: Final = "http_request_firewall_custom"
# Few enough to be sent in a moment, and more than anything that must not be found is asked for by accident.
MIN_REQUESTS = 20
ENFORCED_SECONDS = 2
# Requests of `Shield.send` that are answered with 2xx.
SENT = 3 * 60 + 9 * (MIN_REQUESTS + 5) + MIN_REQUESTS - 1

API = {"User-Agent": "shop-app/4.2", "Accept": "application/json", "Accept-Encoding": "gzip"}
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0", "Accept-Language": "en", "Cookie": "theme=dark"}
PAGE = BROWSER | {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
IMAGE = BROWSER | {"Accept": "image/avif,image/*", "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}


def answer(request: Request) -> Response:
    """A site: pages, pictures, and an API of JSON."""
    first = request.url.path.split("/")[1]
    if first in {"", "about"}:
        return HTMLResponse("<!doctype html><title>Shop</title>" + "<p>Welcome.</p>" * 50)
    if first == "pictures":
        return Response(b"\x89PNG\r\n\x1a\n" + bytes(400), media_type="image/png", headers={"Cache-Control": "max-age=86400"})
    if first == "wp-admin":
        return JSONResponse({"error": "not found"}, 404)
    if request.url.path.endswith("/broken"):
        return JSONResponse({"error": "out of order"}, 500)
    if first == "login":
        return JSONResponse({"token": "t" * 40}, headers={"Cache-Control": "no-store"})
    return JSONResponse({"id": request.url.path, "state": "open", "items": [1, 2, 3]})


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    bound = bind("127.0.0.1:0", "origin")
    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT", "DELETE"])])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    bound.close()


@dataclass
class Shield:
    """`hauberk up`, seen from outside."""

    folder: Path
    control_plane: str
    gateway: str

    def __post_init__(self) -> None:
        self.token = (self.folder / "state" / "admin-token").read_text().strip()
        self.sdk = cloudflare.Cloudflare(api_token=self.token, base_url=f"{self.control_plane}/client/v4", max_retries=0)
        self.zone_id = next(iter(self.sdk.zones.list())).id
        self.own = httpx.Client(
            base_url=f"{self.control_plane}/hauberk/v1", headers={"Authorization": f"Bearer {self.token}"}, timeout=30, verify=False
        )
        self.caller = httpx.Client(base_url=self.gateway, headers={"Host": HOST}, timeout=10, verify=False)

    def close(self) -> None:
        for client in (self.sdk, self.own, self.caller):
            client.close()

    def ask(self, call: str, **params: Any) -> Any:
        """Read one of our own calls."""
        return self.own.get(call, params=params).raise_for_status().json()["result"]

    def request(self, method: str, path: str, *, headers: dict[str, str] = API, user: int | None = None, **options: Any) -> int:
        """Send a request as an app or a browser would; give the status."""
        signed = {"Authorization": f"Bearer token-of-user-{user}"} if user is not None else {}
        return self.caller.request(method, path, headers=headers | signed, **options).status_code

    def enforced(self) -> None:
        """Wait until gateways have what the control plane has."""

        def current() -> bool:
            status = self.ask("/status")
            return bool(status["gateways"][0]["version"] == status["version"])

        eventually(current)

    def look(self) -> dict[str, Any]:
        """Have discovery look at the traffic that is written by now, and wait until it has."""
        path = f"/zones/{self.zone_id}/discovery/refresh"
        # One that is under way began before what the caller wants to have seen.
        eventually(lambda: self.ask(path)["state"] not in {"requested", "running"})
        asked = self.own.post(path).raise_for_status().json()["result"]
        eventually(lambda: self.ask(path)["state"] == "idle" and self.ask(path)["finished_at"] != asked["finished_at"])
        result: dict[str, Any] = self.ask(path)
        return result

    def found(self, **filters: Any) -> dict[tuple[str, str, str], Any]:
        """List candidates by method, host and endpoint, through the official SDK."""
        listed = self.sdk.api_gateway.discovery.operations.list(zone_id=self.zone_id, per_page=50, **filters)
        return {(one.method, one.host, one.endpoint): one for one in listed}

    def one(self, method: str, endpoint: str, host: str = HOST) -> Any:
        return self.found()[method, host, endpoint]

    def send(self) -> None:
        """Send what discovery is to see; each test touches only its own part of it, so that they run in any order."""
        numbers = random.Random(7)
        for n in range(60):
            self.request("GET", f"/users/{numbers.randrange(10**5, 10**6)}", user=n % 7)
            self.request("GET", ("/", "/about")[n % 2], headers=PAGE)
            self.request("GET", f"/pictures/logo-{n % 2}.png", headers=IMAGE)
            self.request("GET", f"/wp-admin/setup-{n % 3}.php")
        for n in range(MIN_REQUESTS + 5):
            self.request("POST", "/login", json={"user": f"u{n}", "password": f"p{n}"})
            for collection in ("orders", "carts", "notes", "invoices"):
                self.request("GET", f"/{collection}/{numbers.randrange(10**5, 10**6)}", user=n % 7)
            for table in (70001, 70002):
                self.request("GET", f"/tables/{table}/rows", user=n % 7)
            for word in ("red", "green"):
                self.request("GET", f"/colours/{word}/tone", user=n % 7)
        self.request("GET", "/invoices/broken")
        for n in range(MIN_REQUESTS - 1):
            self.request("GET", f"/seldom/{numbers.randrange(10**5, 10**6)}", user=n % 7)


def started(process: subprocess.Popen[bytes], log: Path) -> bool:
    text = log.read_text()
    assert process.poll() is None, text
    return '"event": "ready"' in text


@pytest.fixture(scope="module")
def shield(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shield]:
    """A running installation whose discovery has seen the traffic once."""
    folder = tmp_path_factory.mktemp("discovery")
    control_plane, gateway = (f"127.0.0.1:{port}" for port in free_ports(2))
    (folder / "hauberk.toml").write_text(settings_text(ZONE, HOST, site))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HAUBERK_")} | {
        "HAUBERK_CONTROL_PLANE__LISTEN": control_plane,
        "HAUBERK_GATEWAY__HTTPS": "[]",
        "HAUBERK_GATEWAY__HTTP": json.dumps([gateway]),
        "HAUBERK_GATEWAY__METRICS": f"127.0.0.1:{free_port()}",
        "HAUBERK_GATEWAY__POLL_SECONDS": "0.1",
        "HAUBERK_TRAFFIC__MAX_PER_SECOND": "1000000",
        "HAUBERK_TRAFFIC__FLUSH_SECONDS": "0.1",
        "HAUBERK_DISCOVERY__MIN_REQUESTS": str(MIN_REQUESTS),
        "HAUBERK_DISCOVERY__REFRESH_SECONDS": "3600",  # tests ask for each look
    }
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "hauberk.cli", "up"], cwd=folder, env=environment, stderr=log)
        try:
            eventually(lambda: started(process, folder / "up.log"), seconds=3 * PATIENCE_SECONDS)
            shield = Shield(folder, f"http://{control_plane}", f"http://{gateway}")
            try:
                shield.sdk.api_gateway.configurations.update(
                    zone_id=shield.zone_id, auth_id_characteristics=[{"type": "header", "name": "authorization"}]
                )
                shield.sdk.api_gateway.operations.create(zone_id=shield.zone_id, method="GET", host=HOST, endpoint="/invoices/{id}")
                shield.enforced()
                shield.send()
                store = TrafficStore(folder / "state" / "traffic")
                eventually(lambda: sum(seen.requests for seen in store.paths()) == SENT)
                shield.look()
                yield shield
            finally:
                shield.close()
        finally:
            process.terminate()
            assert process.wait(3 * PATIENCE_SECONDS) == 0


@dataclass(frozen=True)
class Told:
    """What a command told."""

    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Commands = Callable[..., Told]


@pytest.fixture
def commands(shield: Shield, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Commands:
    """The command line, talking to the installation from an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HAUBERK_URL", shield.control_plane)
    monkeypatch.setenv("HAUBERK_TOKEN", shield.token)

    def run(*arguments: str | Path) -> Told:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        told = Told(*capsys.readouterr())
        assert status == 0, told.err
        return told

    return run


def within(seconds: float, condition: Callable[[], bool]) -> None:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, f"not within {seconds} s"
        time.sleep(0.01)


def test_what_callers_use_is_found_and_nothing_else(shield: Shield) -> None:
    found = shield.found()
    ours = {key for key in found if key[1] == HOST}
    # Tests beside this one save, put aside and correct; what they touch keeps its origins.
    assert ours >= {("GET", HOST, "/users/{var1}"), ("POST", HOST, "/login"), ("GET", HOST, "/orders/{var1}")}
    by_looks = {key[2] for key in shield.found(origin=["ML"])}
    for endpoint in by_looks | {key[2] for key in ours}:
        assert not endpoint.startswith(("/about", "/pictures", "/wp-admin", "/seldom"))
        assert endpoint != "/"
    users, login = found["GET", HOST, "/users/{var1}"], found["POST", HOST, "/login"]
    assert users.origin == ["ML", "SessionIdentifier"]
    assert login.origin == ["ML"]
    assert users.features.traffic_stats.period_seconds == 3600
    assert ("POST", HOST, "/login") not in shield.found(origin=["SessionIdentifier"])
    documents = shield.sdk.api_gateway.discovery.get(zone_id=shield.zone_id)
    paths = next(document["paths"] for document in documents.schemas if document["servers"][0]["url"] == f"https://{HOST}")  # type: ignore[index]
    assert "/users/{var1}" in paths


def test_what_counts_is_told(shield: Shield) -> None:
    status = shield.ask(f"/zones/{shield.zone_id}/discovery/refresh")
    assert (status["state"], status["error"]) == ("idle", None)
    rows = shield.own.get(f"{shield.control_plane}/client/v4/zones/{shield.zone_id}/api_gateway/discovery/operations?per_page=50")
    users = next(row for row in rows.json()["result"] if row["endpoint"] == "/users/{var1}")
    assert users["requests"] == 60
    assert users["score"] > 0.9
    assert 55 < users["distinct_paths"] <= 60
    assert len(users["examples"]) == 5
    explained = shield.ask(f"/zones/{shield.zone_id}/discovery/explain", method="GET", host=HOST, path="/seldom/123456")
    assert explained["operation"]["requests"] == MIN_REQUESTS - 1
    assert len(explained["operation"]["lacks"]) == 1


def test_a_saved_candidate_is_enforced_at_once_and_comes_back_when_it_is_deleted(shield: Shield) -> None:
    sdk, zone_id = shield.sdk, shield.zone_id
    orders = shield.one("GET", "/orders/{var1}")
    sdk.rulesets.phases.update(PHASE, zone_id=zone_id, rules=[{"action": "block", "expression": "cf.api_gateway.fallthrough_detected"}])
    try:
        within(ENFORCED_SECONDS, lambda: shield.request("GET", "/orders/900001") == 403)
        saved = sdk.api_gateway.operations.create(zone_id=zone_id, method="GET", host=HOST, endpoint="/orders/{id}")
        within(ENFORCED_SECONDS, lambda: shield.request("GET", "/orders/900001") == 200)
        assert saved.operation_id == orders.id
        assert shield.request("GET", "/orders/900001/lines") == 403
        assert shield.one("GET", "/orders/{var1}").state == "saved"
        shield.look()
        assert shield.one("GET", "/orders/{var1}").state == "saved"
        sdk.api_gateway.operations.delete(saved.operation_id, zone_id=zone_id)
        within(ENFORCED_SECONDS, lambda: shield.request("GET", "/orders/900001") == 403)
        assert shield.one("GET", "/orders/{var1}").state == "review"
    finally:
        sdk.rulesets.phases.update(PHASE, zone_id=zone_id, rules=[])
        shield.enforced()


def test_what_is_put_aside_stays_so(shield: Shield) -> None:
    carts = shield.one("GET", "/carts/{var1}")
    candidates = shield.sdk.api_gateway.discovery.operations
    candidates.bulk_edit(zone_id=shield.zone_id, body={carts.id: {"state": "ignored"}})
    shield.look()
    assert shield.one("GET", "/carts/{var1}").state == "ignored"
    candidates.bulk_edit(zone_id=shield.zone_id, body={carts.id: {"state": "review"}})
    assert shield.one("GET", "/carts/{var1}").state == "review"


def test_the_owners_rules_outlast_each_look(shield: Shield) -> None:
    rules = f"/zones/{shield.zone_id}/discovery/templates"

    def endpoints() -> set[str]:
        return {key[2] for key in shield.found() if key[2].startswith(("/tables/", "/colours/"))}

    before = {"/tables/{var1}/rows", "/colours/{var1}/tone"}
    after = {"/tables/70001/rows", "/tables/70002/rows", "/colours/red/tone", "/colours/{var1}/tone"}
    assert endpoints() == before
    bodies = [
        {"kind": "split", "method": "GET", "host": HOST, "endpoint": "/tables/{var1}/rows", "segment": 1},
        {"kind": "pin", "method": "GET", "host": HOST, "endpoint": "/colours/red/tone"},
    ]
    made = [shield.own.post(rules, json=body).raise_for_status().json()["result"]["id"] for body in bodies]
    for _ in range(2):
        shield.look()
        assert endpoints() == after
    for rule in made:
        shield.own.delete(f"{rules}/{rule}").raise_for_status()
    shield.look()
    assert endpoints() == before


def test_the_review_by_the_command_line(shield: Shield, commands: Commands) -> None:
    listed = commands("discovery", "list", "--endpoint", "/notes", "--json").json
    assert [(row["method"], row["endpoint"], row["state"]) for row in listed] == [("GET", "/notes/{var1}", "review")]
    assert re.search(r"GET +api\.example\.com +/notes/\{var1\} +review +ML, SessionIdentifier +25 ", commands("discovery", "list").out)
    assert "Saved GET api.example.com/notes/{var1}" in commands("discovery", "save", "GET", HOST, "/notes/{id}").err
    assert "/notes/{var1}" in commands("operation", "list").out
    commands("operation", "delete", "GET", HOST, "/notes/{var1}")
    assert "Ignored GET api.example.com/notes/{var1}" in commands("discovery", "ignore", "GET", HOST, "/notes/{id}").err
    assert commands("discovery", "list", "--state", "ignored", "--endpoint", "notes", "--json").json
    commands("discovery", "restore", "GET", HOST, "/notes/{id}")
    explained = commands("discovery", "explain", "GET", HOST, "/notes/123456").out
    assert "GET api.example.com/notes/{var1}" in explained
    assert "found by: ML, SessionIdentifier" in explained
    compared = commands("discovery", "compare", "--json").json
    assert next(host for host in compared["hosts"] if host["host"] == HOST)["only_ml"]["operations"] == [
        {"method": "POST", "endpoint": "/login"}
    ]


def test_a_capture_is_imported_and_its_operations_are_found(shield: Shield, commands: Commands) -> None:
    row = {"host": "partner.example.com", "method": "GET", "status": 200, "response_content_type": "application/json"}
    headers = {"request_headers": [["Authorization", "Bearer s3cr3t"], ["Accept", "application/json"]]}
    urls = [f"https://partner.example.com/contracts/{n}" for n in range(500_000, 500_000 + MIN_REQUESTS)]
    Path("partner.ndjson.gz").write_bytes(gzip.compress("\n".join(json.dumps(row | headers | {"url": url}) for url in urls).encode()))
    ran = commands("traffic", "import", "--config", shield.folder / "hauberk.toml", "partner.ndjson.gz")
    assert f"Imported {MIN_REQUESTS} transactions" in ran.err
    assert "candidates" in commands("discovery", "refresh").err
    (found,) = commands("discovery", "list", "--host", "partner.example.com", "--json").json
    assert (found["endpoint"], found["requests"]) == ("/contracts/{var1}", MIN_REQUESTS)
    assert found["origin"] == ["ML", "SessionIdentifier"]
    segments = [path.read_bytes() for path in (shield.folder / "state" / "traffic").rglob("*.parquet")]
    assert segments
    assert not any(b"s3cr3t" in segment for segment in segments)


def test_requests_to_a_saved_operation_are_counted(shield: Shield) -> None:
    operation_id = shield.one("GET", "/invoices/{var1}").id

    def metrics() -> Any:
        return shield.ask(f"/zones/{shield.zone_id}/operations/{operation_id}/metrics")

    # Gateways bring their counts every ten seconds.
    eventually(lambda: metrics()["requests"] == MIN_REQUESTS + 6)
    assert (metrics()["client_errors"], metrics()["server_errors"]) == (0, 1)
    assert metrics()["latency_ms"]["p50"] > 0
    listed = shield.ask(f"/zones/{shield.zone_id}/operation-metrics")
    assert [row["requests"] for row in listed if row["operation_id"] == operation_id] == [MIN_REQUESTS + 6]
