#!/usr/bin/env python3
"""
What counting requests costs: the share of the serving thread's time that goes into the counts of hosts and of operations.

    .venv/bin/python benchmarks/gateway/counting.py
    .venv/bin/python benchmarks/gateway/counting.py --seconds 120 --write

The kernel looks 4,000 times a second of CPU time where the thread is, while the gateway is loaded. Both the counting and all the rest are
of the same run, so what disturbs the machine falls on both. Functions are found by the line tables of the build, those that were inlined
included. What was not inlined is not found that way: of it, all hashing for tables and all reads of the clock are told, whoever asks for
them. So counting costs its own columns at least, and with these two at most.

Before: as for run.py, and `perf` and `addr2line` (on Debian: apt-get install linux-perf binutils).
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path

import others
import ours
import report
from certificates import write_certificates
from load import LoadFailed, run_wrk
from processes import Program, ProgramFailed, free_ports

from hauberk import _native

PROXY_CORE, LOAD_CORE = 0, 1
CONNECTIONS = 32
WARM_UP_SECONDS = 2
BEGIN, END = "<!-- counting: written by counting.py --write -->", "<!-- end of counting -->"
MODULES = {"by host and minute": "request_counts::", "by operation and hour": "operation_counts::"}
HASHING, CLOCK = "all hashing", "all reads of the clock"
PLACES = {**MODULES, HASHING: "::sip::"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--write", action="store_true", help="keep what is told in README.md")
    args = parser.parse_args()
    for tool in ("perf", "addr2line"):
        if not shutil.which(tool):
            raise SystemExit(f"there is no {tool}; on Debian: apt-get install linux-perf binutils")
    try:
        text = look(args.seconds)
    except (LoadFailed, ProgramFailed) as error:
        raise SystemExit(f"error: {error}") from None
    print(text)
    if args.write:
        report.write(text, BEGIN, END)


def look(seconds: int) -> str:
    """Load a gateway at a host without operations and at one with; returns a table as Markdown."""
    lines = [
        f"| Requests to | {' | '.join(f'counted {name}' for name in MODULES)} | {HASHING} | {CLOCK} | looked | CPU µs/request |",
        f"|---|{'--:|' * (len(PLACES) + 3)}",
    ]
    with tempfile.TemporaryDirectory(prefix="hauberk-counting-") as name:
        folder = Path(name)
        certificates = write_certificates(folder, [ours.PLAIN, ours.VALIDATED, ours.MUTUAL_TLS])
        origin_port, http, https = free_ports(3)
        origin = others.start_origin(folder, LOAD_CORE, origin_port)
        gateway = ours.start_gateway(folder, PROXY_CORE, http, https, origin_port, certificates)
        try:
            for host in (ours.PLAIN, ours.VALIDATED):
                run_wrk(LOAD_CORE, CONNECTIONS, WARM_UP_SECONDS, f"http://127.0.0.1:{http}/temps", host)
                found, spent, requests = _watched(gateway, folder / "perf", http, host, seconds)
                looked = found.total()
                shares = " | ".join(_share(found[name], looked) for name in (*PLACES, CLOCK))
                lines.append(f"| {host} | {shares} | {looked:,} | {spent / requests * 1e6:.1f} |")
        finally:
            gateway.stop()
            origin.stop()
    about = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, load average {os.getloadavg()[1]:.1f}"
    return "\n".join([*lines, "", f"{seconds} s each; ± is two standard errors; {about}."])


def _share(count: int, total: int) -> str:
    return f"{count / total:.2%} ± {2 * sqrt(max(count, 1)) / total:.2%}"


def _watched(program: Program, data: Path, http: int, host: str, seconds: int) -> tuple[Counter[str], float, int]:
    """Load the gateway; returns how often its thread was where, its CPU time in seconds, and how many requests it served."""
    thread = _serving_thread(program.process.pid)
    watching = subprocess.Popen(["perf", "record", "--quiet", "-e", "cpu-clock", "-F", "4000", "-t", thread.name, "-o", str(data)])
    before = _cpu_seconds(thread)
    outcome = run_wrk(LOAD_CORE, CONNECTIONS, seconds, f"http://127.0.0.1:{http}/temps", host)
    spent = _cpu_seconds(thread) - before
    watching.send_signal(signal.SIGINT)
    watching.wait()
    done = subprocess.run(["perf", "script", "-i", str(data), "-F", "ip,sym"], capture_output=True, text=True, check=True)
    where = [(int(address, 16), symbol) for address, _, symbol in (line.strip().partition(" ") for line in done.stdout.splitlines())]
    return _found(where, _base(program.process.pid)), spent, outcome.requests


def _found(where: Iterable[tuple[int, str]], base: int) -> Counter[str]:
    """Count the places by what is done there."""
    addresses: Counter[int] = Counter()
    found: Counter[str] = Counter()
    for address, symbol in where:
        if "clock_gettime" in symbol:
            found[CLOCK] += 1
        else:
            addresses[address - base] += 1
    ours_ = [address for address in addresses if 0 <= address < Path(_native.__file__).stat().st_size]
    asked = "\n".join(hex(address) for address in ours_)
    command = ["addr2line", "--addresses", "--inlines", "--functions", "--demangle", "--exe", _native.__file__]
    told = subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout
    chains = dict(zip(ours_, told.split("0x")[1:], strict=True))
    for address, count in addresses.items():
        chain = chains.get(address, "")
        found[next((name for name, place in PLACES.items() if place in chain), "the rest")] += count
    return found


def _serving_thread(pid: int) -> Path:
    threads = [task for task in Path(f"/proc/{pid}/task").iterdir() if (task / "comm").read_text().strip() == "gateway"]
    return max(threads, key=_cpu_seconds)


def _cpu_seconds(thread: Path) -> float:
    return int((thread / "schedstat").read_text().split()[0]) / 1e9


def _base(pid: int) -> int:
    """Where the extension module begins in the memory of the process."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return min(int(line.partition("-")[0], 16) for line in maps if line.endswith(Path(_native.__file__).name))


if __name__ == "__main__":
    main()
