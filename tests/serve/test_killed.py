"""A control plane that is killed (SIGKILL) in the middle of its work: the next start says so at once, and leaves nothing of it behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import HOST_NAME, ZONE_NAME, eventually
from hauberk.background import GONE
from hauberk.capture_imports import GONE as FILE_GONE
from hauberk.demo.stage import free_ports
from hauberk.holders import has_ended, holder_name

# A control plane as `hauberk control-plane` runs it, where each reading of traffic goes on until it is killed.
STUCK = """
import sys, threading
from pathlib import Path
from hauberk import capture_reading, config
from hauberk.serve.control_plane import run_control_plane
from hauberk.recorded_traffic import RecordedTraffic
from hauberk.traffic.hours import RecordedHours

def stuck(*_, **__):
    threading.Event().wait()

if sys.argv[1] == "work":
    RecordedTraffic.paths = stuck
    RecordedHours.hours = stuck
else:
    capture_reading.CaptureReading.keep = stuck
run_control_plane(config.load(Path("hauberk.toml"), {}))
"""


class Installation:
    """A folder, and a control plane in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        (folder / "hauberk.toml").write_text(
            f'[control_plane]\nlisten = "127.0.0.1:{self.port}"\n[discovery]\nmin_requests = 1\n'
            f'[[zones]]\nname = "{ZONE_NAME}"\n[[zones.hosts]]\nname = "{HOST_NAME}"\nupstreams = ["http://127.0.0.1:9"]\n'
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.rest: httpx.Client | None = None

    def start(self, *arguments: str) -> httpx.Client:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HAUBERK_")}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        url = f"http://127.0.0.1:{self.port}"
        eventually(lambda: is_ready(url), 60)
        token = (self.folder / "state" / "admin-token").read_text().strip()
        self.rest = rest = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30)
        zone = rest.get("/client/v4/zones").json()["result"][0]["id"]
        rest.base_url = httpx.URL(f"{url}/hauberk/v1/zones/{zone}/")
        return rest

    def as_users_do(self) -> httpx.Client:
        return self.start("-m", "hauberk.cli", "control-plane")

    def stuck(self, where: str) -> httpx.Client:
        return self.start("-c", STUCK, where)

    def end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None
        if self.rest is not None:
            self.rest.close()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.end(signal.SIGKILL)


def capture(count: int) -> bytes:
    record = {"method": "GET", "host": HOST_NAME, "status": 200, "time": "2026-11-22T10:00:00Z"}
    rows = (record | {"url": f"https://{HOST_NAME}/users/{number}"} for number in range(count))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def told(rest: httpx.Client, path: str) -> Any:
    return rest.get(path).raise_for_status().json()["result"]


def works(rest: httpx.Client) -> list[dict[str, Any]]:
    return [told(rest, "discovery/summary")["refresh"], told(rest, "learning")]


def test_an_import_that_was_killed_has_failed_and_left_nothing(installation: Installation) -> None:
    rest = installation.stuck("import")
    ids = [rest.post("traffic/imports", content=capture(50)).json()["result"]["id"] for _ in range(2)]
    eventually(lambda: told(rest, f"traffic/imports/{ids[0]}")["state"] == "running")
    installation.end(signal.SIGKILL)
    folder = installation.folder / "state" / "imports"
    assert {path.name for path in folder.iterdir()} == set(ids)
    rest = installation.as_users_do()
    for id_ in ids:
        eventually(lambda id_=id_: told(rest, f"traffic/imports/{id_}")["state"] == "failed")
        assert told(rest, f"traffic/imports/{id_}")["error"] == FILE_GONE
    eventually(lambda: list(folder.iterdir()) == [])
    again = rest.post("traffic/imports", content=capture(50)).json()["result"]["id"]
    eventually(lambda: told(rest, f"traffic/imports/{again}")["state"] == "done")
    assert told(rest, f"traffic/imports/{again}")["transactions"] == 50


def test_looks_and_runs_that_were_killed_have_failed_and_are_done_again(installation: Installation) -> None:
    rest = installation.stuck("work")
    id_ = rest.post("traffic/imports", content=capture(50)).json()["result"]["id"]
    eventually(lambda: told(rest, f"traffic/imports/{id_}")["state"] == "done")
    rest.post("discovery/refresh").raise_for_status()
    rest.post("learning/run").raise_for_status()
    eventually(lambda: {one["state"] for one in works(rest)} == {"running"})
    killed = [one["started_at"] for one in works(rest)]
    installation.end(signal.SIGKILL)
    rest = installation.as_users_do()

    def is_free() -> bool:
        """On a slow machine the next run has begun meanwhile."""
        return all(one["error"] == GONE or one["started_at"] != begun for one, begun in zip(works(rest), killed, strict=True))

    eventually(is_free)
    rest.post("discovery/refresh").raise_for_status()
    rest.post("learning/run").raise_for_status()
    eventually(lambda: {one["state"] for one in works(rest)} == {"idle"})


def test_whose_process_has_ended() -> None:
    mine = holder_name()
    ended = subprocess.run([sys.executable, "-c", "from hauberk.holders import *; print(holder_name())"], capture_output=True, check=True)
    other = ended.stdout.decode().strip()
    assert len(mine) <= 64
    assert has_ended(other, mine)
    assert has_ended(holder_name(), mine), "an earlier one with the same number, as in a container"
    assert not has_ended(mine, mine)
    parent = mine.replace(f":{os.getpid()}:", f":{os.getppid()}:")
    for there in (parent, "0123456789abcdef", "x:1:another-machine", f"{mine}x", "x:999999999999999999999:"):
        assert not has_ended(there, mine)
