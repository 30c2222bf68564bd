"""Alerts on drift: raised once for each change, listed, acknowledged, delivered."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from hauberk.errors import NotFound
from hauberk.storage.alert_tables import DriftAlert, DriftChange
from hauberk.storage.models import Operation, now

# Of one operation in one look: what comes beyond is told after the next look, so that nobody floods the owner.
MAX_AT_ONCE = 20
# Of a zone; the oldest go first. What was told stays known.
MAX_KEPT = 5000
# Below the number of variables SQLite and PostgreSQL take in one statement.
AT_ONCE = 5000
TOLD_KEPT = timedelta(days=400)


class Departed(Protocol):
    """What has changed, as `learning.drift.Departure` says it."""

    @property
    def kind(self) -> str:
        """What kind of change."""

    @property
    def pointer(self) -> str:
        """Where in the request."""

    @property
    def keyword(self) -> str:
        """What of the schema."""

    @property
    def samples(self) -> int:
        """Requests that show it."""

    @property
    def sources(self) -> int:
        """Callers that show it."""

    @property
    def refused(self) -> bool:
        """Whether such requests are refused."""

    @property
    def told(self) -> str:
        """In words."""

    @property
    def key(self) -> str:
        """What tells it from others."""


@dataclass(frozen=True)
class Refreshed:
    """The schema in force and the newest one."""

    version: int | None
    newest: int | None
    changes: Sequence[dict[str, Any]] = ()
    """From the one to the other: `{"kind", "where", "what", "breaking"}`."""


def raise_alerts(session: Session, operation: Operation, departed: Sequence[Departed], refreshed: Refreshed) -> list[DriftAlert]:
    """
    Store an alert for each change that was not told before; several new values at one place are one alert.

    Args:
        session: A session that writes.

        operation: The operation.

        departed: What its requests show.

        refreshed: Its schemas.

    Returns:
        The new alerts.
    """
    groups: dict[tuple[str, str, str], list[Departed]] = defaultdict(list)
    for one in departed:
        groups[one.kind, one.pointer, one.keyword].append(one)
    raised: list[DriftAlert] = []
    for group in groups.values():
        if len(raised) == MAX_AT_ONCE:
            break
        new = untold(session, operation, group)
        session.add_all(DriftChange(fingerprint=_fingerprint(operation, one), zone_id=operation.zone_id) for one in new)
        if new:
            raised.append(_alert(operation, new, refreshed))
    session.add_all(raised)
    session.flush()
    if raised:
        _forget(session, operation.zone_id)
    return raised


def untold(session: Session, operation: Operation, departed: Sequence[Departed]) -> list[Departed]:
    """Give the changes that were not told before."""
    prints = {_fingerprint(operation, one): one for one in departed}
    there: set[str] = set()
    for at in range(0, len(prints), AT_ONCE):
        some = list(prints)[at : at + AT_ONCE]
        there |= set(session.scalars(select(DriftChange.fingerprint).where(DriftChange.fingerprint.in_(some))))
    return [one for print_, one in prints.items() if print_ not in there]


def alerts_of(
    zone_id: str,
    *,
    acknowledged: bool | None = None,
    kind: str | None = None,
    operation_id: str | None = None,
    breaking: bool | None = None,
) -> Select[Any]:
    """Select a zone's alerts, the newest first."""
    conditions: list[ColumnElement[bool]] = [DriftAlert.zone_id == zone_id]
    if acknowledged is not None:
        conditions.append(DriftAlert.acknowledged_at.is_not(None) if acknowledged else DriftAlert.acknowledged_at.is_(None))
    if kind is not None:
        conditions.append(DriftAlert.kind == kind)
    if operation_id is not None:
        conditions.append(DriftAlert.operation_id == operation_id)
    if breaking is not None:
        conditions.append(DriftAlert.breaking.is_(breaking))
    return select(DriftAlert).where(*conditions).order_by(DriftAlert.raised_at.desc(), DriftAlert.id)


def alert_of(session: Session, zone_id: str, alert_id: str) -> DriftAlert:
    """
    Find an alert.

    Raises:
        NotFound: If the zone has none of this id.
    """
    alert = session.get(DriftAlert, alert_id)
    if alert is None or alert.zone_id != zone_id:
        raise NotFound(f"no alert of this zone has the id '{alert_id[:64]}'")
    return alert


def acknowledge(alerts: Sequence[DriftAlert]) -> None:
    """Note that the owner has seen them; the first time stays."""
    for alert in alerts:
        alert.acknowledged_at = alert.acknowledged_at or now()


def reopen(alerts: Sequence[DriftAlert]) -> None:
    """Take back that the owner has seen them."""
    for alert in alerts:
        alert.acknowledged_at = None


def mark_delivered(session: Session, alert_id: str) -> None:
    """Note that the webhook has taken an alert."""
    session.execute(update(DriftAlert).where(DriftAlert.id == alert_id).values(delivered_at=now()))


def undelivered(session: Session, since: datetime, limit: int) -> list[DriftAlert]:
    """List what the webhook has not taken of what was raised since then, the oldest first."""
    query = select(DriftAlert).where(DriftAlert.delivered_at.is_(None), DriftAlert.raised_at >= since)
    return list(session.scalars(query.order_by(DriftAlert.raised_at, DriftAlert.id).limit(limit)))


def open_alerts(session: Session) -> dict[str, int]:
    """Count the alerts that nobody has acknowledged, by kind."""
    query = select(DriftAlert.kind, func.count()).where(DriftAlert.acknowledged_at.is_(None)).group_by(DriftAlert.kind)
    return {row[0]: row[1] for row in session.execute(query)}


def _fingerprint(operation: Operation, one: Departed) -> str:
    """Tell a change from others for good: neither the version in force nor the numbers are part of it."""
    parts = [operation.zone_id, operation.operation_id, one.kind, one.pointer, one.keyword, one.key]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _alert(operation: Operation, group: Sequence[Departed], refreshed: Refreshed) -> DriftAlert:
    first = group[0]
    return DriftAlert(
        zone_id=operation.zone_id,
        operation_id=operation.operation_id,
        method=operation.method,
        host=operation.host,
        endpoint=operation.endpoint,
        kind=first.kind,
        pointer=first.pointer,
        keyword=first.keyword,
        summary=first.told + (f" ({len(group)} of them)" if len(group) > 1 else ""),
        refused=any(one.refused for one in group),
        samples=max(one.samples for one in group),
        sources=max(one.sources for one in group),
        version=refreshed.version,
        refreshed_version=refreshed.newest,
        breaking=any(change["breaking"] for change in refreshed.changes),
        changes=list(refreshed.changes),
    )


def _forget(session: Session, zone_id: str) -> None:
    kept = select(DriftAlert.raised_at).where(DriftAlert.zone_id == zone_id).order_by(DriftAlert.raised_at.desc())
    oldest = session.scalar(kept.offset(MAX_KEPT - 1).limit(1))
    if oldest is not None:
        session.execute(delete(DriftAlert).where(DriftAlert.zone_id == zone_id, DriftAlert.raised_at < oldest))
    session.execute(delete(DriftChange).where(DriftChange.zone_id == zone_id, DriftChange.told_at < now() - TOLD_KEPT))
