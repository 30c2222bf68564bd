#!/usr/bin/env python3
"""
How the control plane and the gateway bear a large installation: 10,000 operations over 100 hosts, each host with a schema of its own.

The control plane gets the documents as an upload would store them, and compiles the snapshot. A gateway in a process of its own, one that
listens nowhere, enforces it, and then a newer one after each of some changes, as it would in service. Told are times, sizes and memory.

    .venv/bin/python benchmarks/gateway/scale.py             # prints the table; half a minute
    .venv/bin/python benchmarks/gateway/scale.py --write     # and keeps it in benchmarks/gateway/README.md

Before: `make build`. Close what else runs.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from certificates import write_certificates
from sqlalchemy import select

from hauberk._native import Gateway
from hauberk.config import Settings
from hauberk.pipeline import ControlPlane
from hauberk.schema import Place, read_document
from hauberk.storage.models import Host, Operation, Zone
from hauberk.storage.operations import save_operations
from hauberk.storage.schemas import add_schema

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- scale: written by scale.py --write -->", "<!-- end of scale -->"

ZONE = "scale.test"
METHODS = ("get", "put", "post", "delete")


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    figure: float
    unit: str
    at_most: float | None = None
    cpu: float | None = None
    """Of what takes time, the processor time in the same unit: on a busy machine the steadier figure."""

    def line(self) -> str:
        cpu = "" if self.cpu is None else f"{self.cpu:,.1f} {self.unit}"
        bound = f"{self.at_most:g} {self.unit}" if self.at_most else ""
        held = "" if not self.at_most else "yes" if self.figure <= self.at_most else "no"
        return f"| {self.what} | {self.figure:,.1f} {self.unit} | {cpu} | {bound} | {held} |"


class Spent(NamedTuple):
    """Seconds by the clock and of processor time, of all threads of this process."""

    wall: float
    cpu: float

    def figure(self, what: str, unit: str = "s", at_most: float | None = None) -> Figure:
        size = {"s": 1, "ms": 1e3}[unit]
        return Figure(what, self.wall * size, unit, at_most, self.cpu * size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--operations", type=int, default=100, help="of each host (default: 100)")
    parser.add_argument("--changes", type=int, default=5, help="how many newer snapshots follow the first (default: 5)")
    parser.add_argument("--write", action="store_true", help="keep the result in README.md beside this program")
    parser.add_argument("--gateway", type=Path, help=argparse.SUPPRESS)  # what the second process is started with
    args = parser.parse_args()
    if args.gateway:
        gateway(args.gateway)
        return
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="hauberk-scale-") as folder:
        figures = measure(Path(folder), args.hosts, args.operations, args.changes)
    lines = [
        f"| {args.hosts * args.operations:,} operations over {args.hosts} hosts | | of the processor | at most | held |",
        "|---|--:|--:|--:|---|",
    ]
    text = "\n".join([*lines, *(figure.line() for figure in figures), "", conditions()])
    print(text)
    if args.write:
        before, begin, rest = README.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise SystemExit(f"{README} must have the lines '{BEGIN}' and '{END}'")
        README.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def measure(folder: Path, hosts: int, operations: int, changes: int) -> list[Figure]:
    """Fill a control plane, compile snapshots, and let a gateway enforce them one after the other."""
    snapshots = folder / "snapshots"
    snapshots.mkdir()
    settings = Settings.model_validate({"state_dir": folder / "state", "zones": [{"name": ZONE, "hosts": []}]})
    plane = ControlPlane(settings)
    upload = seconds(lambda: fill(plane, folder, hosts, operations))
    build = seconds(plane.snapshot)
    (snapshots / "0").write_bytes(plane.snapshot().data)
    rebuilds, commits = [], []
    for number in range(1, changes + 1):
        commits.append(seconds(lambda number=number: change(plane, number)))
        rebuilds.append(seconds(plane.snapshot))
        (snapshots / str(number)).write_bytes(plane.snapshot().data)
    size = len(plane.snapshot().data)
    plane.close()
    command = [sys.executable, __file__, "--gateway", str(snapshots)]
    told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    first, *others = (Spent(*spent) for spent in told["applied"])
    return [
        upload.figure("control plane: all documents checked, stored, tried"),
        build.figure("control plane: snapshot built"),
        Figure("snapshot", size / 2**20, "MiB"),
        first.figure("gateway: first snapshot checked and compiled"),
        Spent(build.wall + first.wall, build.cpu + first.cpu).figure("snapshot built and compiled, together", at_most=5),
        median(commits).figure("control plane: one change committed, tried before", "ms"),
        median(rebuilds).figure("control plane: snapshot built after it", "ms"),
        median(others).figure("gateway: swapped", "ms", 50),
        Figure("gateway: memory when all is in force", told["resident_mib"], "MiB", 300),
        Figure("gateway: memory at its highest", told["highest_mib"], "MiB", 300),
        Figure("gateway: memory before the first snapshot", told["empty_mib"], "MiB"),
    ]


def gateway(snapshots: Path) -> None:
    """Enforce all snapshots of a folder in order; print how long each took and what memory is held, as JSON."""
    enforced = Gateway(https=[], http=[])
    empty = _memory("VmRSS")
    applied = []
    for path in sorted(snapshots.iterdir(), key=lambda path: int(path.name)):
        data = path.read_bytes()
        applied.append(seconds(lambda data=data: enforced.apply_snapshot(data)))
        del data
    print(json.dumps({"applied": applied, "resident_mib": _memory("VmRSS"), "highest_mib": _memory("VmHWM"), "empty_mib": empty}))


def fill(plane: ControlPlane, folder: Path, hosts: int, operations: int) -> None:
    """Add the hosts, a document for each, and its operations, in one transaction."""
    certificates = write_certificates(folder, [f"*.{ZONE}"])
    with plane.database.write() as session:
        zone = session.scalars(select(Zone).where(Zone.name == ZONE)).one()
        zone.default_action = "block"
        for number in range(hosts):
            name = f"api{number}.{ZONE}"
            session.add(
                Host(
                    zone_id=zone.id,
                    name=name,
                    upstreams=["http://127.0.0.1:9"],
                    certificate_pem=certificates.server.read_text(),
                    private_key_pem=certificates.server_key.read_text(),
                    self_signed=False,
                    from_file=False,
                )
            )
            source = json.dumps(document(number, operations))
            read = read_document(source, Place.of(ZONE, [name], name))
            add_schema(session, zone.id, name, read, validation_enabled=True)
            save_operations(session, zone.id, [declared.key for declared in read.operations])


def change(plane: ControlPlane, number: int) -> None:
    """Change what is done about one operation: every schema stays."""
    with plane.database.write() as session:
        operation = session.scalars(select(Operation).order_by(Operation.operation_id).offset(number).limit(1)).one()
        operation.mitigation_action = "log"


def document(number: int, operations: int) -> dict[str, Any]:
    """An API of a shop: things with parameters and bodies of a dozen properties, and a few schemas that they share."""
    paths: dict[str, Any] = {}
    text = {"type": "string", "minLength": 1, "maxLength": 200}
    for index in range(operations):
        thing, method = divmod(index, len(METHODS))
        item = paths.setdefault(
            f"/v{number}/accounts/{{account}}/things{thing}/{{id}}",
            {
                "parameters": [
                    {"name": "account", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}},
                ]
            },
        )
        body = {
            "type": "object",
            "required": ["name", "kind"],
            "additionalProperties": False,
            "properties": {
                "name": text,
                "kind": {"enum": [f"kind{index}-{choice}" for choice in range(4)]},
                "sku": {"type": "string", "pattern": f"^[A-Z]{{2}}-{thing}-[0-9]{{4,8}}$"},
                "price": {"$ref": "#/components/schemas/Money"},
                "weight": {"type": "number", "minimum": 0, "maximum": 1000 + index},
                "tags": {"type": "array", "maxItems": 20, "uniqueItems": True, "items": text},
                "owner": {"$ref": "#/components/schemas/Person"},
                "parts": {"type": "array", "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}},
                "active": {"type": "boolean"},
                "until": {"type": "string", "format": "date-time"},
            },
        }
        operation: dict[str, Any] = {
            "operationId": f"{METHODS[method]}{thing}",
            "parameters": [{"name": "verbose", "in": "query", "schema": {"type": "boolean"}}],
            "responses": {"200": {"description": "done"}},
        }
        if METHODS[method] in {"put", "post"}:
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        item[METHODS[method]] = operation
    person = {"type": "object", "required": ["email"], "properties": {"name": text, "email": {"type": "string", "format": "email"}}}
    money = {
        "type": "object",
        "required": ["amount", "currency"],
        "additionalProperties": False,
        "properties": {"amount": {"type": "integer", "minimum": 0}, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Shop {number}", "version": "1"},
        "paths": paths,
        "components": {"schemas": {"Person": person, "Money": money}},
    }


def seconds(work: Callable[[], object]) -> Spent:
    """How long it takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def median(spent: Sequence[Spent]) -> Spent:
    return Spent(statistics.median(each.wall for each in spent), statistics.median(each.cpu for each in spent))


def conditions() -> str:
    processor = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    revision = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=README.parent, capture_output=True, text=True, check=True)
    facts = {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "Machine": f"{processor.partition(':')[2].strip()}, {os.cpu_count()} cores, Linux {platform.release()}",
        "hauberk": revision.stdout.strip(),
    }
    return "\n".join(f"- {name}: {fact}" for name, fact in facts.items())


def _memory(field: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
