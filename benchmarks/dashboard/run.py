"""
How long pages of the dashboard take with a large installation behind them, in Chromium.

    make build && .venv/bin/python -m benchmarks.dashboard.run [--events 1000000] [--write]

The database is seeded (in a folder that `--folder` keeps for another run), a control plane of its own process serves it, and each
page is loaded five times. `server` is until the first byte came, `load` until the load event. No gateway runs beside it; the machine's
load is told.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from benchmarks.dashboard.seed import HOSTS, seed
from hauberk import config
from hauberk.demo.stage import free_ports
from hauberk.pipeline import ControlPlane

ROUNDS = 5
FLOOR_MS = 1500
README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
MARKER = "seeded"

SETTINGS = """\
state_dir = "state"
[control_plane]
listen = "127.0.0.1:{port}"
[discovery]
refresh_seconds = 86400
[events]
keep_count = 5000000
[[zones]]
name = "example.com"
{hosts}
"""

PAGES = {
    "Overview": "",
    "Discovery": "discovery",
    "Discovery, ordered by requests, page 50": "discovery?order=requests&direction=desc&page=50",
    "Discovery, comparison": "discovery/comparison",
    "Endpoints": "endpoints",
    "Endpoints, ordered by requests": "endpoints?order=requests&direction=desc",
    "Endpoints, page 150": "endpoints?page=150",
    "One endpoint": "endpoints/{operation}",
    "Schemas": "schemas",
    "Schemas, learned": "schemas/learned",
    "Schemas, trial": "schemas/trial",
    "Schemas, alerts": "schemas/alerts",
    "Client certificates": "certificates",
    "Rules": "rules",
    "Events": "events",
    "Events, filtered by host": "events?host=api07.example.com",
    "Events, blocked, page 1000": "events?action=block&page=1000",
    "One event": "events/{event}",
    "Settings": "settings",
    "Settings, session identifiers": "settings/sessions",
    "Settings, sampling and retention": "settings/tuning",
}


@dataclass(frozen=True)
class Timed:
    """One page."""

    title: str
    status: int
    server_ms: float
    processor_ms: float
    """What the control plane's process spent on it."""
    load_ms: float
    worst_ms: float
    kilobytes: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="hauberk-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        url = prepare(folder, given)
        with served(folder, url) as pid:
            timed = _measure(url, (folder / "state" / "admin-token").read_text().strip(), pid)
    finally:
        if given.folder is None:
            shutil.rmtree(folder)
    table = _table(timed, given)
    print(table)
    if given.write:
        before, _, rest = README.read_text().partition(BEGIN)
        README.write_text(before + BEGIN + table + END + rest.partition(END)[2])
    too_slow = [one.title for one in timed if one.load_ms > FLOOR_MS or one.status != 200]
    sys.exit(f"above {FLOOR_MS} ms, or not answered: {', '.join(too_slow)}" if too_slow else 0)


def prepare(folder: Path, given: argparse.Namespace) -> str:
    """Seed an installation in a folder, unless it was seeded before, and tell the address it will have."""
    (port,) = free_ports(1)
    hosts = "\n".join(f'[[zones.hosts]]\nname = "{host}"\nupstreams = ["http://127.0.0.1:9"]' for host in HOSTS)
    file = folder / "hauberk.toml"
    file.write_text(SETTINGS.format(port=port, hosts=hosts))
    if not (folder / MARKER).exists():
        plane = ControlPlane(config.load(file, {}))
        seed(plane, given.operations, given.candidates, given.events)
        plane.close()
        (folder / MARKER).touch()
    return f"http://127.0.0.1:{port}"


class served:  # noqa: N801 - used as a context manager
    """A control plane of its own process, until the block ends; gives its number."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HAUBERK_")}
        with (folder / "log").open("wb") as log:
            command = [sys.executable, "-m", "hauberk.cli", "control-plane", "--config", "hauberk.toml"]
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

    def __enter__(self) -> int:
        for _ in range(600):
            try:
                if httpx.get(f"{self.url}/readyz", trust_env=False).is_success:
                    return self.process.pid
            except httpx.HTTPError:
                time.sleep(0.1)
        self.__exit__()
        sys.exit("the control plane did not start")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)


def _measure(url: str, token: str, pid: int) -> list[Timed]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False) as rest:
        zone_id = rest.get("/client/v4/zones").json()["result"][0]["id"]
        operation = rest.get(f"/client/v4/zones/{zone_id}/api_gateway/operations?per_page=1").json()["result"][0]["operation_id"]
        event = rest.get(f"/client/v4/zones/{zone_id}/security_events?per_page=1").json()["result"][0]["id"]
        link = rest.post("/hauberk/v1/sign-in-links").json()["result"]["url"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        page.goto(link)
        if "/once/" in page.url:
            page.get_by_role("button").first.click()
        timed = []
        for title, path in PAGES.items():
            timed.append(_time(page, pid, title, f"{url}/zones/example.com/{path.format(operation=operation, event=event)}".rstrip("/")))
            print(f"{timed[-1].load_ms:8.0f} ms  {timed[-1].status}  {title}", file=sys.stderr)
        browser.close()
    return timed


def _time(page: Page, pid: int, title: str, address: str) -> Timed:
    loads, servers, status, size = [], [], 0, 0.0
    spent = processor_seconds(pid)
    for _ in range(ROUNDS):
        answer = page.goto(address, wait_until="load")
        status = answer.status if answer is not None else 0
        read = (
            "() => { const t = performance.getEntriesByType('navigation')[0]; return [t.responseStart, t.loadEventEnd, t.decodedBodySize] }"
        )
        page.wait_for_function("() => performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
        server, load, size = page.evaluate(read)
        servers.append(server)
        loads.append(load)
    processor = 1000 * (processor_seconds(pid) - spent) / ROUNDS
    return Timed(title, status, statistics.median(servers), processor, statistics.median(loads), max(loads), size / 1000)


def processor_seconds(pid: int) -> float:
    """Tell what a process has spent, as Linux counts it."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _table(timed: list[Timed], given: argparse.Namespace) -> str:
    lines = [
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}; {given.operations:,} operations, {given.candidates:,} further candidates, "
        f"{given.events:,} events; "
        f"load average {os.getloadavg()[0]:.1f} in the end.",
        "",
        "| Page | processor | server | load | slowest of five | HTML |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.title} | {one.processor_ms:.0f} ms | {one.server_ms:.0f} ms "
        f"| {one.load_ms:.0f} ms | {one.worst_ms:.0f} ms | {one.kilobytes:.0f} kB |"
        for one in timed
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
