"""How far the look at a zone's traffic is, and what the last one found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from hauberk.storage import leases
from hauberk.storage.discovery_tables import DiscoveryRun
from hauberk.storage.models import now


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
    return leases.is_due(session.get(DiscoveryRun, zone_id), every)


def take_lease(session: Session, zone_id: str, owner: str) -> bool:
    """Begin a look at a zone's traffic, unless another control plane is at it."""
    run_of(session, zone_id)
    return leases.take_lease(session, DiscoveryRun, zone_id, owner, phase="reading", paths_read=0)


def renew_lease(session: Session, zone_id: str, owner: str, **progress: Any) -> bool:
    """Tell how far it is, and keep the lease; false if another control plane has it by now."""
    return leases.renew_lease(session, DiscoveryRun, zone_id, owner, **progress)


def end_lease(session: Session, zone_id: str, owner: str, **outcome: Any) -> None:
    """Give the lease back with what came of it."""
    leases.end_lease(session, DiscoveryRun, zone_id, owner, **outcome)


def cancel_run(session: Session, zone_id: str) -> bool:
    """Cancel a look at a zone's traffic that is under way or asked for; false if there is none."""
    run = session.get(DiscoveryRun, zone_id)
    if run is None or not (leases.is_running(run) or leases.is_asked_for(run)):
        return False
    return leases.cancel_lease(session, DiscoveryRun, zone_id)


def status_json(run: DiscoveryRun | None) -> dict[str, Any]:
    """Render a zone's discovery: `idle`, `requested`, `running`, `failed` or `cancelled`."""
    if run is None:
        return {"state": "idle", "phase": None, "started_at": None, "finished_at": None, "error": None} | _counts(None)
    running = leases.is_running(run)
    ended = leases.CANCELLED if run.phase == leases.CANCELLED else "failed" if run.error else "idle"
    return {
        "state": "running" if running else "requested" if leases.is_asked_for(run) else ended,
        "phase": run.phase if running else None,
        "requested_at": run.requested_at and run.requested_at.isoformat(),
        "started_at": run.started_at and run.started_at.isoformat(),
        "finished_at": run.finished_at and run.finished_at.isoformat(),
        "error": run.error,
    } | _counts(run)


def _counts(run: DiscoveryRun | None) -> dict[str, int]:
    names = ("paths_read", "operations_found", "candidates", "refused")
    return {name: getattr(run, name) if run is not None else 0 for name in names}
