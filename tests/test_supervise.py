"""`hauberk up`: two processes as one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hauberk.demo.stage import free_ports

START_SECONDS = 60


class Up:
    """A running `hauberk up` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.api, self.https, self.metrics = free_ports(3)
        self.folder = folder
        (folder / "hauberk.toml").write_text(
            f'[control_plane]\nlisten = "127.0.0.1:{self.api}"\n'
            f'[gateway]\nhttps = ["127.0.0.1:{self.https}"]\nmetrics = "127.0.0.1:{self.metrics}"\n'
            '[[zones]]\nname = "example.com"\n[[zones.hosts]]\nname = "api.example.com"\nupstreams = ["http://127.0.0.1:9"]\n'
        )
        self.log = folder / "log"

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HAUBERK_")}
        # Meant for commands about another installation; the gateway must not go there.
        environment |= {"HAUBERK_URL": "http://127.0.0.1:1", "HAUBERK_TOKEN": "another", "HAUBERK_ZONE": "example.org"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hauberk.cli", "up"], cwd=self.folder, env=environment, stderr=log, stdin=subprocess.DEVNULL
            )

    def started(self, child: str) -> list[int]:
        """The process ids a child has had, in order."""
        return [entry["pid"] for entry in self.entries() if entry.get("event") == "started" and entry.get("child") == child]

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def serves(self) -> bool:
        """Whether both run, and the gateway enforces what this control plane compiled."""
        try:
            ready = httpx.get(f"http://127.0.0.1:{self.metrics}/readyz", trust_env=False).is_success
        except httpx.HTTPError:
            return False
        return ready and answers(self.api) and answers(self.https)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], Any], seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    made = Up(tmp_path)
    yield made
    if hasattr(made, "process"):
        made.process.kill()
        made.process.wait()
        pids = made.started("gateway") + made.started("control-plane")
        wait_until(lambda: not any(alive(pid) for pid in pids), 20)


def test_what_is_killed_is_started_again_and_sigterm_stops_everything(up: Up) -> None:
    up.start()
    wait_until(up.serves)
    for child in ("gateway", "control-plane"):
        os.kill(up.started(child)[0], signal.SIGKILL)
        wait_until(lambda child=child: len(up.started(child)) == 2)
    wait_until(up.serves)
    assert [entry["child"] for entry in up.entries() if entry["event"] == "died; it is started again"] == ["gateway", "control-plane"]
    up.process.terminate()
    assert up.process.wait(30) == 0
    assert not any(alive(pid) for pid in up.started("gateway") + up.started("control-plane"))


def test_children_end_when_their_parent_is_killed(up: Up) -> None:
    up.start()
    wait_until(up.serves)
    up.process.kill()
    up.process.wait()
    pids = up.started("gateway") + up.started("control-plane")
    wait_until(lambda: not any(alive(pid) for pid in pids), 20)


@pytest.mark.parametrize("taken", ["api", "https"])
def test_a_port_in_use_is_told_once_and_ends_it(up: Up, taken: str) -> None:
    port = getattr(up, taken)
    with socket.create_server(("127.0.0.1", port)):
        up.start()
        assert up.process.wait(START_SECONDS) == 1
    text = up.log.read_text()
    assert text.count("error: ") == 1
    assert f"127.0.0.1:{port}" in text
    assert "Traceback" not in text
    assert not any(alive(pid) for pid in up.started("gateway") + up.started("control-plane"))
