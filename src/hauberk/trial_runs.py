"""
Trials in the background: a thread for each, which tells how far it is, and ends when somebody cancels it or its time is over.

What was judged until then is kept as its result. A control plane that stops leaves its trials `interrupted`, and so does one that dies.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from hauberk.config import LearningSettings
from hauberk.errors import HauberkError
from hauberk.holders import has_ended, holder_name
from hauberk.learning.trial import Trial
from hauberk.schema_trial import Prepared, SchemaTrials
from hauberk.storage.database import Database
from hauberk.storage.trials import TrialState, begin_trial, cancel_trial, end_trial, running_trials, tell_progress, trial_json

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 1.0
STOP_SECONDS = 10.0

ENDED_BY_TIME = "time"
ENDED_BY_OWNER = "cancelled"
ENDED_BY_STOP = "stopped"


class TrialRuns:
    """
    Trials in the background, of all zones.

    Args:
        database: Keeps how far they are, and the last results.

        trials: Does the work.

        settings: How long one may take, how many are kept.
    """

    def __init__(self, database: Database, trials: SchemaTrials, settings: LearningSettings) -> None:
        self.database = database
        self.trials = trials
        self.settings = settings
        self.name = holder_name()
        """Tells this control plane from others on the same database."""
        self._stopping = threading.Event()
        self._threads: dict[str, tuple[threading.Thread, _Course]] = {}
        self._lock = threading.Lock()

    def start(self, zone_id: str, prepared: Prepared, asked: dict[str, Any]) -> dict[str, Any]:
        """
        Begin a trial.

        Args:
            zone_id: The zone.

            prepared: What is tried.

            asked: As it was asked for, to be shown beside the result.

        Returns:
            The trial as REST answers it.

        Raises:
            Conflict: If another one of the zone is running.
        """
        with self.database.write() as session:
            told = trial_json(begin_trial(session, zone_id, self.name, asked))
        course = _Course(self, told["id"])
        thread = threading.Thread(target=self._run, args=(prepared, course), name=f"trial {told['id']}", daemon=True)
        with self._lock:
            self._threads[told["id"]] = thread, course
        thread.start()
        return told

    def free_what_was_left(self) -> None:
        """Say of trials that a process of this machine was at when it was killed that they were interrupted."""
        with self.database.write() as session:
            for run in running_trials(session):
                if run.lease_owner is not None and has_ended(run.lease_owner, self.name):
                    end_trial(session, run.id, run.lease_owner, TrialState.INTERRUPTED, keep=self.settings.keep_trials)

    def cancel(self, zone_id: str, trial_id: str) -> dict[str, Any]:
        """
        Ask that a trial ends; whichever control plane is at it notices within a second or two.

        Raises:
            NotFound: If the zone has none of this id.

            Conflict: If it has ended already.
        """
        with self.database.write() as session:
            told = trial_json(cancel_trial(session, zone_id, trial_id))
        with self._lock:
            if trial_id in self._threads:
                self._threads[trial_id][1].hurry()
        return told

    def stop(self) -> None:
        """End all trials of this control plane; they are then interrupted."""
        self._stopping.set()
        with self._lock:
            running = list(self._threads.values())
        for _, course in running:
            course.hurry()
        for thread, _ in running:
            thread.join(STOP_SECONDS)

    @property
    def is_stopping(self) -> bool:
        """Whether the control plane ends."""
        return self._stopping.is_set()

    def _run(self, prepared: Prepared, course: _Course) -> None:
        state, result, error = TrialState.FAILED, None, None
        try:
            result = self.trials.judge_requests(prepared, course)
            state = _STATES.get(result["ended_by"], TrialState.DONE)
        except HauberkError as failure:
            error = failure.message
        except Exception as failure:
            log.exception("a trial failed", extra={"trial_id": course.trial_id})
            error = type(failure).__name__
        try:
            with self.database.write() as session:
                keep = self.settings.keep_trials
                end_trial(session, course.trial_id, self.name, state, keep=keep, result=result, error=error, **course.progress)
        except (HauberkError, SQLAlchemyError):
            log.exception("what came of a trial was not stored", extra={"trial_id": course.trial_id})
        finally:
            with self._lock:
                del self._threads[course.trial_id]


_STATES = {ENDED_BY_OWNER: TrialState.CANCELLED, ENDED_BY_STOP: TrialState.INTERRUPTED}


class _Course:
    """
    How far a trial is.

    Args:
        runs: Those it belongs to.

        trial_id: The trial.
    """

    def __init__(self, runs: TrialRuns, trial_id: str) -> None:
        self.trial_id = trial_id
        self.progress: dict[str, int | None] = {}
        self._runs = runs
        self._ends_at = time.monotonic() + runs.settings.trial_seconds
        self._told = 0.0

    def hurry(self) -> None:
        """Look at the next step whether the trial is to end."""
        self._told = 0.0

    def begins(self, rows: int, /) -> None:
        """Tell how many rows there are."""
        self.progress = {"rows": rows}
        self._tell()

    def goes_on(self, rows_read: int, trial: Trial, /) -> str | None:
        """Tell how far it is, about every second; gives why it is to end."""
        self.progress |= {"rows_read": rows_read, "judged": trial.requests, "refused": trial.successful.refused}
        if self._runs.is_stopping:
            return ENDED_BY_STOP
        if time.monotonic() > self._ends_at:
            return ENDED_BY_TIME
        if time.monotonic() - self._told < PROGRESS_SECONDS:
            return None
        return None if self._tell() else ENDED_BY_OWNER

    def _tell(self) -> bool:
        self._told = time.monotonic()
        with self._runs.database.write() as session:
            return tell_progress(session, self.trial_id, self._runs.name, **self.progress)
