"""Looking for security events among a million: by what they tell, a page after the other, and what of them is frequent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, false, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from hauberk.errors import InvalidRequest, NotFound
from hauberk.storage.count_tables import EventCount
from hauberk.storage.events import HOUR, OTHER
from hauberk.storage.models import ClientCertificate, SecurityEvent

COUNTED_AT_MOST = 10_000
"""Nobody reads further, and counting all would look at each of a million events."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR = re.compile(r"(\d{1,17})-(.{1,64})")


@dataclass(frozen=True)
class EventFilter:
    """Which events are looked for; `None` means any."""

    host: str | None = None
    action: str | None = None
    source: str | None = None
    operation_id: str | None = None
    rule_id: str | None = None
    request_id: str | None = None
    code: str | None = None
    method: str | None = None
    status: int | None = None
    path: str | None = None
    """A part of it; upper and lower case are the same."""
    fingerprint: str | None = None
    """SHA-256 of the client certificate, in hexadecimal."""
    fingerprints: tuple[str, ...] | None = None
    """One of these."""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Cursor:
    """A place in the list of events, which goes from the newest to the oldest."""

    occurred_at: datetime
    id: str

    @classmethod
    def read(cls, text: str) -> Cursor:
        """
        Read what `str` gave.

        Raises:
            InvalidRequest: If that is no cursor.
        """
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise InvalidRequest("before must be the cursor of an answer before", pointer="/before")
        return cls(_EPOCH + int(match[1]) * _MICROSECOND, match[2])

    def __str__(self) -> str:
        """Write it for an address."""
        return f"{(self.occurred_at - _EPOCH) // _MICROSECOND}-{self.id}"


@dataclass(frozen=True)
class Frequent:
    """How many events have something in common."""

    key: str
    """Empty for all those that are not told apart."""
    blocked: int
    logged: int
    last_seen: datetime


def events_of(zone_id: str, wanted: EventFilter, before: Cursor | None = None) -> Select[Any]:
    """Select a zone's events, the newest first; with a cursor those that come after it in that order."""
    query = select(SecurityEvent).where(*_conditions(zone_id, wanted))
    if before is not None:
        place = tuple_(SecurityEvent.occurred_at, SecurityEvent.id)
        query = query.where(place < tuple_(literal(before.occurred_at, SecurityEvent.occurred_at.type), literal(before.id)))
    at: SQLColumnExpression[datetime] = SecurityEvent.occurred_at
    if _has_own_indexes(wanted):
        at = func.coalesce(at, at)
    return query.order_by(at.desc(), SecurityEvent.id.desc())


def count_events_of(session: Session, zone_id: str, wanted: EventFilter) -> int:
    """Count a zone's events, up to one more than `COUNTED_AT_MOST`."""
    some = select(literal(1)).where(*_conditions(zone_id, wanted)).limit(COUNTED_AT_MOST + 1)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def find_event(session: Session, zone_id: str, event_id: str) -> SecurityEvent:
    """
    Find an event.

    Raises:
        NotFound: If the zone has none of this id.
    """
    event = None if "\0" in event_id else session.get(SecurityEvent, event_id)
    if event is None or event.zone_id != zone_id:
        raise NotFound(f"the zone has no event '{event_id[:64]}': it may have been deleted because it was old")
    return event


def all_events(session: Session, zone_id: str, wanted: EventFilter, most: int, at_once: int = 1000) -> Iterator[list[SecurityEvent]]:
    """Read events in batches, the newest first, at most so many."""
    before: Cursor | None = None
    while most > 0:
        rows = session.scalars(events_of(zone_id, wanted, before).limit(min(at_once, most))).all()
        if not rows:
            return
        yield list(rows)
        most -= len(rows)
        before = Cursor(rows[-1].occurred_at, rows[-1].id)
        session.expunge_all()


def frequent(session: Session, zone_id: str, dimension: str, since: datetime, most: int | None = None) -> list[Frequent]:
    """
    Tell what a zone's events have in common, the most frequent first.

    Args:
        session: A session.

        zone_id: The zone.

        dimension: One of `hauberk.security_event.DIMENSIONS`.

        since: From the hour of this moment on.

        most: Tell so many apart; the rest is put to what is not told apart, which comes last.
    """
    hour = int(since.timestamp()) // HOUR * HOUR
    blocked, logged = func.sum(EventCount.blocked), func.sum(EventCount.logged)
    query = (
        select(EventCount.key, blocked, logged, func.max(EventCount.last_seen))
        .where(EventCount.zone_id == zone_id, EventCount.dimension == dimension, EventCount.hour >= hour)
        .group_by(EventCount.key)
    )
    rows = [Frequent(key, int(blocked), int(logged), last_seen) for key, blocked, logged, last_seen in session.execute(query)]
    named = sorted((row for row in rows if row.key != OTHER), key=lambda row: (-row.blocked - row.logged, row.key))
    rest = [row for row in rows if row.key == OTHER] + (named[most:] if most is not None else [])
    told = named[:most]
    if rest:
        sums = (sum(row.blocked for row in rest), sum(row.logged for row in rest))
        told.append(Frequent(OTHER, *sums, max(row.last_seen for row in rest)))
    return told


def fingerprints_named(session: Session, zone_id: str, common_name: str) -> tuple[str, ...]:
    """Give the fingerprints of a zone's client certificates of a name: asked for first, so that events are found by their index."""
    named = select(ClientCertificate.fingerprint_sha256).where(ClientCertificate.common_name == common_name)
    return tuple(sorted(session.scalars(named.where(ClientCertificate.zone_id == zone_id))))


def _has_own_indexes(wanted: EventFilter) -> bool:
    """
    Tell whether few events fit and are to be found by the indexes of several values.

    Going through all of a zone in their order looks cheaper to a planner that does not know how few they are; written as an expression
    the order is no reason for that.
    """
    return wanted.fingerprints is not None and len(wanted.fingerprints) > 1


def _conditions(zone_id: str, wanted: EventFilter) -> Iterator[ColumnElement[bool]]:
    zone = SecurityEvent.zone_id
    yield (func.coalesce(zone, zone) if _has_own_indexes(wanted) else zone) == zone_id
    for field in fields(EventFilter):
        value = getattr(wanted, field.name)
        if value is None:
            continue
        match field.name:
            case "since":
                yield SecurityEvent.occurred_at >= value
            case "until":
                yield SecurityEvent.occurred_at < value
            case "path":
                yield SecurityEvent.path.icontains(value, autoescape=True)
            case "fingerprints":
                # Spelt out: an empty list would be looked for in each of a million rows.
                yield or_(false(), *(SecurityEvent.fingerprint == one for one in value))
            case name:
                yield getattr(SecurityEvent, name) == value
