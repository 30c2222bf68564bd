"""
How long changes of thousands of operations take, over REST, with what `benchmarks.dashboard.seed` seeds behind them.

    .venv/bin/python -m benchmarks.dashboard.changes [--folder SEEDED] [--write]

A control plane of its own process answers. After each change the snapshot is fetched as a gateway does. Each change is made once, since the
next one needs what it has made; `processor` is what the control plane spent on both.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from benchmarks.dashboard.run import README, prepare, processor_seconds, served
from benchmarks.dashboard.seed import HOSTS

BEGIN, END = "<!-- changes -->\n", "<!-- end of changes -->\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="a folder that was seeded before; a copy of it is changed")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hauberk-bench-") as made:
        folder = Path(made) / "copy"
        if given.folder is not None:
            shutil.copytree(given.folder, folder)
        folder.mkdir(exist_ok=True)
        url = prepare(folder, given)
        with served(folder, url) as pid:
            changes = Changes(url, folder / "state", pid)
            changes.make(given.operations)
    table = changes.table()
    print(table)
    if given.write:
        before, _, rest = README.read_text().partition(BEGIN)
        README.write_text(before + BEGIN + table + END + rest.partition(END)[2])


class Changes:
    """A control plane that is changed, and what that took."""

    def __init__(self, url: str, state: Path, pid: int) -> None:
        self.pid = pid
        self.rows: list[tuple[str, float, float, float]] = []
        clients = [
            httpx.Client(
                base_url=url, headers={"Authorization": f"Bearer {(state / name).read_text().strip()}"}, timeout=600, trust_env=False
            )
            for name in ("admin-token", "gateway-token")
        ]
        self.owner, self.gateway = clients
        self.zone = self.owner.get("/client/v4/zones").json()["result"][0]["id"]
        self._snapshot()

    def make(self, operations: int) -> None:
        """Make all changes, each with the way back."""
        every = {"changes": [{"mitigation_action": "log", "matching": {}}]}
        back = self.timed("Set the action of all endpoints", "POST", "endpoints/actions", every)["before"]
        self.timed("Undo", "POST", "endpoints/actions", back)
        for to, title in (("ignored", "Ignore all candidates"), ("saved", "Save all candidates")):
            moved = self.timed(title, "POST", "discovery/changes", {"to": to, "filters": {"state": "review"}})
            self.timed("Undo", "DELETE", f"discovery/changes/{moved['id']}")
        body = {
            "source": document(operations),
            "validation_enabled": True,
            "save_operations": True,
            "mitigation_actions": {HOSTS[0]: "log"},
        }
        uploaded = self.timed(f"Upload a schema of {operations:,} operations, saving them", "POST", "schemas", body)
        undo = uploaded["changed"]["undo"]
        self.timed("Undo: delete the operations", "POST", "endpoints/delete", undo["delete"][0])
        deleted = self.timed("Delete all endpoints, with their metrics", "POST", "endpoints/delete", {"matching": {}})
        self.timed("Undo", "POST", "endpoints", deleted["before"])

    def timed(self, title: str, method: str, path: str, body: Any = None) -> Any:
        """Make one change, and fetch the snapshot."""
        spent = processor_seconds(self.pid)
        change, answer = _clocked(lambda: self.owner.request(method, f"/hauberk/v1/zones/{self.zone}/{path}", json=body))
        answer.raise_for_status()
        snapshot, _ = _clocked(self._snapshot)
        self.rows.append((title, processor_seconds(self.pid) - spent, change, snapshot))
        print(f"{change:8.2f} s  {title}")
        return answer.json()["result"]

    def table(self) -> str:
        """Write what was measured."""
        lines = [f"Load average {os.getloadavg()[0]:.1f} in the end.", ""]
        lines += ["| Change | processor | answer | snapshot |", "|---|---:|---:|---:|"]
        lines += [f"| {title} | {spent:.2f} s | {change:.2f} s | {snapshot:.2f} s |" for title, spent, change, snapshot in self.rows]
        return "\n".join(lines) + "\n"

    def _snapshot(self) -> httpx.Response:
        return self.gateway.get("/hauberk/v1/snapshot").raise_for_status()


def document(operations: int) -> str:
    """Write a document of so many operations, with two parameters each."""
    paths: dict[str, dict[str, Any]] = {}
    for number in range(operations):
        parameters = [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
            {"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 20}},
        ]
        operation = {"parameters": parameters, "responses": {"200": {"description": "ok"}}}
        paths.setdefault(f"/s{number // 100}/things{number // 2}/{{id}}", {})[("get", "post")[number % 2]] = operation
    servers = [{"url": f"https://{HOSTS[0]}"}]
    return json.dumps({"openapi": "3.0.3", "info": {"title": "many", "version": "1"}, "servers": servers, "paths": paths})


def _clocked(work: Callable[[], httpx.Response]) -> tuple[float, httpx.Response]:
    began = time.monotonic()
    answer = work()
    return time.monotonic() - began, answer


if __name__ == "__main__":
    main()
