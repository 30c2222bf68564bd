#!/usr/bin/env python3
"""
Full load for a long time, while the snapshot is replaced each second: no request may be lost, and memory must stay flat.

    .venv/bin/python benchmarks/gateway/soak.py                 # 20 minutes
    .venv/bin/python benchmarks/gateway/soak.py --minutes 2

The gateway has core 0 for one worker thread; the origin and the load share core 1. wrk keeps 64 connections busy, half of them with
requests that are only forwarded, half with bodies that are validated, in slices of 10 s. After each slice the gateway's memory is
read. Told are the requests, what was lost of them (an answer that is not 2xx, a connection that broke), how long swaps took, and memory
after the first minute and at the end. The exit status is 1 if a request was lost.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import others
import ours
import report
from certificates import write_certificates
from load import LoadFailed, Outcome, run_wrk
from processes import ProgramFailed, free_ports

PROXY_CORE, LOAD_CORE = 0, 1
SLICE_SECONDS = 10
CONNECTIONS = 32
BEGIN, END = "<!-- soak: written by soak.py --write -->", "<!-- end of soak -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--write", action="store_true", help="keep what is told in README.md")
    args = parser.parse_args()
    try:
        text, good = soak(args.minutes)
    except (LoadFailed, ProgramFailed) as error:
        raise SystemExit(f"error: {error}") from None
    print(text)
    if args.write:
        report.write(text, BEGIN, END)
    sys.exit(0 if good else 1)


def soak(minutes: float) -> tuple[str, bool]:
    """
    Load the gateway.

    Returns:
        How it went, as Markdown, and whether no request was lost.
    """
    lost: list[str] = []
    requests = 0
    memory: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="hauberk-soak-") as name:
        folder = Path(name)
        certificates = write_certificates(folder, [ours.PLAIN, ours.VALIDATED, ours.MUTUAL_TLS])
        origin_port, http, https = free_ports(3)
        origin = others.start_origin(folder, LOAD_CORE, origin_port)
        gateway = ours.start_gateway(folder, PROXY_CORE, http, https, origin_port, certificates, swap_seconds=1)
        try:
            begun = time.monotonic()
            while (elapsed := time.monotonic() - begun) < 60 * minutes:
                outcomes = _slice(http, lost)
                requests += sum(outcome.requests for outcome in outcomes)
                memory.append((elapsed + SLICE_SECONDS, gateway.resident_mib()))
                line = f"{memory[-1][0]:6.0f} s  {requests:>12,} requests  {memory[-1][1]:6.1f} MiB  {len(lost)} slices with losses"
                print(line, file=sys.stderr, flush=True)
            swaps = [float(line.split()[1]) for line in gateway.log.read_text().splitlines() if line.startswith("swap ")]
        finally:
            gateway.stop()
            origin.stop()
    first = next((mib for at, mib in memory if at >= 60), memory[0][1])
    late = statistics.median(mib for _, mib in memory[-6:])
    took = f"{statistics.median(swaps):.1f} ms each, {max(swaps):.1f} at most"
    lines = [
        f"- {datetime.now(UTC):%Y-%m-%d}: {minutes:g} minutes, {requests:,} requests, {len(swaps)} swaps ({took})",
        f"- lost: {'; '.join(lost) if lost else 'none'}",
        f"- memory: {first:.1f} MiB after the first minute, {late:.1f} MiB at the end (median of the last minute)",
    ]
    return "\n".join(lines), not lost


def _slice(port: int, lost: list[str]) -> list[Outcome]:
    outcomes: list[Outcome] = []

    def load(host: str) -> None:
        try:
            outcomes.append(run_wrk(LOAD_CORE, CONNECTIONS, SLICE_SECONDS, f"http://127.0.0.1:{port}/temps", host))
        except LoadFailed as error:
            lost.append(str(error))

    threads = [threading.Thread(target=load, args=[host]) for host in (ours.PLAIN, ours.VALIDATED)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


if __name__ == "__main__":
    main()
