#!/usr/bin/env python3
"""
What recording costs: a gateway that records nothing, one with the default of 50 exchanges a second, and one that records all of them.

    .venv/bin/python benchmarks/gateway/sampling.py
    .venv/bin/python benchmarks/gateway/sampling.py --rounds 20 --write

All gateways run at once, each with one worker thread on core 0; one of them is loaded at a time, in rounds, so that what disturbs the
machine falls on all alike. Origin and load share core 1. CPU time is told for the thread that serves and for all threads of the process,
those that mask and take included. A last gateway records all and nobody takes: its memory is told before and after, and must be bounded.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import others
import ours
import report
from certificates import write_certificates
from load import LoadFailed, run_wrk
from processes import Program, ProgramFailed, free_ports

PROXY_CORE, LOAD_CORE = 0, 1
CONNECTIONS = 32
WARM_UP_SECONDS = 1
BEGIN, END = "<!-- sampling: written by sampling.py --write -->", "<!-- end of sampling -->"

ALL = ("--samples-per-second", "1000000")
WAYS: dict[str, tuple[str, ...]] = {
    "records nothing": (),
    "50 a second (default)": ("--samples-per-second", "50", "--take"),
    "all": (*ALL, "--take"),
    "all, and nobody takes": ALL,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--host", default=ours.VALIDATED, help="plain.test or validated.test")
    parser.add_argument("--write", action="store_true", help="keep what is told in README.md")
    args = parser.parse_args()
    try:
        text = compare(args.rounds, args.seconds, args.host)
    except (LoadFailed, ProgramFailed) as error:
        raise SystemExit(f"error: {error}") from None
    print(text)
    if args.write:
        report.write(text, BEGIN, END)


def compare(rounds: int, seconds: int, host: str) -> str:
    """Load each way in turn; returns a table as Markdown."""
    with tempfile.TemporaryDirectory(prefix="hauberk-sampling-") as name:
        folder = Path(name)
        certificates = write_certificates(folder, [ours.PLAIN, ours.VALIDATED, ours.MUTUAL_TLS])
        origin_port, *ports = free_ports(1 + 2 * len(WAYS))
        origin = others.start_origin(folder, LOAD_CORE, origin_port)
        gateways: dict[str, tuple[Program, int]] = {}
        try:
            for (way, options), http, https in zip(WAYS.items(), ports[::2], ports[1::2], strict=True):
                own = folder / str(http)
                own.mkdir()
                gateways[way] = ours.start_gateway(own, PROXY_CORE, http, https, origin_port, certificates, options=options), http
            for program, http in gateways.values():
                _run(program, http, host, WARM_UP_SECONDS)
            before = {way: program.resident_mib() for way, (program, _) in gateways.items()}
            runs: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
            for _ in range(rounds):
                for way, (program, http) in gateways.items():
                    runs[way].append(_run(program, http, host, seconds))
            after = {way: program.resident_mib() for way, (program, _) in gateways.items()}
        finally:
            for program, _ in gateways.values():
                program.stop()
            origin.stop()
    off = runs["records nothing"]
    lines = [
        "| Records | Serving thread, µs/request | beside nothing, in the same round | Process, µs/request | Requests/s | Memory, MiB |",
        "|---|---|---|---|---|---|",
    ]
    for way, of_way in runs.items():
        serving, process, rate = (statistics.median(column) for column in zip(*of_way, strict=True))
        paired = statistics.median(one[0] / other[0] - 1 for one, other in zip(of_way, off, strict=True))
        memory = f"{before[way]:.0f} → {after[way]:.0f}"
        lines.append(f"| {way} | {serving:.1f} | {paired:+.1%} | {process:.1f} | {rate:,.0f} | {memory} |")
    about = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, load average {os.getloadavg()[1]:.1f}"
    return "\n".join([*lines, "", f"{rounds} rounds of {seconds} s on {host}; {about}."])


def _run(program: Program, http: int, host: str, seconds: int) -> tuple[float, float, float]:
    """Load one gateway; returns microseconds of CPU a request of the serving thread and of the process, and requests a second."""
    serving, process = _thread_seconds(program, "gateway"), program.cpu_seconds()
    outcome = run_wrk(LOAD_CORE, CONNECTIONS, seconds, f"http://127.0.0.1:{http}/temps", host)
    serving, process = _thread_seconds(program, "gateway") - serving, program.cpu_seconds() - process
    return serving / outcome.requests * 1e6, process / outcome.requests * 1e6, outcome.requests_per_second


def _thread_seconds(program: Program, name: str) -> float:
    """Add up the CPU time of the threads of this name, which is exact to the nanosecond in `schedstat`."""
    total = 0
    for task in Path(f"/proc/{program.process.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


if __name__ == "__main__":
    main()
