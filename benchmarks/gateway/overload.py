#!/usr/bin/env python3
"""
The gateway under attack and beside broken origins: is memory bounded, are others served, are the answers right?

    .venv/bin/python benchmarks/gateway/overload.py             # all scenarios, 20 s each, about six minutes
    .venv/bin/python benchmarks/gateway/overload.py --only idle --seconds 5
    .venv/bin/python benchmarks/gateway/overload.py --write     # and keeps the table in benchmarks/gateway/README.md

The gateway has core 0 for one worker thread; attackers, origins and the others share core 1. The others are clients that do nothing
wrong: each opens a connection, posts one reading that is validated, and measures how long the answer took, twenty times a second.
Only 127.0.0.1 is attacked. It needs nginx, wrk and 15,000 open files (`ulimit -n`).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import attacks
import others
import ours
import report
from attacks import Attack, Target, many
from certificates import write_certificates
from load import FOLDER, READING
from processes import Program, ProgramFailed, free_ports

PROXY_CORE, LOAD_CORE = 0, 1
PROBES_PER_SECOND = 20
PROBE_SECONDS = 10
OPEN_FILES = 15_000
BROKEN = ("stalls", "dies", "garbage")
SETTINGS = {"header_timeout_seconds": 5, "body_timeout_seconds": 5, "upstream_response_timeout_seconds": 3}
BEGIN, END = "<!-- overload: written by overload.py --write -->", "<!-- end of overload -->"


@dataclass(frozen=True)
class Scenario:
    """
    One line of the table.

    Attributes:
        name: What `--only` selects by.

        label: What the table says.

        attack: What is done; `None` if wrk does it.

        wrk_connections: For wrk.
    """

    name: str
    label: str
    attack: Attack | None = None
    wrk_connections: int = 0


SCENARIOS = (
    Scenario("calm", "nothing"),
    Scenario("load", "2,000 connections that ask as fast as they can", wrk_connections=2000),
    Scenario("idle", "10,000 idle connections", many(10_000, attacks.idle)),
    Scenario("slow-head", "1,000 clients that send a head byte by byte", many(1000, attacks.slow_head)),
    Scenario("slow-body", "1,000 clients that send a body byte by byte", many(1000, attacks.slow_body)),
    Scenario("many-headers", "heads of 20,000 fields, from 50 clients", many(50, attacks.head_of(b"x: y\r\n" * 20_000))),
    Scenario("long-header", "heads of 10 MB, from 20 clients", many(20, attacks.head_of(b"x: " + b"y" * 10_000_000 + b"\r\n"))),
    Scenario("length", "bodies of 1 GB with a length, limit 1 MB, from 50 clients", many(50, attacks.huge_body(chunked=False))),
    Scenario("chunked", "bodies of 1 GB in chunks, limit 1 MB, from 50 clients", many(50, attacks.huge_body(chunked=True))),
    Scenario("reset", "HTTP/2 rapid reset, 20 connections", many(20, attacks.http2(attacks.reset_stream, "streams"))),
    Scenario("continuation", "HTTP/2 heads without end, 20 connections", many(20, attacks.http2(attacks.endless_headers, "frames"))),
    Scenario("bomb", "HTTP/2 heads of 16 MB in 8 KB, 20 connections", many(20, attacks.http2(attacks.bomb, "streams"))),
    Scenario("stalls", "an origin that never answers, 200 clients", many(200, attacks.get("stalls.test"))),
    Scenario("dies", "an origin that dies amid the body, 50 clients", many(50, attacks.get("dies.test"))),
    Scenario("garbage", "an origin that answers garbage, 50 clients", many(50, attacks.get("garbage.test"))),
)


@dataclass
class Told:
    """What came of a scenario: answers to the attackers; of the others how many were served and how fast; memory in MiB."""

    seen: Counter[str]
    probes: Counter[str]
    milliseconds: list[float]
    before: float
    most: float
    after: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--only", action="append", choices=names, help="a scenario; repeat it for more. Default: all")
    parser.add_argument("--seconds", type=int, default=20, help="how long each lasts")
    parser.add_argument("--write", action="store_true", help="keep the table in README.md")
    args = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < OPEN_FILES:
        if hard < OPEN_FILES:
            raise SystemExit(f"{OPEN_FILES:,} open files are needed, {hard:,} are allowed: raise `ulimit -n`")
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))
    try:
        told = asyncio.run(run([scenario for scenario in SCENARIOS if scenario.name in (args.only or names)], args.seconds))
    except ProgramFailed as error:
        raise SystemExit(f"error: {error}") from None
    text = table(told, args.seconds)
    print(text)
    if args.write:
        report.write(text, BEGIN, END)


async def run(scenarios: Sequence[Scenario], seconds: int) -> dict[Scenario, Told]:
    """Start everything, and go through the scenarios with the same gateway."""
    os.sched_setaffinity(0, {LOAD_CORE})
    told = {}
    with tempfile.TemporaryDirectory(prefix="hauberk-overload-") as name:
        folder = Path(name)
        certificates = write_certificates(folder, [ours.MUTUAL_TLS])
        origin_port, http, https, *broken_ports = free_ports(3 + len(BROKEN))
        broken = {f"{behaviour}.test": port for behaviour, port in zip(BROKEN, broken_ports, strict=True)}
        servers = [await attacks.origin(behaviour, port) for behaviour, port in zip(BROKEN, broken_ports, strict=True)]
        origin = others.start_origin(folder, LOAD_CORE, origin_port)
        gateway = ours.start_gateway(folder, PROXY_CORE, http, https, origin_port, certificates, more_origins=broken, settings=SETTINGS)
        try:
            for scenario in scenarios:
                told[scenario] = await _scenario(scenario, seconds, gateway, http, https)
                print(_line(scenario, told[scenario]), file=sys.stderr, flush=True)
        finally:
            gateway.stop()
            origin.stop()
            for server in servers:
                server.close()
    return told


async def _scenario(scenario: Scenario, seconds: int, gateway: Program, http: int, https: int) -> Told:
    target = Target(http, https, time.monotonic() + seconds)
    told = Told(target.seen, Counter(), [], gateway.resident_mib(), 0, 0)
    tasks = [asyncio.create_task(_probe(target, told)), asyncio.create_task(_watch(target, gateway, told))]
    if scenario.attack:
        tasks.append(asyncio.ensure_future(scenario.attack(target)))
    if scenario.wrk_connections:
        tasks.append(asyncio.create_task(_wrk(target, scenario.wrk_connections, seconds)))
    _, late = await asyncio.wait(tasks, timeout=seconds + 2 * attacks.ANSWER_SECONDS)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(3)
    told.after = gateway.resident_mib()
    return told


async def _probe(target: Target, told: Told) -> None:
    probes = []
    while not target.over:
        probes.append(asyncio.create_task(_post(target.http, told)))
        await asyncio.sleep(1 / PROBES_PER_SECOND)
    await asyncio.gather(*probes)


async def _post(port: int, told: Told) -> None:
    body = READING.read_bytes()
    fields = f"Host: validated.test\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
    head = f"POST /temps HTTP/1.1\r\n{fields}\r\n\r\n"
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head.encode() + body)
            answer = await reader.read()
            writer.close()
        told.probes[answer[9:12].decode() or "closed"] += 1
        told.milliseconds.append(1000 * (time.perf_counter() - begun))
    except TimeoutError:
        told.probes["no answer"] += 1
    except OSError:
        told.probes["closed"] += 1


async def _watch(target: Target, gateway: Program, told: Told) -> None:
    while not target.over:
        told.most = max(told.most, gateway.resident_mib())
        await asyncio.sleep(0.25)


async def _wrk(target: Target, connections: int, seconds: int) -> None:
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "10s",
        "-H",
        "Host: plain.test",
        "-s",
        str(FOLDER / "post.lua"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, f"http://127.0.0.1:{target.http}/temps", "--", str(READING), stdout=subprocess.PIPE
    )
    printed, _ = await process.communicate()
    for line in printed.decode().splitlines():
        if "requests in" in line:
            target.seen["requests"] += int(line.split()[0])
        if "Socket errors" in line or "Non-2xx" in line:
            target.seen[line.strip()] += 1


def _line(scenario: Scenario, told: Told) -> str:
    seen = ", ".join(f"{name}: {count:,}" for name, count in told.seen.most_common(5)) or "-"
    served = f"{told.probes['201']} of {sum(told.probes.values())}"
    times = sorted(told.milliseconds) or [0.0]
    median, late = statistics.median(times), times[int(0.99 * (len(times) - 1))]
    return f"| {scenario.label} | {seen} | {served} | {median:.1f} | {late:.1f} | {told.before:.0f} | {told.most:.0f} | {told.after:.0f} |"


def table(told: dict[Scenario, Told], seconds: int) -> str:
    """The figures as Markdown."""
    head = [
        "| attack | attackers met | others served | median ms | 99 % ms | MiB before | at most | after |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    facts = [
        "",
        f"- Date: {datetime.now(UTC):%Y-%m-%d}; {seconds} s each, one gateway through all of them, in this order",
        f"- Settings other than the defaults: {', '.join(f'{name} {value}' for name, value in SETTINGS.items())}",
    ]
    return "\n".join(head + [_line(scenario, of) for scenario, of in told.items()] + facts)


if __name__ == "__main__":
    main()
