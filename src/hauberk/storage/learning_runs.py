"""How far a zone's learning is, and how it stands for each operation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hauberk.errors import Conflict
from hauberk.learning_state import LearningState, RunState
from hauberk.storage import leases
from hauberk.storage.learning_tables import LearningRun, OperationLearning, OperationProfile
from hauberk.storage.models import Operation, now

# After a failure, since most of them pass: a store that was away, a disk that was full.
RETRY = timedelta(seconds=60)
COUNTS = ("rows_read", "operations", "operations_done", "new_versions")
BATCH = 5000


def run_of(session: Session, zone_id: str) -> LearningRun:
    """Give a zone's row, made if there is none yet."""
    run = session.get(LearningRun, zone_id)
    if run is None:
        run = LearningRun(zone_id=zone_id, requested_at=None, **dict.fromkeys(COUNTS, 0))
        session.add(run)
        session.flush()
    return run


def request_run(session: Session, zone_id: str) -> LearningRun:
    """Ask for a run as soon as possible, by whichever control plane has time first."""
    run = run_of(session, zone_id)
    run.requested_at = now()
    return run


def cancel_run(session: Session, zone_id: str) -> LearningRun:
    """
    Ask that the run under way ends, or take back that one was asked for.

    Raises:
        Conflict: If there is neither.
    """
    run = run_of(session, zone_id)
    if leases.is_running(run):
        run.cancelled_at = run.cancelled_at or now()
    elif not leases.is_asked_for(run):
        raise Conflict("learning is not running, so there is nothing to cancel")
    run.requested_at = None
    return run


def is_cancelled(session: Session, zone_id: str) -> bool:
    """Tell whether the run under way is to end."""
    return session.scalar(select(LearningRun.cancelled_at).where(LearningRun.zone_id == zone_id)) is not None


def due(session: Session, zone_id: str, every: timedelta) -> bool:
    """Tell whether it is time to learn: for the first time, again, after a failure, or because somebody asked."""
    run = session.get(LearningRun, zone_id)
    return leases.is_due(run, min(every, RETRY) if run is not None and run.error else every)


def take_lease(session: Session, zone_id: str, owner: str) -> bool:
    """Begin a run, unless another control plane is at it."""
    run_of(session, zone_id)
    begun = dict.fromkeys(COUNTS, 0)
    return leases.take_lease(session, LearningRun, zone_id, owner, phase="reading", cancelled_at=None, **begun)


def status_json(run: LearningRun | None, every: timedelta) -> dict[str, Any]:
    """Render a zone's learning: `idle`, `requested`, `running` or `waiting_to_retry`."""
    state, next_at = RunState.IDLE, None
    if run is not None and run.started_at is not None:
        next_at = run.started_at + (min(every, RETRY) if run.error else every)
        state = RunState.WAITING if run.error else RunState.IDLE
    if run is not None and leases.is_asked_for(run):
        state = RunState.REQUESTED
    if run is not None and leases.is_running(run):
        state = RunState.RUNNING
    return {
        "state": state.value,
        "phase": run.phase if run is not None and state is RunState.RUNNING else None,
        **{name: _time(getattr(run, name, None)) for name in ("requested_at", "started_at", "finished_at", "cancelled_at")},
        "next_at": _time(next_at) if state in {RunState.IDLE, RunState.WAITING} else None,
        "error": run.error if run is not None else None,
        **{name: getattr(run, name) if run is not None else 0 for name in COUNTS},
    }


def learning_of(session: Session, operation_ids: Sequence[str]) -> dict[str, OperationLearning]:
    """Give how learning stands for operations; those that were not looked at yet are left out."""
    found: dict[str, OperationLearning] = {}
    for at in range(0, len(operation_ids), BATCH):
        query = select(OperationLearning).where(OperationLearning.operation_id.in_(operation_ids[at : at + BATCH]))
        found |= {row.operation_id: row for row in session.scalars(query)}
    return found


def state_of(row: OperationLearning | None) -> LearningState:
    """Tell an operation's state."""
    return LearningState(row.outcome) if row is not None and row.outcome is not None else LearningState.NO_RESULT


def count_states(session: Session, zone_id: str | None = None) -> dict[str, int]:
    """Count the saved operations in each state, of one zone or of all."""
    joined = OperationLearning.operation_id == Operation.operation_id
    query = select(OperationLearning.outcome, func.count()).select_from(Operation).outerjoin(OperationLearning, joined)
    if zone_id is not None:
        query = query.where(Operation.zone_id == zone_id)
    found = dict.fromkeys((state.value for state in LearningState), 0)
    for outcome, count in session.execute(query.group_by(OperationLearning.outcome)):
        found[outcome or LearningState.NO_RESULT.value] += count
    return found


def relearn(session: Session, operation: Operation) -> OperationLearning:
    """Forget what an operation's requests before this hour have shown; its versions, and what is in force, stay."""
    row = session.get(OperationLearning, operation.operation_id)
    if row is None:
        row = new_learning(operation.operation_id)
        session.add(row)
    row.since = now().replace(minute=0, second=0, microsecond=0)
    row.outcome, row.requests, row.samples, row.digest, row.error = None, 0, 0, None, None
    session.execute(delete(OperationProfile).where(OperationProfile.operation_id == operation.operation_id))
    return row


def new_learning(operation_id: str) -> OperationLearning:
    """Make the row of an operation of which nothing is known."""
    return OperationLearning(operation_id=operation_id, requests=0, samples=0, bodies_missing=False, last_version=0)


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
