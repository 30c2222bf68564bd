"""Load from one core: wrk, and ab where a client certificate must be presented, which wrk cannot."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
READING = FOLDER / "reading.json"
# ab ends at its time limit or at this many requests, and sets memory aside for each; no proxy here does more on one core.
AB_REQUESTS_PER_SECOND = 100_000


class LoadFailed(Exception):
    """The load did not come through as meant; a figure from such a run would mislead."""


@dataclass(frozen=True)
class Outcome:
    """What a load generator tells of one run."""

    requests: int
    requests_per_second: float
    tls: str | None = None
    """Protocol and cipher, if there was TLS."""


def run_wrk(core: int, connections: int, seconds: int, url: str, host: str, body: Path = READING) -> Outcome:
    """
    POST the body over kept-alive connections, in plain text.

    Raises:
        LoadFailed: If any answer was not 2xx, or a connection failed.
    """
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-H", f"Host: {host}", "-s", str(FOLDER / "post.lua")]
    text = _run(["taskset", "-c", str(core), "wrk", *options, url, "--", str(body)])
    for failure in ("Non-2xx", "Socket errors"):
        if line := re.search(rf"{failure}.*", text):
            raise LoadFailed(f"{url}: {line[0]}")
    return Outcome(int(_number(r"(\d+) requests in", text)), _number(r"Requests/sec:\s+([\d.]+)", text))


def run_ab(core: int, connections: int, seconds: int, url: str, client_with_key: Path, body: Path) -> Outcome:
    """
    POST the body over kept-alive TLS connections, each opened with the client certificate.

    Raises:
        LoadFailed: If any answer was not 2xx, a connection failed, or connections were not kept alive.
    """
    posted = ["-p", str(body), "-T", "application/json"]
    bounds = ["-t", str(seconds), "-n", str(seconds * AB_REQUESTS_PER_SECOND), "-c", str(connections)]
    text = _run(["taskset", "-c", str(core), "ab", "-k", "-q", "-l", "-d", "-S", *bounds, *posted, "-E", str(client_with_key), url])
    requests = int(_number(r"Complete requests:\s+(\d+)", text))
    kept = int(_number(r"Keep-Alive requests:\s+(\d+)", text))
    for failure in ("Failed requests", "Non-2xx responses", "Write errors"):
        if (count := re.search(rf"{failure}:\s+(\d+)", text)) and count[1] != "0":
            raise LoadFailed(f"{url}: {count[0]} of {requests}")
    if requests - kept > connections:
        raise LoadFailed(f"{url}: only {kept} of {requests} requests were kept alive")
    tls = re.search(r"SSL/TLS Protocol:\s+([^,\s]+),([^,\s]+)", text)
    return Outcome(requests, _number(r"Requests per second:\s+([\d.]+)", text), f"{tls[1]} with {tls[2]}" if tls else None)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LoadFailed(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if not found:
        raise LoadFailed(f"the load generator printed nothing like '{pattern}':\n{text}")
    return float(found[1])
