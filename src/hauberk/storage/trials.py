"""Trials in the background: one at a time in a zone, how far it is, and the results of the last few."""

from __future__ import annotations

import json
import zlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CursorResult, Select, delete, select, update
from sqlalchemy.orm import Session, defer

from hauberk.errors import Conflict, NotFound
from hauberk.storage.models import now
from hauberk.storage.trial_tables import TrialRun

# Renewed about every second. What a control plane that died was doing is seen to be interrupted so much later.
LEASE = timedelta(seconds=30)
# A clock that was ahead must not keep a zone from its trials.
AHEAD = 2 * LEASE


class TrialState(StrEnum):
    """What has become of a trial."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """The control plane that was at it has ended."""


def begin_trial(session: Session, zone_id: str, owner: str, asked: dict[str, Any]) -> TrialRun:
    """
    Note that a trial begins.

    Raises:
        Conflict: If another one of the zone is running.
    """
    other = session.scalar(select(TrialRun).where(TrialRun.running_in == zone_id))
    if other is not None and state_of(other) is TrialState.RUNNING:
        raise Conflict(f"a trial of this zone is running, '{other.id}': wait for it, or cancel it")
    if other is not None:
        _end(other, TrialState.INTERRUPTED)
        session.flush()
    run = TrialRun(zone_id=zone_id, running_in=zone_id, state=TrialState.RUNNING.value, asked=asked, lease_owner=owner)
    run.lease_until = now() + LEASE
    session.add(run)
    session.flush()
    return run


def tell_progress(session: Session, trial_id: str, owner: str, **progress: int | None) -> bool:
    """Tell how far a trial is; false if it is to end: somebody has cancelled it, or it is not this control plane's any more."""
    mine = update(TrialRun).where(TrialRun.id == trial_id, TrialRun.lease_owner == owner, TrialRun.cancelled_at.is_(None))
    result = session.execute(
        mine.values(lease_until=now() + LEASE, **progress), execution_options={"synchronize_session": False}
    )  # fmt: skip
    assert isinstance(result, CursorResult)  # noqa: S101 - of an UPDATE it is one
    return result.rowcount == 1


def end_trial(
    session: Session,
    trial_id: str,
    owner: str,
    state: TrialState,
    *,
    keep: int,
    result: dict[str, Any] | None = None,
    error: str | None = None,
    **progress: int | None,
) -> None:
    """
    Note what came of a trial, and forget the oldest ones of its zone.

    Args:
        session: A session that writes.

        trial_id: The trial.

        owner: Who was at it; if that is another by now, nothing is noted.

        state: How it ended.

        keep: How many trials of the zone are kept.

        result: What came of it, as REST answers.

        error: Why it failed.

        progress: How far it was.
    """
    run = session.get(TrialRun, trial_id)
    if run is None or run.lease_owner != owner:
        return
    _end(run, state)
    run.error = error
    run.result = zlib.compress(json.dumps(result, ensure_ascii=False).encode()) if result is not None else None
    for name, value in progress.items():
        setattr(run, name, value)
    session.flush()
    old = list(session.scalars(trials_of(run.zone_id).with_only_columns(TrialRun.id).offset(keep)))
    session.execute(delete(TrialRun).where(TrialRun.id.in_(old), TrialRun.running_in.is_(None)))


def cancel_trial(session: Session, zone_id: str, trial_id: str) -> TrialRun:
    """
    Ask that a trial ends.

    Raises:
        NotFound: If the zone has none of this id.

        Conflict: If it has ended already.
    """
    run = find_trial(session, zone_id, trial_id)
    if state_of(run) is not TrialState.RUNNING:
        raise Conflict(f"trial '{run.id}' has ended already: {state_of(run).value}")
    run.cancelled_at = run.cancelled_at or now()
    return run


def trials_of(zone_id: str) -> Select[Any]:
    """Select a zone's trials without their results, the newest first."""
    query = select(TrialRun).where(TrialRun.zone_id == zone_id).order_by(TrialRun.created_at.desc(), TrialRun.id)
    return query.options(defer(TrialRun.result))


def running_trials(session: Session) -> list[TrialRun]:
    """Give the trials of all zones that were not noted to have ended."""
    return list(session.scalars(select(TrialRun).where(TrialRun.running_in.is_not(None))))


def find_trial(session: Session, zone_id: str, trial_id: str) -> TrialRun:
    """
    Find a trial.

    Raises:
        NotFound: If the zone has none of this id.
    """
    run = session.get(TrialRun, trial_id) if "\0" not in trial_id else None
    if run is None or run.zone_id != zone_id:
        raise NotFound(f"the zone has no trial '{trial_id[:64]}': the last few are kept")
    return run


def state_of(run: TrialRun) -> TrialState:
    """Tell a trial's state; one that nobody is at any more was interrupted, whether that was noted or not."""
    state = TrialState(run.state)
    if state is TrialState.RUNNING and not (run.lease_until is not None and now() < run.lease_until <= now() + AHEAD):
        return TrialState.INTERRUPTED
    return state


def trial_json(run: TrialRun) -> dict[str, Any]:
    """Render a trial without its result."""
    return {
        "id": run.id,
        "state": state_of(run).value,
        "asked": run.asked,
        **{name: _time(getattr(run, name)) for name in ("created_at", "cancelled_at", "finished_at")},
        **{name: getattr(run, name) for name in ("rows", "rows_read", "judged", "refused", "error")},
    }


def result_of(run: TrialRun) -> dict[str, Any] | None:
    """Give what came of a trial; `None` where it has not ended, or has failed."""
    if run.result is None:
        return None
    result: dict[str, Any] = json.loads(zlib.decompress(run.result))
    return result


def _end(run: TrialRun, state: TrialState) -> None:
    run.state, run.running_in, run.finished_at = state.value, None, now()
    run.lease_owner, run.lease_until = None, None


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
