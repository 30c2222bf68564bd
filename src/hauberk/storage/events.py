"""Security events: stored once each, and forgotten after the days the settings tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hauberk.errors import InvalidRequest
from hauberk.storage.models import SecurityEvent, now

TEXT_FIELDS = {"id": 64, "zone_id": 32, "host": 255, "method": 32, "action": 8, "source": 32, "request_id": 64}


def store_events(session: Session, events: Sequence[Mapping[str, Any]]) -> int:
    """
    Store events that are not known yet.

    Returns:
        How many were new.

    Raises:
        InvalidRequest: If one lacks a member; none is stored then.
    """
    rows = {row.id: row for row in map(_row, events)}
    known = set(session.scalars(select(SecurityEvent.id).where(SecurityEvent.id.in_(rows)))) if rows else set()
    new = [row for id_, row in rows.items() if id_ not in known]
    session.add_all(new)
    return len(new)


def forget_events(session: Session, keep_days: int, keep_count: int) -> None:
    """
    Delete events older than so many days, and all but so many of the newest.

    Whoever sends refused requests makes events: without the count they would fill the disk.
    """
    oldest_kept = select(SecurityEvent.occurred_at).order_by(SecurityEvent.occurred_at.desc()).offset(keep_count - 1).limit(1)
    limit = max(now() - timedelta(days=keep_days), session.scalar(oldest_kept) or datetime.min.replace(tzinfo=UTC))
    session.execute(delete(SecurityEvent).where(SecurityEvent.occurred_at < limit))


def _row(event: Mapping[str, Any]) -> SecurityEvent:
    for name, length in TEXT_FIELDS.items():
        if not isinstance(event.get(name), str) or len(event[name]) > length:
            raise InvalidRequest(f"an event's '{name}' must be text of at most {length} characters")
    try:
        occurred_at = datetime.fromisoformat(str(event.get("occurred_at"))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidRequest("an event's 'occurred_at' must be a time as RFC 3339 writes it") from None
    operation_id = event.get("operation_id")
    return SecurityEvent(
        **{name: event[name] for name in TEXT_FIELDS},
        occurred_at=occurred_at,
        operation_id=operation_id if isinstance(operation_id, str) else None,
        details=dict(event),
    )
