"""
The process that is measured: hauberk's gateway as the package ships it, given one snapshot, without a control plane.

Usage: gateway_process.py CONTENT --http ADDRESS --https ADDRESS [--threads 1]
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from hauberk._native import Gateway
from hauberk.snapshot.document import encode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("content", type=Path, help="the content of the snapshot, JSON")
    parser.add_argument("--http", required=True)
    parser.add_argument("--https", required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()

    gateway = Gateway(http=[args.http], https=[args.https], threads=args.threads)
    for warning in gateway.apply_snapshot(encode(1, json.loads(args.content.read_bytes())).data):
        print(warning, flush=True)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    serving = threading.Thread(target=gateway.run, name="gateway")
    serving.start()
    stopped.wait()
    gateway.stop(1.0)
    serving.join()


if __name__ == "__main__":
    main()
