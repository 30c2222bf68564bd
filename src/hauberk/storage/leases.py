"""
Whose turn it is to work on a zone in the background, and how far that is.

Several control planes may share a database. The one that takes a zone's lease does the work; each step renews the lease, and a control
plane that dies leaves it to the next one `LEASE` later.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, ForeignKey, String, Text, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from hauberk.storage.models import now

# Longer than the longest step takes: grouping a million paths.
LEASE = timedelta(minutes=5)
# A time further ahead than this is of a clock that was wrong: it must not stop the work until it comes, nor ask for it until then.
AHEAD = 2 * LEASE

CANCELLED = "cancelled"
"""The phase of a run that somebody cancelled, until the next one begins."""


class LeasedRun:
    """Columns of a table that has a row for each zone: whether somebody asked for the work, who is at it, and how it went."""

    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True)
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None]
    requested_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    phase: Mapped[str | None] = mapped_column(String(16))  # null between runs, or `CANCELLED`
    error: Mapped[str | None] = mapped_column(Text)


def is_running(run: LeasedRun) -> bool:
    """Tell whether some control plane is at it."""
    return run.lease_until is not None and now() < run.lease_until <= now() + AHEAD


def is_asked_for(run: LeasedRun) -> bool:
    """Tell whether somebody has asked for it since it last began."""
    if run.requested_at is None or run.requested_at > now() + AHEAD:
        return False
    return run.started_at is None or run.requested_at > run.started_at


def is_due(run: LeasedRun | None, every: timedelta) -> bool:
    """Tell whether it should be done: the last time is long enough ago, or somebody asked since it began."""
    if run is None or run.started_at is None:
        return True
    is_time = run.started_at > now() + AHEAD or now() - run.started_at >= every
    return not is_running(run) and (is_asked_for(run) or is_time)


def take_lease(session: Session, table: type[LeasedRun], zone_id: str, owner: str, **begun: Any) -> bool:
    """Begin, unless another control plane is at it; the zone must have its row already."""
    moment = now()
    free = or_(table.lease_until.is_(None), table.lease_until < moment, table.lease_until > moment + AHEAD)
    values = {"lease_owner": owner, "lease_until": moment + LEASE, "started_at": moment, "finished_at": None, "error": None, **begun}
    return _update(session, table, zone_id, free, values) == 1


def renew_lease(session: Session, table: type[LeasedRun], zone_id: str, owner: str, **progress: Any) -> bool:
    """Tell how far it is, and keep the lease; false if another control plane has it by now."""
    return _update(session, table, zone_id, table.lease_owner == owner, {"lease_until": now() + LEASE, **progress}) == 1


def end_lease(session: Session, table: type[LeasedRun], zone_id: str, owner: str, **outcome: Any) -> None:
    """Give the lease back with what came of it."""
    ended = {"lease_owner": None, "lease_until": None, "phase": None, "finished_at": now(), **outcome}
    _update(session, table, zone_id, table.lease_owner == owner, ended)


def lease_owners(session: Session, table: type[LeasedRun]) -> dict[str, str]:
    """Tell who is at which zone."""
    query = select(table.zone_id, table.lease_owner).where(table.lease_owner.is_not(None))
    return {zone_id: owner for zone_id, owner in session.execute(query) if owner is not None}


def cancel_lease(session: Session, table: type[LeasedRun], zone_id: str) -> bool:
    """
    Take the lease from whoever has it, or the wish from who asked; false if there is neither.

    Who is at the work notices when the lease is to be renewed, and records nothing.
    """
    moment = now()
    under_way = or_(table.lease_until.between(moment, moment + AHEAD), table.requested_at.is_not(None))
    cancelled = {"lease_owner": None, "lease_until": None, "requested_at": None, "phase": CANCELLED, "finished_at": moment, "error": None}
    return _update(session, table, zone_id, under_way, cancelled) == 1


def _update(session: Session, table: type[LeasedRun], zone_id: str, condition: Any, values: dict[str, Any]) -> int:
    statement = update(table).where(table.zone_id == zone_id, condition).values(**values)
    result = session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)  # noqa: S101 - of an UPDATE it is one
    return result.rowcount
