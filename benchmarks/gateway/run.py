#!/usr/bin/env python3
"""
Measure hauberk's gateway beside nginx and Envoy, in one run on this machine.

Each proxy has one worker on core 0; the origin (an nginx) and the load generator share core 1. The same POST of 53 bytes goes to all of
them, and one of 32 KB in the rows that say so, over kept-alive connections, in rounds: every proxy once, then all again. Told are
requests per second, and CPU microseconds that the proxy's processes used for each request. The second is the steadier one: it does not
depend on which side was the bottleneck.

    uv run --group benchmarks benchmarks/gateway/run.py                   # all rows; prints the tables
    uv run --group benchmarks benchmarks/gateway/run.py --write           # and keeps them in benchmarks/gateway/README.md
    .venv/bin/python benchmarks/gateway/run.py --only nginx --only plain --seconds 3 --rounds 2

Before: `make build` (the gateway in release mode) and, on Debian, `apt-get install nginx wrk apache2-utils zstd golang`. Close what else
runs:
the two cores are fully used, and each line tells what other programs took meanwhile. Only 127.0.0.1 is loaded.

The run fails if any answer is not 2xx, if a row does not refuse what it must refuse, or if connections are not kept alive.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import others
import ours
import payloads
import report
from certificates import Certificates, write_certificates
from load import LoadFailed
from measure import measure
from processes import Program, ProgramFailed, free_ports
from rows import Row

PROXY_CORE, LOAD_CORE = 0, 1
NOISE = 0.1  # of a core; from there on two runs differ by more than what one looks for
PACKAGES = {"nginx": "nginx", "wrk": "wrk", "ab": "apache2-utils", "taskset": "util-linux"}
NAMES = (
    "nginx",
    "envoy",
    "plain",
    "validated",
    "validated-many",
    "kin-openapi",
    "nginx-32k",
    "plain-32k",
    "validated-32k",
    "kin-openapi-32k",
    "nginx-mutual-tls",
    "mutual-tls",
)
OURS = {"plain", "validated", "validated-many", "plain-32k", "validated-32k", "mutual-tls"}


def main() -> None:
    args = _arguments()
    _check_machine()
    envoy = others.find_envoy() if "envoy" in args.only else None
    if "envoy" in args.only and not envoy:
        raise SystemExit("there is no envoy; start this with: uv run --group benchmarks benchmarks/gateway/run.py")
    try:
        with _programs(envoy, args.only) as (rows, origin, certificates):
            for row in rows:
                row.check(certificates)
            figures = measure(
                rows,
                origin,
                load_core=LOAD_CORE,
                connections=args.connections,
                seconds=args.seconds,
                rounds=args.rounds,
                tell=lambda line: print(line, file=sys.stderr, flush=True),
            )
    except (LoadFailed, ProgramFailed) as error:
        raise SystemExit(f"error: {error}") from None
    conditions = report.conditions(figures, report.versions(envoy), connections=args.connections, seconds=args.seconds, rounds=args.rounds)
    text = "\n\n".join(part for part in (report.table(rows, figures), report.floors(rows, figures), conditions) if part)
    print(text)
    if (busiest := max(of_row.others for of_row in figures.values())) > NOISE:
        print(
            f"other programs took up to {busiest:.0%} of a core: these figures are worth little; try again when it is quiet",
            file=sys.stderr,
        )
    if args.write:
        report.write(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="length of one run of one proxy (default: 5)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each proxy is run; the medians count (default: 5)")
    parser.add_argument("--connections", type=int, default=32, help="kept-alive connections (default: 32)")
    parser.add_argument("--only", action="append", choices=NAMES, help="run this row; may be given several times (default: all)")
    parser.add_argument("--write", action="store_true", help="keep the result in README.md beside this program; needs all rows")
    args = parser.parse_args()
    if args.write and args.only:
        parser.error("--write keeps whole tables, so it does not go with --only")
    if min(args.seconds, args.rounds, args.connections) < 1:
        parser.error("--seconds, --rounds and --connections must be at least 1")
    if not args.only and not payloads.GITHUB.is_file():
        parser.error(f"the row validated-many needs {payloads.GITHUB}: set HAUBERK_DATA, or leave the row out with --only")
    args.only = args.only or list(NAMES)
    return args


def _check_machine() -> None:
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("this needs two cores: one for the proxy, one for the load and the origin")
    if not importlib.util.find_spec("hauberk"):
        raise SystemExit("hauberk is not built for this Python; do so with: make build")
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if missing:
        raise SystemExit(f"something to measure with is missing; on Debian: apt-get install {' '.join(missing)}")


@contextmanager
def _programs(envoy: str | None, names: list[str]) -> Iterator[tuple[list[Row], Program, Certificates]]:
    """Start the origin and what the named rows need, and end all of it at the end."""
    origin_port, nginx_port, nginx_tls_port, envoy_port, http_port, https_port, kin_port, kin_large_port = free_ports(8)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hauberk-benchmark-")))
        folder.chmod(0o711)  # nginx's worker is another user and goes through it to its folders for bodies
        certificates = write_certificates(folder, [ours.MUTUAL_TLS])

        def keep(program: Program) -> Program:
            stack.callback(program.stop)
            return program

        origin = keep(others.start_origin(folder, LOAD_CORE, origin_port))
        rows = []
        client = certificates.client_with_key
        large = payloads.signup(folder)
        if {"nginx", "nginx-32k", "nginx-mutual-tls"} & set(names):
            nginx = keep(others.start_nginx(folder, PROXY_CORE, nginx_port, nginx_tls_port, origin_port, certificates))
            rows += [
                Row("nginx", "nginx", nginx, nginx_port, ours.PLAIN),
                Row("nginx-32k", "nginx, 32 KB", nginx, nginx_port, ours.PLAIN, baseline="nginx-32k", payload=large),
                Row("nginx-mutual-tls", "nginx, mutual TLS", nginx, nginx_tls_port, ours.MUTUAL_TLS, client, baseline="nginx-mutual-tls"),
            ]
        if envoy:
            program = keep(others.start_envoy(envoy, folder, PROXY_CORE, envoy_port, origin_port))
            rows.append(Row("envoy", "Envoy", program, envoy_port, ours.PLAIN))
        if {"kin-openapi", "kin-openapi-32k"} & set(names):
            built = others.build_rival(folder)
            if not built:
                raise SystemExit("there is no Go toolchain, which the rows with kin-openapi need; leave them out with --only")
            small = keep(others.start_rival(built, folder, PROXY_CORE, kin_port, origin_port, payloads.READING))
            rival = keep(others.start_rival(built, folder, PROXY_CORE, kin_large_port, origin_port, large))
            rows += [
                Row("kin-openapi", "Go with kin-openapi, body validated", small, kin_port, ours.PLAIN, validates=True),
                Row(
                    "kin-openapi-32k",
                    "Go with kin-openapi, 32 KB validated",
                    rival,
                    kin_large_port,
                    ours.PLAIN,
                    validates=True,
                    baseline="nginx-32k",
                    payload=large,
                ),
            ]
        if OURS & set(names):
            documents = [payloads.READING, large]
            many = payloads.many_operations() if "validated-many" in names else None
            gateway = keep(
                ours.start_gateway(folder, PROXY_CORE, http_port, https_port, origin_port, certificates, documents, many_operations=many)
            )
            rows += [
                Row("plain", "hauberk, forwarding only", gateway, http_port, ours.PLAIN),
                Row("validated", "hauberk, body validated", gateway, http_port, ours.VALIDATED, validates=True),
                Row(
                    "validated-many",
                    "hauberk, body validated by one of 1,224 operations",
                    gateway,
                    http_port,
                    ours.MANY_OPERATIONS,
                    validates=True,
                ),
                Row("plain-32k", "hauberk, 32 KB forwarded", gateway, http_port, ours.PLAIN, baseline="nginx-32k", payload=large),
                Row(
                    "validated-32k",
                    "hauberk, 32 KB validated",
                    gateway,
                    http_port,
                    ours.VALIDATED,
                    validates=True,
                    baseline="nginx-32k",
                    payload=large,
                ),
                Row("mutual-tls", "hauberk, mutual TLS", gateway, https_port, ours.MUTUAL_TLS, client, baseline="nginx-mutual-tls"),
            ]
        yield sorted((row for row in rows if row.name in names), key=lambda row: NAMES.index(row.name)), origin, certificates


if __name__ == "__main__":
    main()
