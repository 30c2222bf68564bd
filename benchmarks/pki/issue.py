"""
How many client certificates are issued in a second, through the library, on one core.

Each is the whole of it: read the CSR's PEM, judge it, verify its signature, sign, write PEM. Keys are made beforehand. Beside it, in
the same run: the two operations on P-256 it cannot do without, and `openssl x509 -req` started once for each certificate.

    taskset -c 0 python benchmarks/pki/issue.py [--seconds 5]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import cryptography
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hauberk.certificate import Subject
from hauberk.pki.authority import Authority
from hauberk.pki.generate import KeyKind, generate_request
from hauberk.pki.request import parse_request

ROUNDS = 5
CRL_URL = "https://control.example.com/crl/authority.crl"


@dataclass(frozen=True)
class Rate:
    """Operations a second: by the clock, and by the processor time spent, ours and our children's."""

    wall: float
    cpu: float


def cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def rate(work: Callable[[], object], seconds: float) -> Rate:
    """Measure five rounds, each of a fifth of the time, and give the medians."""
    rounds = []
    for _ in range(ROUNDS):
        count, started, spent = 0, time.perf_counter(), cpu_seconds()
        while (elapsed := time.perf_counter() - started) < seconds / ROUNDS:
            work()
            count += 1
        rounds.append(Rate(count / elapsed, count / max(cpu_seconds() - spent, 0.01)))
    return Rate(statistics.median(found.wall for found in rounds), statistics.median(found.cpu for found in rounds))


def issuing(authority: Authority, kind: KeyKind) -> Callable[[], object]:
    subject = Subject.of(
        common_name="device", organization="Example", organizational_unit="IoT", country="DE", state="BE", location="Berlin"
    )
    requests = cycle([generate_request(subject, kind).csr_pem for _ in range(20)])
    return lambda: authority.sign(parse_request(next(requests)), 365, datetime.now(UTC), CRL_URL)


def bare() -> Callable[[], object]:
    key, algorithm, message = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(SHA256()), os.urandom(400)
    public_key, signature = key.public_key(), key.sign(message, algorithm)

    def verify_and_sign() -> None:
        public_key.verify(signature, message, algorithm)
        key.sign(message, algorithm)

    return verify_and_sign


def openssl(folder: Path, authority: Authority) -> Callable[[], object]:
    (folder / "ca.pem").write_text(authority.certificate_pem)
    (folder / "ca.key").write_bytes(authority.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "device.csr").write_text(generate_request(Subject.of(common_name="device")).csr_pem)
    command = ["openssl", "x509", "-req", "-in", "device.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "365", "-out", "device.pem"]
    return lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=5, help="time for each row (default: 5)")
    seconds = arguments.parse_args().seconds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    authority = Authority.create(Subject.of(common_name="Benchmark CA"), 7300, datetime.now(UTC))
    with tempfile.TemporaryDirectory() as folder:
        rows = {
            "P-256 verify + sign, nothing else": bare(),
            "hauberk, ECDSA P-256 request": issuing(authority, KeyKind.ECDSA_P256),
            "hauberk, RSA 2048 request": issuing(authority, KeyKind.RSA_2048),
            "hauberk, Ed25519 request": issuing(authority, KeyKind.ED25519),
            "`openssl x509 -req`, a process each": openssl(Path(folder), authority),
        }
        print(f"Python {platform.python_version()}, cryptography {cryptography.__version__}, {backend.openssl_version_text()}, one core;")
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores when it began\n")
        print("| | each second | each second of processor time | processor time of one |\n|---|---:|---:|---:|")
        for name, work in rows.items():
            found = rate(work, seconds)
            print(f"| {name} | {found.wall:,.0f} | {found.cpu:,.0f} | {1e6 / found.cpu:,.0f} µs |", flush=True)


if __name__ == "__main__":
    main()
