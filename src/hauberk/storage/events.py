"""Security events: stored once each, and forgotten after the days the settings tell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hauberk.storage.models import SecurityEvent, now

TEXT_FIELDS = {"id": 64, "zone_id": 32, "host": 255, "method": 32, "action": 8, "source": 32, "request_id": 64}


def store_events(session: Session, events: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """
    Store events that are not known yet.

    What is too long is cut, and what is no event is left out: one that a caller shaped must not keep the others from being stored.

    Returns:
        How many were new, and how many were no events.
    """
    made = [_row(event) for event in events]
    rows = {row.id: row for row in made if row is not None}
    known = set(session.scalars(select(SecurityEvent.id).where(SecurityEvent.id.in_(rows)))) if rows else set()
    new = [row for id_, row in rows.items() if id_ not in known]
    session.add_all(new)
    return len(new), made.count(None)


def forget_events(session: Session, keep_days: int, keep_count: int) -> None:
    """
    Delete events older than so many days, and all but so many of the newest.

    Whoever sends refused requests makes events: without the count they would fill the disk.
    """
    oldest_kept = select(SecurityEvent.occurred_at).order_by(SecurityEvent.occurred_at.desc()).offset(keep_count - 1).limit(1)
    limit = max(now() - timedelta(days=keep_days), session.scalar(oldest_kept) or datetime.min.replace(tzinfo=UTC))
    session.execute(delete(SecurityEvent).where(SecurityEvent.occurred_at < limit))


def _row(event: Mapping[str, Any]) -> SecurityEvent | None:
    """Make a row, or `None` of what lacks a member."""
    texts = {name: _storable(event.get(name))[:length] for name, length in TEXT_FIELDS.items()}
    try:
        occurred_at = datetime.fromisoformat(str(event.get("occurred_at"))).astimezone(UTC)
        json.dumps(event, ensure_ascii=False).encode()  # as it will be answered
    except (ValueError, OverflowError):  # the first includes lone surrogates
        return None
    if not all(texts.values()):
        return None
    operation_id = _storable(event.get("operation_id"))[:36] or None
    return SecurityEvent(**texts, occurred_at=occurred_at, operation_id=operation_id, details=dict(event))


def _storable(value: Any) -> str:
    """Give a text without what no database stores; of anything but text, nothing."""
    return value.encode(errors="replace").decode().replace("\0", "") if isinstance(value, str) else ""
