"""Fills a database as a large installation would in a day: operations with metrics, candidates, request counts, events."""

from __future__ import annotations

import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from hauberk.operation import OperationKey
from hauberk.pipeline import ControlPlane
from hauberk.storage.discovery_tables import DiscoveredOperation, DiscoveryRun
from hauberk.storage.events import store_events
from hauberk.storage.models import Operation, OperationMetric, Zone
from hauberk.storage.request_counts import COUNTS, CountedMinute, store_request_counts

HOSTS = [f"api{number:02d}.example.com" for number in range(20)]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NOUNS = ("orders", "users", "items", "invoices", "devices", "teams", "reports", "carts", "files", "events")
CODES = (("path", "schema_violation", "type"), ("query", "undeclared", "parameter"), ("body", "schema_violation", "required"))
EVENTS_AT_ONCE = 10_000
ROWS_AT_ONCE = 20_000
HOURS = 24


def seed(plane: ControlPlane, operations: int, candidates: int, events: int) -> None:
    """Fill it; the same numbers give the same content."""
    chance = random.Random(1)
    with plane.database.read() as session:
        zone_id = session.scalars(select(Zone.id)).one()
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    keys = list(_keys(operations + candidates))
    ids = [key.operation_id(zone_id) for key in keys]
    saved, found = list(zip(ids, keys, strict=True))[:operations], list(zip(ids, keys, strict=True))[operations:]
    _tell("operations", lambda: _operations(plane, zone_id, saved))
    _tell("candidates", lambda: _candidates(plane, zone_id, saved, found, now, chance))
    _tell("metrics", lambda: _metrics(plane, [one for one, _ in saved], now, chance))
    _tell("request counts", lambda: _requests(plane, zone_id, now, chance))
    _tell("events", lambda: _events(plane, zone_id, saved, events, now, chance))


def _tell(what: str, work: Callable[[], None]) -> None:
    began = time.monotonic()
    work()
    sys.stderr.write(f"{what}: {time.monotonic() - began:.1f} s\n")


def _keys(count: int) -> Iterator[OperationKey]:
    for number in range(count):
        noun, other = NOUNS[number % 10], NOUNS[number // 10 % 10]
        endpoint = (f"/v{number // 1000}/{noun}/{{var1}}", f"/v{number // 1000}/{noun}/{{var1}}/{other}-{number}")[number % 2]
        yield OperationKey(METHODS[number % 5], HOSTS[number % 20], endpoint.replace(f"/{noun}/", f"/{noun}{number}/"))


def _operations(plane: ControlPlane, zone_id: str, saved: list[tuple[str, OperationKey]]) -> None:
    actions = ("block", "log", None)
    with plane.database.write() as session:
        for number, (one, key) in enumerate(saved):
            session.add(
                Operation(
                    operation_id=one,
                    zone_id=zone_id,
                    method=key.method,
                    host=key.host,
                    endpoint=key.endpoint,
                    mitigation_action=actions[number % 3],
                )
            )


def _candidates(
    plane: ControlPlane,
    zone_id: str,
    saved: list[tuple[str, OperationKey]],
    found: list[tuple[str, OperationKey]],
    now: datetime,
    chance: random.Random,
) -> None:
    def row(one: str, key: OperationKey, state: str) -> dict[str, Any]:
        requests = int(chance.paretovariate(0.8) * 500)
        return {
            "id": one,
            "zone_id": zone_id,
            "method": key.method,
            "host": key.host,
            "endpoint": key.endpoint,
            "state": state,
            "ml": chance.random() < 0.9,
            "session_identifier": chance.random() < 0.6,
            "requests": requests,
            "requests_per_period": requests / 10,
            "score": chance.random(),
            "distinct_paths": min(requests, 5000),
            "first_seen": now - timedelta(days=9),
            "last_seen": now,
            "examples": [key.endpoint.replace("{var1}", str(n)) for n in range(3)],
            "series": {
                "since": (now - timedelta(days=9)).isoformat(),
                "step_seconds": 21600,
                "requests": [chance.randrange(requests) for _ in range(40)],
            },
        }

    rows = [row(one, key, "saved") for one, key in saved]
    rows += [row(one, key, "ignored" if number % 10 == 0 else "review") for number, (one, key) in enumerate(found)]
    with plane.database.write() as session:
        for at in range(0, len(rows), ROWS_AT_ONCE):
            session.execute(insert(DiscoveredOperation), rows[at : at + ROWS_AT_ONCE])
        # There is no traffic behind them, so nobody may look at it until the benchmark is over.
        session.merge(DiscoveryRun(zone_id=zone_id, started_at=datetime.now(UTC), finished_at=datetime.now(UTC)))


def _metrics(plane: ControlPlane, ids: list[str], now: datetime, chance: random.Random) -> None:
    with plane.database.write() as session:
        for hour in range(HOURS):
            rows = []
            for one in ids:
                requests = chance.randrange(1, 4000)
                latency = " ".join(f"{bucket}:{requests // 3 + 1}" for bucket in sorted(chance.sample(range(200, 320), 3)))
                rows.append(
                    {
                        "operation_id": one,
                        "hour": now - timedelta(hours=hour),
                        "requests": requests,
                        "client_errors": requests // 50,
                        "server_errors": requests // 900,
                        "last_seen": now - timedelta(hours=hour) + timedelta(minutes=50),
                        "latency": latency,
                    }
                )
            session.execute(insert(OperationMetric), rows)


def _requests(plane: ControlPlane, zone_id: str, now: datetime, chance: random.Random) -> None:
    counted = []
    for minute in range(HOURS * 60):
        for host in HOSTS:
            requests = chance.randrange(100, 5000)
            counts = dict.fromkeys(COUNTS, 0) | {"requests": requests, "passed": requests - 30, "logged": 10, "blocked_schema": 20}
            at = int((now - timedelta(minutes=minute)).timestamp()) // 60 * 60
            counted.append(CountedMinute(zone_id, host, at, counts | {"protected": requests // 2}))
    with plane.database.write() as session:
        for at in range(0, len(counted), 5000):
            store_request_counts(session, uuid.uuid4().hex, counted[at : at + 5000])


def _events(
    plane: ControlPlane, zone_id: str, saved: list[tuple[str, OperationKey]], count: int, now: datetime, chance: random.Random
) -> None:
    step = timedelta(hours=HOURS) / max(count, 1)
    for at in range(0, count, EVENTS_AT_ONCE):
        events = []
        for number in range(at, min(at + EVENTS_AT_ONCE, count)):
            one, key = saved[int(len(saved) * chance.random() ** 3)]
            location, error_class, detail = CODES[number % 3]
            blocked = number % 3 != 0
            violation = {"location": location, "target": "/id", "error_class": error_class, "error_detail": detail, "rule": None}
            events.append(
                {
                    "id": f"{number:032x}",
                    "occurred_at": (now + timedelta(minutes=30) - step * number).isoformat(),
                    "request_id": f"{number:032x}",
                    "zone_id": zone_id,
                    "host": key.host,
                    "method": key.method,
                    "path": key.endpoint.replace("{var1}", str(number % 1000)),
                    "operation_id": one,
                    "action": "block" if blocked else "log",
                    "source": "apiShieldSchemaValidation",
                    "rule_id": None,
                    "violation": violation,
                    "violations": [violation],
                    "status": 403 if blocked else 200,
                    "client_certificate": None,
                    "client_address": f"192.0.2.{number % 250}",
                }
            )
        with plane.database.write() as session:
            store_events(session, events)
