"""
What became of requests, by host: gateways bring what they counted of each minute; here it is put together.

A batch counts once, however often it comes. Minutes are kept for about a day, then only their hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, delete, func, literal_column, select
from sqlalchemy.orm import Session

from hauberk.storage.adding import add_to_rows
from hauberk.storage.count_tables import RequestCount
from hauberk.storage.models import OperationMetricBatch, Zone, now

MINUTE = 60
HOUR = 3600
# A day can be looked at by the minute, and what a gateway brings late still finds the minutes beside it.
MINUTES_KEPT = timedelta(hours=26)

VERDICTS = ("passed", "logged", "blocked_certificate", "blocked_rule", "blocked_schema", "blocked_other")
"""What becomes of a request: one of these."""

COUNTS = ("requests", *VERDICTS, "protected", "with_certificate", "fallthrough", "client_errors", "server_errors")

Tally = dict[str, int]
"""A number for each of `COUNTS`."""


@dataclass(frozen=True)
class CountedMinute:
    """What a gateway counted of one host in one minute."""

    zone_id: str
    host: str
    minute: int
    """When it began, in seconds since 1970."""
    tally: Tally


def store_request_counts(session: Session, batch_id: str, counted: Sequence[CountedMinute]) -> int:
    """
    Add what a gateway counted; a batch that is known is left alone.

    Returns:
        How many entries were added; those of zones that are deleted are left out.
    """
    if session.get(OperationMetricBatch, batch_id) is not None:
        return 0
    session.add(OperationMetricBatch(batch_id=batch_id, received_at=now()))
    zones = set(session.scalars(select(Zone.id).where(Zone.id.in_({one.zone_id for one in counted}))))
    known = [one for one in counted if one.zone_id in zones]
    rows = [{"zone_id": one.zone_id, "host": one.host, "seconds": MINUTE, "began": one.minute, **one.tally} for one in known]
    add_to_rows(session, RequestCount, rows)
    return len(rows)


def finest_step(since: datetime) -> int:
    """Tell how many seconds the shortest time lasts that counts from `since` on can be told apart by."""
    return MINUTE if since.timestamp() >= _oldest_minute() else HOUR


def request_series(session: Session, zone_id: str, since: int, until: int, step: int, host: str | None = None) -> list[tuple[int, Tally]]:
    """
    Count a zone's requests in steps of time, the oldest first; a step without requests is there with zeros.

    Args:
        session: A session.

        zone_id: The zone.

        since: When the first step begins, in seconds since 1970; a multiple of `step`.

        until: Where the last one has ended.

        step: How long each lasts, in seconds.

        host: Only this host.
    """
    began = _floored(step)
    query = select(began, *_sums()).where(*_within(zone_id, since, until)).group_by(began)
    if host is not None:
        query = query.where(RequestCount.host == host)
    found = {int(at): _tally(sums) for at, *sums in session.execute(query)}
    return [(at, found.get(at) or _tally(())) for at in range(since, until, step)]


def requests_by_host(session: Session, zone_id: str, since: int, until: int) -> dict[str, Tally]:
    """Count a zone's requests of some time by host; hosts without any are left out."""
    query = select(RequestCount.host, *_sums()).where(*_within(zone_id, since, until)).group_by(RequestCount.host)
    return {host: _tally(sums) for host, *sums in session.execute(query)}


def tidy_request_counts(session: Session, keep_days: int) -> None:
    """Put old minutes together to their hours, and delete what is older than so many days."""
    old = (RequestCount.seconds == MINUTE, RequestCount.began < _oldest_minute())
    hour = _floored(HOUR)
    query = select(RequestCount.zone_id, RequestCount.host, hour, *_sums()).where(*old)
    rows = [
        {"zone_id": zone_id, "host": host, "seconds": HOUR, "began": int(began), **_tally(sums)}
        for zone_id, host, began, *sums in session.execute(query.group_by(RequestCount.zone_id, RequestCount.host, hour))
    ]
    if rows:
        session.execute(delete(RequestCount).where(*old))
        add_to_rows(session, RequestCount, rows)
    limit = int((now() - timedelta(days=keep_days)).timestamp())
    for seconds in (MINUTE, HOUR):
        session.execute(delete(RequestCount).where(RequestCount.seconds == seconds, RequestCount.began < limit))


def _oldest_minute() -> int:
    """Give the hour from whose beginning on minutes are kept."""
    return int((now() - MINUTES_KEPT).timestamp()) // HOUR * HOUR


def _within(zone_id: str, since: int, until: int) -> tuple[ColumnElement[bool], ...]:
    return (
        RequestCount.zone_id == zone_id,
        RequestCount.seconds.in_((MINUTE, HOUR)),
        RequestCount.began >= since,
        RequestCount.began < until,
    )


def _floored(step: int) -> ColumnElement[int]:
    """Give when the step began. The number stands in the statement: PostgreSQL would not take two parameters for the same grouping."""
    seconds: ColumnElement[int] = literal_column(str(step), BigInteger())
    return RequestCount.began // seconds * seconds


def _sums() -> list[ColumnElement[int]]:
    return [func.sum(getattr(RequestCount, name)) for name in COUNTS]


def _tally(sums: Sequence[int]) -> Tally:
    return {name: int(value) for name, value in zip(COUNTS, sums or [0] * len(COUNTS), strict=True)}
