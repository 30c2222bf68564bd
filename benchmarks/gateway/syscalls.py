#!/usr/bin/env python3
"""
Count the system calls that each proxy of the benchmark makes for one request.

Unlike the time a request takes, this does not depend on the machine or on what else runs on it, and it tells what a proxy asks of the
kernel, where most of its time goes. strace slows the proxies down, so no time is measured here.

    uv run --group benchmarks benchmarks/gateway/syscalls.py                  # all rows of run.py
    .venv/bin/python benchmarks/gateway/syscalls.py --only nginx --only plain

Before: as for run.py, and `apt-get install strace`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import others
import run
from load import LoadFailed
from processes import ProgramFailed, family
from rows import Row

CONNECTIONS, SECONDS = 32, 3
RARE = 0.05  # calls per request; fewer are those of making connections and of attaching to the program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=run.NAMES, help="count this row; may be given several times (default: all)")
    names = parser.parse_args().only or list(run.NAMES)
    if not shutil.which("strace"):
        raise SystemExit("there is no strace; on Debian: apt-get install strace")
    envoy = others.find_envoy() if "envoy" in names else None
    try:
        with run._programs(envoy, names) as (rows, _origin, _certificates):
            print("| | calls/request | of these |\n|---|--:|---|")
            for row in rows:
                calls = count(row)
                kinds = ", ".join(f"{name} {number:.2f}" for name, number in calls.items() if number >= RARE)
                print(f"| {row.label} | {sum(calls.values()):.1f} | {kinds} |", flush=True)
    except (LoadFailed, ProgramFailed) as error:
        raise SystemExit(f"error: {error}") from None


def count(row: Row) -> dict[str, float]:
    """
    Count the calls for one request of a row, the most frequent first.

    Raises:
        LoadFailed: If any answer was not 2xx.
    """
    row.load(run.LOAD_CORE, CONNECTIONS, 1)  # connections to the origin are made, and memory is got
    with tempfile.NamedTemporaryFile("r") as report:
        attach = [option for pid in family(row.program.process.pid) for option in ("-p", str(pid))]
        tracer = subprocess.Popen(["strace", "-f", "-c", "-o", report.name, *attach], stderr=subprocess.DEVNULL)
        time.sleep(1)
        try:
            outcome = row.load(run.LOAD_CORE, CONNECTIONS, SECONDS)
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
        return {name: calls / outcome.requests for name, calls in _calls(Path(report.name).read_text())}


def _calls(report: str) -> list[tuple[str, int]]:
    # % time, seconds, usecs/call, calls, perhaps errors, name
    lines = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", report, re.MULTILINE)
    calls = [(name, int(number)) for number, name in lines if name != "total"]
    return sorted(calls, key=lambda call: -call[1])


if __name__ == "__main__":
    main()
