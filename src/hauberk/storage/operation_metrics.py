"""
Metrics of saved operations by hour: requests, errors, latency. Gateways bring what they counted; here it is put together.

A batch counts once, however often it comes: its id is stored in the transaction that adds what it says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hauberk import _native
from hauberk.errors import InvalidRequest
from hauberk.storage.models import Operation, OperationMetric, OperationMetricBatch, now
from hauberk.storage.operation_latency import add_latency

HOUR = timedelta(hours=1)
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
# Longer than any gateway tries again after an answer that got lost.
BATCHES_KEPT = timedelta(days=2)
# Below the number of variables SQLite and PostgreSQL take in one statement.
AT_ONCE = 5000


@dataclass(frozen=True)
class Counted:
    """What a gateway counted of one operation in one hour."""

    operation_id: str
    hour: datetime
    """When it began, in UTC."""
    requests: int
    client_errors: int
    """Of the requests, answered with 400 to 499."""
    server_errors: int
    """Of the requests, answered with 500 to 599."""
    last_seen: datetime
    latency: str
    """Microseconds, as a sketch."""


@dataclass(frozen=True)
class Metrics:
    """Metrics of one operation over some time."""

    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    latency_ms: Mapping[str, float] | None = None
    """`p50`, `p90`, `p95` and `p99` in milliseconds, each within 2 %; `None` without requests."""
    last_seen: datetime | None = None


def store_metrics(session: Session, batch_id: str, counted: Sequence[Counted]) -> int:
    """
    Add what a gateway counted; a batch that is known is left alone.

    Returns:
        How many entries were added; those of operations that are deleted are left out.

    Raises:
        InvalidRequest: If a sketch is none. Nothing is added then.
    """
    if session.get(OperationMetricBatch, batch_id) is not None:
        return 0
    session.add(OperationMetricBatch(batch_id=batch_id, received_at=now()))
    ids = sorted({one.operation_id for one in counted})
    known: set[str] = set()
    rows: dict[tuple[str, datetime], OperationMetric] = {}
    for batch in _batches(ids):
        known.update(session.scalars(select(Operation.operation_id).where(Operation.operation_id.in_(batch))))
        hours = {one.hour for one in counted}
        found = session.scalars(select(OperationMetric).where(OperationMetric.operation_id.in_(batch), OperationMetric.hour.in_(hours)))
        rows |= {(row.operation_id, row.hour): row for row in found}
    added: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for one in counted:
        if one.operation_id not in known:
            continue
        row = rows.get((one.operation_id, one.hour))
        if row is None:
            row = OperationMetric(operation_id=one.operation_id, hour=one.hour, last_seen=one.last_seen, latency="")
            row.requests = row.client_errors = row.server_errors = 0
            rows[one.operation_id, one.hour] = row
            session.add(row)
        row.requests += one.requests
        row.client_errors += one.client_errors
        row.server_errors += one.server_errors
        row.last_seen = max(row.last_seen, one.last_seen)
        row.latency = _merged([row.latency, one.latency])
        added[one.operation_id].append((one.hour, one.latency))
    add_latency(session, added, hour_of(now()))
    return sum(map(len, added.values()))


def metrics_of(session: Session, operation_ids: Sequence[str], since: datetime) -> dict[str, Metrics]:
    """Put the hours of operations together, from the one that `since` is in; those without requests are there with zeros."""
    rows: dict[str, list[OperationMetric]] = defaultdict(list)
    for batch in _batches(operation_ids):
        query = select(OperationMetric).where(OperationMetric.operation_id.in_(batch), OperationMetric.hour >= hour_of(since))
        for row in session.scalars(query):
            rows[row.operation_id].append(row)
    return {operation_id: _together(rows[operation_id]) for operation_id in operation_ids}


def requests_by_hour(session: Session, operation_ids: Sequence[str], since: datetime) -> dict[str, dict[datetime, int]]:
    """Give how many requests operations had in each hour, from the one that `since` is in; hours without any are left out."""
    hours: dict[str, dict[datetime, int]] = {operation_id: {} for operation_id in operation_ids}
    columns = (OperationMetric.operation_id, OperationMetric.hour, OperationMetric.requests)
    for batch in _batches(operation_ids):
        query = select(*columns).where(OperationMetric.operation_id.in_(batch), OperationMetric.hour >= hour_of(since))
        for operation_id, hour, requests in session.execute(query):
            hours[operation_id][hour] = requests
    return hours


def hours_of(session: Session, operation_id: str, since: datetime) -> dict[datetime, Metrics]:
    """Give the hours of one operation that had requests, the oldest first."""
    query = select(OperationMetric).where(OperationMetric.operation_id == operation_id, OperationMetric.hour >= hour_of(since))
    return {row.hour: _together([row]) for row in session.scalars(query.order_by(OperationMetric.hour))}


def daily_requests(session: Session) -> dict[str, list[tuple[int, int]]]:
    """Count the requests of each operation by day (days since 1970-01-01, UTC), as far back as metrics are kept."""
    days: dict[str, Counter[int]] = defaultdict(Counter)
    query = select(OperationMetric.operation_id, OperationMetric.hour, OperationMetric.requests)
    for operation_id, hour, requests in session.execute(query):
        days[operation_id][int(hour.timestamp()) // 86400] += requests
    return {operation_id: sorted(counted.items()) for operation_id, counted in days.items()}


def forget_metrics(session: Session, keep_days: int) -> None:
    """Delete metrics older than so many days, and the ids of batches that come no more."""
    session.execute(delete(OperationMetric).where(OperationMetric.hour < hour_of(now() - timedelta(days=keep_days))))
    session.execute(delete(OperationMetricBatch).where(OperationMetricBatch.received_at < now() - BATCHES_KEPT))


def hour_of(time: datetime) -> datetime:
    """Give when the hour of a moment began."""
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _together(rows: Sequence[OperationMetric]) -> Metrics:
    if not rows:
        return Metrics()
    values = _native.sketch_quantiles([row.latency for row in rows], list(QUANTILES.values()))
    latency = {name: round(value / 1000, 3) for name, value in zip(QUANTILES, values, strict=True) if value is not None}
    return Metrics(
        requests=sum(row.requests for row in rows),
        client_errors=sum(row.client_errors for row in rows),
        server_errors=sum(row.server_errors for row in rows),
        latency_ms=latency or None,
        last_seen=max(row.last_seen for row in rows),
    )


def _merged(sketches: list[str]) -> str:
    try:
        return _native.merge_sketches(sketches)
    except ValueError as error:
        raise InvalidRequest(f"latency: {error}", pointer="/metrics") from None


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(ids), AT_ONCE):
        yield ids[at : at + AT_ONCE]
