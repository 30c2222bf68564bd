"""
The demo's past: what the same callers would have sent on the days before, answered by the same shop, as a capture and as counts.

It is made up, as the demo is, and told so. What is kept of it is what a gateway would have kept: a share of the exchanges for the traffic
store, and how many there were of each saved operation.
"""

from __future__ import annotations

import functools
import json
import random
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hauberk import _native
from hauberk.demo.traffic import machines, shop
from hauberk.demo.traffic.exchange import DEVICES, JSON, Answer, Sent, problem
from hauberk.demo.traffic.mix import Mix, awake

HOUR = timedelta(hours=1)
MINUTE_SECONDS = 60
WEIGHT = 200
"""For how many exchanges a recorded one stands: the days before were as busy as it is now, and one in so many was recorded."""

REFUSED = problem(403, "Forbidden")
COUNTED = (
    "requests",
    "passed",
    "logged",
    "blocked_certificate",
    "blocked_rule",
    "blocked_schema",
    "blocked_other",
    "protected",
    "with_certificate",
    "fallthrough",
    "client_errors",
    "server_errors",
)
# Enough for durations of a quarter of an hour.
BUCKETS = 500


@dataclass(frozen=True)
class Past:
    """An exchange of the past."""

    at: datetime
    sent: Sent
    answer: Answer


def made_up(seed: int, days: float, visits_in_an_hour: int, until: datetime) -> Iterator[Past]:
    """
    Make up the past, in order.

    Args:
        seed: Makes the chance.

        days: How far back it goes.

        visits_in_an_hour: About so many when everybody is awake.

        until: When it ends.
    """
    mix, chance = Mix(seed), random.Random(seed)
    now = until - timedelta(days=days)
    while True:
        share = awake(now)
        now += timedelta(seconds=chance.expovariate(visits_in_an_hour * (0.3 + 0.7 * share) / HOUR.total_seconds()))
        if now >= until:
            return
        for at, sent in enumerate(mix.visit(now, awake=share)):
            headers = {name.lower(): value for name, value in sent.headers.items()}
            made = (
                REFUSED if lacks_certificate(sent) else shop.answer(sent.method, sent.host, sent.target, headers, sent.body or b"", chance)
            )
            yield Past(min(now + timedelta(milliseconds=120 * at), until), sent, made)


def write_capture(file: Path, past: Iterable[Past]) -> int:
    """Write exchanges as our records, a line each, which `hauberk traffic import` reads; returns how many there are."""
    count = 0
    with file.open("w") as stream:
        for count, one in enumerate(past, 1):  # noqa: B007 - counted for the caller
            stream.write(json.dumps(_record(one), separators=(",", ":")) + "\n")
    return count


def _record(past: Past) -> dict[str, Any]:
    sent, made = past.sent, past.answer
    record: dict[str, Any] = {
        "host": sent.host,
        "method": sent.method,
        "url": f"https://{sent.host}{sent.target}",
        "http_version": "HTTP/1.1",
        "request_headers": [["Host", sent.host], *([name, value] for name, value in sent.headers.items())],
        "status": made.status,
        "response_headers": [["Content-Type", made.content_type]] if made.status != 204 else [],
        "response_content_type": made.content_type if made.status != 204 else None,
        "response_body_size": len(made.body),
        "time": past.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "client": sent.address,
        "weight": WEIGHT,
        "duration_us": round(made.seconds * 1e6),
    }
    if sent.body is not None:
        is_text = sent.headers.get("Content-Type") == JSON
        record |= {"request_body": sent.body.decode()} if is_text else {"request_body_omitted": len(sent.body)}
    return record


def lacks_certificate(sent: Sent) -> bool:
    """Tell whether the rule on devices refuses a request, the only one there was on the days before."""
    revoked = machines.certificate_name(machines.REVOKED_DEVICE)
    return sent.host == DEVICES and sent.certificate in {None, revoked}


def requests_by_minute(past: Iterable[Past], zone_id: str) -> list[dict[str, Any]]:
    """Count the past as gateways count what becomes of requests: for each host and minute."""
    counted: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for one in past:
        count = counted[one.sent.host, int(one.at.timestamp()) // MINUTE_SECONDS * MINUTE_SECONDS]
        refused = lacks_certificate(one.sent)
        count.update(["requests", "blocked_certificate" if refused else "passed"])
        count["protected"] += one.sent.host == DEVICES
        count["with_certificate"] += one.sent.host == DEVICES and not refused
        count["client_errors"] += not refused and 400 <= one.answer.status < 500
        count["server_errors"] += one.answer.status >= 500
    return [
        {"zone_id": zone_id, "host": host, "minute": minute, **{name: WEIGHT * count[name] for name in COUNTED}}
        for (host, minute), count in counted.items()
    ]


def counts(past: Iterable[Past], operations: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """
    Count the past as gateways count: for each saved operation and hour.

    Args:
        past: The exchanges.

        operations: Saved ones, as the REST API lists them.
    """
    known = [(one, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(one["endpoint"])))) for one in operations]
    counted: dict[tuple[str, int], _Count] = defaultdict(_Count)
    for one in past:
        path = one.sent.target.partition("?")[0]
        for operation, pattern in known:
            if (operation["method"], operation["host"]) == (one.sent.method, one.sent.host) and pattern.fullmatch(path):
                hour = int(one.at.timestamp()) // 3600 * 3600
                counted[operation["operation_id"], hour].add(one)
                break
    return [
        {
            "operation_id": operation_id,
            "hour": hour,
            "requests": count.requests,
            "client_errors": count.client_errors,
            "server_errors": count.server_errors,
            "last_seen": int(count.last_seen.timestamp()),
            "latency": _native.merge_sketches(count.latency),
        }
        for (operation_id, hour), count in counted.items()
    ]


class _Count:
    """One operation in one hour."""

    def __init__(self) -> None:
        self.requests = self.client_errors = self.server_errors = 0
        self.latency: list[str] = []
        self.last_seen = datetime.fromtimestamp(0, UTC)

    def add(self, past: Past) -> None:
        """Count an exchange."""
        self.requests += WEIGHT
        self.client_errors += WEIGHT * (400 <= past.answer.status < 500)
        self.server_errors += WEIGHT * (past.answer.status >= 500)
        self.last_seen = max(self.last_seen, past.at)
        self.latency.append(_sketch(past.answer.seconds))


@functools.cache
def _middles() -> list[float]:
    """Tell which duration each bucket of a sketch stands for, in microseconds."""
    middles = (_native.sketch_quantiles([f"{bucket}:1"], [0.5])[0] for bucket in range(BUCKETS))
    return [middle for middle in middles if middle is not None]


def _sketch(seconds: float) -> str:
    """Write one duration as a sketch."""
    return f"{min(bisect_left(_middles(), seconds * 1e6), BUCKETS - 1)}:{WEIGHT}"
