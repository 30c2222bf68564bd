"""
Security events: stored once each, counted by hour as they come, and forgotten after the days the settings tell.

The counts answer what is frequent without looking at events, and stay when those are deleted because there were too many.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from hauberk.security_event import code_of, fingerprint_of
from hauberk.storage.adding import add_to_rows
from hauberk.storage.count_tables import EventCount
from hauberk.storage.models import MAX_PATH, SecurityEvent, now

TEXT_FIELDS = {"id": 64, "zone_id": 32, "host": 255, "method": 32, "action": 8, "source": 32, "request_id": 64}
OPTIONAL_FIELDS = {"operation_id": 36, "rule_id": 32, "path": MAX_PATH}
MAX_STATUS = 999

HOUR = 3600

OTHER = ""
"""The key of what has no row of its own."""

# A caller chooses these: the host below a wildcard, its certificate, what is wrong with its request. Rules, operations and
# sources are the owner's.
MAX_KEYS = {"host": 500, "client": 500, "code": 500}

# Below the number of variables SQLite and PostgreSQL take in one statement.
AT_ONCE = 5000

Row = dict[str, Any]


def store_events(session: Session, events: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """
    Store events that are not known yet, and count them.

    What is too long is cut, and what is no event is left out: one that a caller shaped must not keep the others from being stored.

    Returns:
        How many were new, and how many were no events.
    """
    made = [_row(event) for event in events]
    rows = {row["id"]: row for row in made if row is not None}
    ids = list(rows)
    for at in range(0, len(ids), AT_ONCE):
        for known in session.scalars(select(SecurityEvent.id).where(SecurityEvent.id.in_(ids[at : at + AT_ONCE]))):
            del rows[known]
    if rows:
        session.execute(insert(SecurityEvent), list(rows.values()))
        count_events(session, rows.values())
    return len(rows), made.count(None)


def count_events(session: Session, rows: Iterable[Row]) -> None:
    """Add events to the counts of their hours."""
    counted: dict[tuple[str, str, int], dict[str, Row]] = defaultdict(dict)
    for row in rows:
        hour = int(row["occurred_at"].timestamp()) // HOUR * HOUR
        for dimension, key in _keys(row):
            zeros = {"blocked": 0, "logged": 0, "last_seen": row["occurred_at"]}
            one = counted[row["zone_id"], dimension, hour].setdefault(key, zeros)
            one["blocked" if row["action"] == "block" else "logged"] += 1
            one["last_seen"] = max(one["last_seen"], row["occurred_at"])
    added = []
    for (zone_id, dimension, hour), keys in counted.items():
        place = {"zone_id": zone_id, "dimension": dimension, "hour": hour}
        told_apart = _told_apart(session, place, list(keys))
        added += [{**place, "key": key if key in told_apart else OTHER, **counts} for key, counts in keys.items()]
    add_to_rows(session, EventCount, added, latest="last_seen")


def first_kept(session: Session, keep_days: int, keep_count: int) -> datetime:
    """
    Tell from when on events are kept: none older than so many days, and no more than so many of the newest.

    Whoever sends refused requests makes events: without the count they would fill the disk. Counting down a million of them can take
    seconds, so ask before anything is locked.
    """
    oldest_kept = select(SecurityEvent.occurred_at).order_by(SecurityEvent.occurred_at.desc()).offset(keep_count - 1).limit(1)
    return max(now() - timedelta(days=keep_days), session.scalar(oldest_kept) or datetime.min.replace(tzinfo=UTC))


def forget_events(session: Session, before: datetime, most: int = AT_ONCE) -> int:
    """Delete events from before a time, at most so many, the oldest first; tell how many."""
    oldest = select(SecurityEvent.id).where(SecurityEvent.occurred_at < before).order_by(SecurityEvent.occurred_at).limit(most)
    ids = list(session.scalars(oldest))
    session.execute(delete(SecurityEvent).where(SecurityEvent.id.in_(ids)))
    return len(ids)


def forget_event_counts(session: Session, keep_days: int) -> None:
    """Delete counts of events older than so many days."""
    by_days = now() - timedelta(days=keep_days)
    session.execute(delete(EventCount).where(EventCount.hour < int(by_days.timestamp()) // HOUR * HOUR))


def _told_apart(session: Session, place: Row, keys: list[str]) -> set[str]:
    """Choose the keys that are counted by themselves: those that are already, and new ones while there is room in the hour."""
    most = MAX_KEYS.get(place["dimension"])
    if most is None:
        return set(keys)
    here = [getattr(EventCount, name) == value for name, value in place.items()]
    room = most - (session.scalar(select(func.count()).select_from(EventCount).where(*here)) or 0)
    if room >= len(keys):
        return set(keys)
    known: set[str] = set()
    for at in range(0, len(keys), AT_ONCE):
        known.update(session.scalars(select(EventCount.key).where(*here, EventCount.key.in_(keys[at : at + AT_ONCE]))))
    new = sorted(set(keys) - known)
    return known | set(new[: max(room, 0)])


def _keys(row: Row) -> Iterable[tuple[str, str]]:
    columns = {
        "rule": row["rule_id"],
        "code": row["code"],
        "operation": row["operation_id"],
        "host": row["host"],
        "source": row["source"],
        "client": row["fingerprint"],
    }
    return ((dimension, key) for dimension, key in columns.items() if key)


def _row(event: Mapping[str, Any]) -> Row | None:
    """Make a row, or `None` of what lacks a member."""
    texts = {name: _storable(event.get(name))[:length] for name, length in TEXT_FIELDS.items()}
    try:
        occurred_at = datetime.fromisoformat(str(event.get("occurred_at"))).astimezone(UTC)
        json.dumps(event, ensure_ascii=False).encode()  # as it will be answered
    except (ValueError, OverflowError):  # the first includes lone surrogates
        return None
    if not all(texts.values()):
        return None
    optional = {name: _storable(event.get(name))[:length] or None for name, length in OPTIONAL_FIELDS.items()}
    status = event.get("status")
    return {
        **texts,
        **optional,
        "occurred_at": occurred_at,
        "status": status if type(status) is int and 0 <= status <= MAX_STATUS else None,
        "code": _storable(code_of(event))[:128] or None,
        "fingerprint": _storable(fingerprint_of(event))[:64] or None,
        "details": dict(event),
    }


def _storable(value: Any) -> str:
    """Give a text without what no database stores; of anything but text, nothing."""
    return value.encode(errors="replace").decode().replace("\0", "") if isinstance(value, str) else ""
