"""
Whose turn it is to look at a zone's traffic, and how far that is.

Several control planes may share a database. The one that takes a zone's lease does the work; each step renews the lease, and a control
plane that dies leaves it to the next one `LEASE` later.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from hauberk.storage.discovery_tables import DiscoveryRun
from hauberk.storage.models import now

# Longer than the longest step takes: grouping a million paths.
LEASE = timedelta(minutes=5)


def run_of(session: Session, zone_id: str) -> DiscoveryRun:
    """Give a zone's row, made if there is none yet."""
    run = session.get(DiscoveryRun, zone_id)
    if run is None:
        run = DiscoveryRun(
            zone_id=zone_id, paths_read=0, operations_found=0, candidates=0, refused=0, identifiers_chosen=False, requested_at=None
        )
        session.add(run)
        session.flush()
    return run


def request_run(session: Session, zone_id: str) -> DiscoveryRun:
    """Ask for a look at the zone's traffic, by whichever control plane has time first."""
    run = run_of(session, zone_id)
    run.requested_at = now()
    return run


def due(session: Session, zone_id: str, every: timedelta) -> bool:
    """Tell whether a zone should be looked at: the last look is long enough ago, or somebody asked since it began."""
    run = session.get(DiscoveryRun, zone_id)
    if run is None or run.started_at is None:
        return True
    if is_running(run):
        return False
    asked = run.requested_at is not None and run.requested_at > run.started_at
    return asked or now() - run.started_at >= every


def is_running(run: DiscoveryRun) -> bool:
    """Tell whether some control plane is at it."""
    return run.lease_until is not None and run.lease_until > now()


def take_lease(session: Session, zone_id: str, owner: str) -> bool:
    """Begin a look at a zone's traffic, unless another control plane is at it."""
    run_of(session, zone_id)
    moment = now()
    free = or_(DiscoveryRun.lease_until.is_(None), DiscoveryRun.lease_until < moment)
    begun = {
        "lease_owner": owner,
        "lease_until": moment + LEASE,
        "started_at": moment,
        "finished_at": None,
        "phase": "reading",
        "error": None,
        "paths_read": 0,
    }
    return _update(session, zone_id, free, begun) == 1


def renew_lease(session: Session, zone_id: str, owner: str, **progress: Any) -> bool:
    """Tell how far it is, and keep the lease; false if another control plane has it by now."""
    return _update(session, zone_id, DiscoveryRun.lease_owner == owner, {"lease_until": now() + LEASE, **progress}) == 1


def end_lease(session: Session, zone_id: str, owner: str, **outcome: Any) -> None:
    """Give the lease back with what came of it."""
    ended = {"lease_owner": None, "lease_until": None, "phase": None, "finished_at": now(), **outcome}
    _update(session, zone_id, DiscoveryRun.lease_owner == owner, ended)


def status_json(run: DiscoveryRun | None) -> dict[str, Any]:
    """Render a zone's discovery: `idle`, `requested`, `running` or `failed`."""
    if run is None:
        return {"state": "idle", "phase": None, "started_at": None, "finished_at": None, "error": None} | _counts(None)
    waiting = run.requested_at is not None and (run.started_at is None or run.requested_at > run.started_at)
    running = is_running(run)
    return {
        "state": "running" if running else "requested" if waiting else "failed" if run.error else "idle",
        "phase": run.phase if running else None,
        "requested_at": run.requested_at and run.requested_at.isoformat(),
        "started_at": run.started_at and run.started_at.isoformat(),
        "finished_at": run.finished_at and run.finished_at.isoformat(),
        "error": run.error,
    } | _counts(run)


def zones_chosen(session: Session) -> set[str]:
    """List the zones whose owners have set or cleared session identifiers themselves."""
    return set(session.scalars(select(DiscoveryRun.zone_id).where(DiscoveryRun.identifiers_chosen)))


def _counts(run: DiscoveryRun | None) -> dict[str, int]:
    names = ("paths_read", "operations_found", "candidates", "refused")
    return {name: getattr(run, name) if run is not None else 0 for name in names}


def _update(session: Session, zone_id: str, condition: Any, values: dict[str, Any]) -> int:
    statement = update(DiscoveryRun).where(DiscoveryRun.zone_id == zone_id, condition).values(**values)
    result = session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)  # noqa: S101 - of an UPDATE it is one
    return result.rowcount
