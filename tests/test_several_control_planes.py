"""Two control planes, each a process with a state folder of its own, on one database: started at once, and at work at once."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import HOST_NAME, ZONE_NAME, eventually, free_port
from databases import new_database_url, server

pytestmark = pytest.mark.both_databases

TOML = """
state_dir = "state"
[control_plane]
listen = "127.0.0.1:{port}"
database_url = "{url}"
[discovery]
refresh_seconds = 1
[traffic]
store = "{store}"
[[zones]]
name = "{zone}"
[[zones.hosts]]
name = "{host}"
upstreams = ["http://127.0.0.1:9"]
"""
MINUTE = int(time.time()) // 60 * 60 - 3600
PHASE = "rulesets/phases/http_request_firewall_custom/entrypoint"


@dataclass
class Running:
    """A control plane's process."""

    folder: Path
    url: str
    process: subprocess.Popen[bytes]
    token: str = ""

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=60, verify=False)

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def started(folder: Path, database_url: str, store: Path) -> Iterator[Running]:
    port = free_port()
    text = TOML.format(port=port, url=database_url, store=store, zone=ZONE_NAME, host=HOST_NAME)
    (folder / "hauberk.toml").write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HAUBERK_")}
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "hauberk.cli", "control-plane"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield Running(folder, f"http://127.0.0.1:{port}", process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@dataclass
class Pair:
    """Two that run."""

    planes: list[Running]
    zone_id: str

    def at_once(self, *calls: Callable[[httpx.Client], httpx.Response]) -> list[httpx.Response]:
        """Make each call of both control planes at once; each plane's answers stand together."""
        with ExitStack() as stack, ThreadPoolExecutor(16) as pool:
            clients = [stack.enter_context(plane.client()) for plane in self.planes]
            return list(pool.map(lambda one: one[0](one[1]), [(call, client) for client in clients for call in calls]))

    def ask(self, path: str, plane: int = 0, **query: Any) -> Any:
        with self.planes[plane].client() as client:
            return client.get(path, params=query).raise_for_status().json()["result"]


@pytest.fixture(scope="module")
def pair(database_kind: str, first_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both are started at the same moment, on an empty database."""
    folder = tmp_path_factory.mktemp("several")
    empty = server().url(server().create()) if database_kind == "postgresql" else new_database_url(database_kind, folder)
    with ExitStack() as stack:
        planes = []
        for name in ("one", "two"):
            state = folder / name / "state"
            state.mkdir(parents=True, mode=0o700)
            for file in ("authority.key", "authority.pem"):
                shutil.copy2(first_state / file, state)
            planes.append(stack.enter_context(started(folder / name, empty, folder / "traffic")))
        eventually(lambda: all(plane.answers() for plane in planes), 120)
        (token_file,) = [path for plane in planes if (path := plane.folder / "state" / "admin-token").exists()]
        for plane in planes:
            plane.token = token_file.read_text().strip()
        pair = Pair(planes, "")
        zones = [pair.ask("/hauberk/v1/zones", plane) for plane in (0, 1)]
        assert zones[0] == zones[1]
        (zone,) = zones[0]
        pair.zone_id = zone["id"]
        yield pair
        for plane in planes:
            # Whatever a thread in the background could not do is logged so.
            assert "Traceback" not in plane.log, plane.log


def test_both_compile_the_same_snapshot(pair: Pair) -> None:
    pair.at_once(
        *[lambda client, n=n: client.post("/hauberk/v1/zones", json={"name": f"{n}{client.base_url.port}.example"}) for n in range(8)]
    )
    answers = pair.at_once(lambda client: client.get("/hauberk/v1/snapshot"))
    assert answers[0].headers["ETag"] == answers[1].headers["ETag"]
    assert answers[0].content == answers[1].content
    names = {zone["name"] for zone in pair.ask("/hauberk/v1/zones", per_page=50)}
    assert len(names) == 17  # none of them is lost


def test_each_believes_the_cookie_of_the_other(pair: Pair) -> None:
    one, two = pair.planes
    with httpx.Client(base_url=one.url, headers={"Origin": one.url}) as client:
        csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/sign-in").text)
        assert csrf is not None
        assert client.post("/sign-in", data={"csrf": csrf[1], "token": one.token}).status_code == 303
        cookies = dict(client.cookies)
    answer = httpx.get(f"{two.url}/account", cookies=cookies)
    assert answer.status_code == 200, answer.headers
    assert httpx.get(f"{two.url}/account").status_code == 303


def test_a_rule_changed_on_both_at_once_is_changed_by_one(pair: Pair) -> None:
    path = f"/client/v4/zones/{pair.zone_id}/{PHASE}"

    def change(action: str) -> Callable[[httpx.Client], httpx.Response]:
        rules = [{"action": action, "expression": 'http.request.method eq "PUT"'}]
        return lambda client: client.put(path, params={"if_version": version}, json={"rules": rules})

    for _ in range(5):
        with pair.planes[0].client() as client:
            version = client.put(path, json={"rules": []}).json()["result"]["version"]
        answers = pair.at_once(change("block"))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        (refused,) = [answer for answer in answers if answer.status_code == 409]
        assert "changed meanwhile" in refused.json()["errors"][0]["message"]


def test_a_name_taken_on_both_at_once_is_taken_by_one(pair: Pair) -> None:
    for number in range(5):
        answers = pair.at_once(lambda client, number=number: client.post("/hauberk/v1/zones", json={"name": f"{number}.both.example"}))
        assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_what_gateways_bring_to_both_counts_once(pair: Pair) -> None:
    """Batches of events and of counts, each sent to both: as a gateway sends again what it had no answer to."""
    hour = MINUTE // 3600 * 3600

    def events(batch: int) -> Callable[[httpx.Client], httpx.Response]:
        made = [
            {
                "id": f"{batch * 50 + n:032x}",
                "zone_id": pair.zone_id,
                "host": HOST_NAME,
                "method": "GET",
                "path": "/x",
                "occurred_at": f"2026-01-02T03:04:{n:02}Z",
                "action": "block",
                "source": "firewallCustom",
                "request_id": f"r{n}",
            }
            for n in range(50)
        ]
        return lambda client: client.post("/hauberk/v1/events", json={"events": made})

    def counts(minute: int) -> Callable[[httpx.Client], httpx.Response]:
        zeros = ("logged", "blocked_certificate", "blocked_rule", "blocked_schema", "blocked_other", "protected", "with_certificate")
        entry = dict.fromkeys((*zeros, "fallthrough", "client_errors", "server_errors"), 0)
        entry |= {"zone_id": pair.zone_id, "host": HOST_NAME, "minute": hour + minute % 5 * 60, "requests": 3, "passed": 3}
        body = {"batch_id": uuid.uuid4().hex, "metrics": [entry]}
        return lambda client: client.post("/hauberk/v1/gateways/g/request-counts", json=body)

    answers = pair.at_once(*[events(batch) for batch in range(10)], *[counts(minute) for minute in range(20)])
    assert {answer.status_code for answer in answers} == {200}
    stored = [answer.json()["result"]["stored"] for answer in answers]
    assert sum(stored) == 10 * 50 + 20
    for plane in (0, 1):
        events_since = {"by": "host", "since": "2026-01-02T00:00:00Z"}
        (summary,) = pair.ask(f"/hauberk/v1/zones/{pair.zone_id}/events/summary", plane, **events_since)
        assert (summary["key"], summary["blocked"]) == (HOST_NAME, 500)
        since = {"since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(hour))}
        assert pair.ask(f"/hauberk/v1/zones/{pair.zone_id}/requests", plane, **since)["requests"] == 60


def test_a_look_that_both_were_asked_for_is_done(pair: Pair) -> None:
    path = f"/hauberk/v1/zones/{pair.zone_id}/discovery/refresh"
    answers = pair.at_once(*[lambda client: client.post(path)] * 3)
    assert {answer.status_code for answer in answers} == {202}
    for plane in (0, 1):
        eventually(lambda plane=plane: pair.ask(path, plane)["state"] == "idle")  # type: ignore[misc]
        assert pair.ask(path, plane)["error"] is None


def test_a_state_folder_is_for_one_control_plane(pair: Pair, tmp_path: Path) -> None:
    one = pair.planes[0]
    shutil.copy2(one.folder / "hauberk.toml", tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HAUBERK_")}
    environment |= {"HAUBERK_CONTROL_PLANE__LISTEN": f"127.0.0.1:{free_port()}", "HAUBERK_STATE_DIR": str(one.folder / "state")}
    command = [sys.executable, "-m", "hauberk.cli", "control-plane"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=180, check=False)
    assert done.returncode == 1
    assert b"another control plane works in" in done.stderr
    assert one.answers()
