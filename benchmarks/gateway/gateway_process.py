"""
The process that is measured: hauberk's gateway as the package ships it, given one snapshot, without a control plane.

Usage: gateway_process.py CONTENT --http ADDRESS --https ADDRESS [--threads 1] [--swap-seconds 1] [--samples-per-second 50 [--take]]

With --samples-per-second exchanges are recorded, and with --take also taken and thrown away.
With --swap-seconds the snapshot is replaced by a new version of itself again and again; each swap prints its milliseconds.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from pathlib import Path

from hauberk._native import Gateway
from hauberk.snapshot.document import encode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("content", type=Path, help="the content of the snapshot, JSON")
    parser.add_argument("--http", required=True)
    parser.add_argument("--https", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--swap-seconds", type=float, default=0, help="replace the snapshot this often; 0: never")
    parser.add_argument("--samples-per-second", type=float, default=0, help="record so many exchanges; 0: none")
    parser.add_argument("--take", action="store_true", help="take what is recorded")
    args = parser.parse_args()

    content = json.loads(args.content.read_bytes())
    gateway = Gateway(http=[args.http], https=[args.https], threads=args.threads)
    gateway.sample(bytes(32), rate=1, max_per_second=args.samples_per_second, max_body_bytes=0)
    for warning in gateway.apply_snapshot(encode(1, content).data):
        print(warning, flush=True)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    serving = threading.Thread(target=gateway.run, name="gateway")
    serving.start()
    if args.take:
        threading.Thread(target=_take, args=(gateway,), daemon=True).start()
    version = 1
    while not stopped.wait(args.swap_seconds or None):
        version += 1
        data = encode(version, content).data
        begun = time.perf_counter()
        gateway.apply_snapshot(data)
        print(f"swap {1000 * (time.perf_counter() - begun):.1f}", flush=True)
        # Nothing takes the events here; the oldest are dropped and counted, as with an event log that is too slow.
    gateway.stop(1.0)
    serving.join()


def _take(gateway: Gateway) -> None:
    while True:
        gateway.take_transactions(4 * 2**20, 1)


if __name__ == "__main__":
    main()
