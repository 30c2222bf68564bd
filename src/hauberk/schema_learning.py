"""
Learns what good requests to saved operations look like: a thread of the control plane that goes through each zone's traffic as it comes.

It joins the traffic store, the profiles made of it (`profile_keeping.py`), the statistics (`hauberk.learning`) and the database, and knows
them by what they can do alone. Of several control planes on one database one does the work (`storage/leases.py`). What is learned is stored
as a version; it is enforced once the owner applies it, or has said that the host's are applied by themselves.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.background import LeaseLost, ZoneWork, leased
from hauberk.config import LearningSettings
from hauberk.errors import Conflict, HauberkError, InvalidRequest, StorageError
from hauberk.learned_schema import LearnedOperation
from hauberk.learning_state import LearningState
from hauberk.operation import OperationKey, is_in_zone
from hauberk.profile_keeping import Blobs, Engine, Hours, Learner, ProfileKeeper, Taught, forget_days
from hauberk.storage.applied_schemas import apply_by_themselves, hosts_that_apply
from hauberk.storage.database import Database
from hauberk.storage.learned_versions import NewContent, newest_versions, store_version
from hauberk.storage.learning_runs import cancel_run, due, is_cancelled, learning_of, request_run, status_json, take_lease
from hauberk.storage.learning_tables import LearnedVersion, LearningRun, OperationLearning, OperationProfile
from hauberk.storage.leases import end_lease, is_asked_for
from hauberk.storage.models import Operation, Zone, now
from hauberk.storage.session_identifiers import session_identifiers

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 2.0
# Written together, so that a run over many operations is few transactions.
AT_ONCE = 50
# So often in a run.
MOST_COMPILED = 20
# No path item of OpenAPI has it.
NOT_LEARNED = frozenset({"CONNECT"})


@dataclass(frozen=True)
class Parts:
    """What learning works with; each can be replaced in a test."""

    learner: Callable[..., Learner]
    """Makes what takes requests in: `hauberk._native.Learner`."""

    learn: Callable[[Mapping[str, Any], Collection[str]], LearnedOperation]
    """Makes a schema of a profile, without the statements whose rules the owner has relaxed."""

    write: Callable[[LearnedOperation], Mapping[str, Any]]
    """Writes the document of one operation, without evidence."""

    check: Callable[[bytes], Mapping[str, Any]]
    """Tells whether gateways can enforce a document: `hauberk._native.check_document`."""


@dataclass
class _Outcome:
    """What came of learning an operation."""

    operation_id: str
    state: LearningState
    digest: str
    requests: int = 0
    samples: int = 0
    bodies_missing: bool = False
    error: str | None = None
    content: NewContent | None = None
    """What would be a version; `None` also where it is the one that is there already."""
    profile: Mapping[str, Any] | None = None
    has_news: bool = False


@dataclass(frozen=True)
class _Work:
    """An operation that is to be learned."""

    one: Taught
    recent: Iterable[bytes]
    """What is not in the profiles that are kept."""
    relaxed: Collection[str]
    digest: str
    """Of all that goes in."""
    version: str | None
    """The digest of its newest version."""
    is_watched: bool


class _Cancelled(Exception):
    """The owner wants the run to end."""


class Watch(Protocol):
    """Holds what was seen beside the schema in force."""

    def watched(self, operation_ids: Sequence[str], /) -> Collection[str]:
        """Tell of which of these operations there can be any news."""

    def has_news(self, operation_id: str, profile: Mapping[str, Any], /) -> bool:
        """Tell whether there is something that nobody was told yet, so that a fresh version should follow at once."""

    def tell(self, operation_id: str, profile: Mapping[str, Any], /) -> None:
        """Tell of it, now that the version is stored."""


class SchemaLearning(ZoneWork):
    """
    Learning of all zones.

    Args:
        database: Where profiles and schemas go.

        settings: From what is learned, and when.

        parts: What it works with; `None` where this build cannot learn.
    """

    runs = LearningRun

    def __init__(self, database: Database, settings: LearningSettings, parts: Parts | None) -> None:
        super().__init__(database, "learning", settings.refresh_seconds)
        self.settings = settings
        self.parts = parts
        self.hours: Hours | None = None
        """The traffic store; without one nothing is learned."""
        self.relaxed: Callable[[Session, Sequence[str]], Mapping[str, Collection[str]]] = lambda _session, _operation_ids: {}
        """Tells the rules that the owner has relaxed for operations."""
        self.watch: Watch | None = None
        """Looks at each profile that has changed; what it raises ends nothing but its look."""
        self._told = 0.0

    @property
    def _every(self) -> timedelta:
        return timedelta(seconds=self.settings.refresh_seconds)

    def is_ready(self) -> bool:
        """Tell whether there is traffic to learn from."""
        return self.settings.enabled and self.hours is not None and self.parts is not None

    def is_due(self, session: Session, zone_id: str) -> bool:
        """Tell whether it is time to learn in a zone."""
        return due(session, zone_id, self._every)

    def work_on(self, zone_id: str) -> None:
        """Learn from a zone's traffic."""
        self.run(zone_id)

    def request(self, zone_id: str) -> dict[str, Any]:
        """
        Ask for a run as soon as possible, and tell the state. Whatever differs then becomes a new version, however young the last one is.

        Raises:
            Conflict: If there is no traffic to learn from, or learning is switched off.
        """
        self._source()
        if not self.settings.enabled:
            raise Conflict("learning is switched off: set learning.enabled in hauberk.toml and restart the control plane")
        with self.database.write() as session:
            status = status_json(request_run(session, zone_id), self._every)
        self.wake()
        return status

    def cancel(self, zone_id: str) -> dict[str, Any]:
        """
        End the run under way, and tell the state. What it has done in whole steps stays, and the next run goes on from there.

        Raises:
            Conflict: If there is none, nor one that was asked for.
        """
        with self.database.write() as session:
            status = status_json(cancel_run(session, zone_id), self._every)
        self._told = 0.0  # so that a run of this control plane looks at its next step
        return status

    def status(self, zone_id: str) -> dict[str, Any]:
        """Tell how a zone's learning stands."""
        with self.database.read() as session:
            return status_json(session.get(LearningRun, zone_id), self._every)

    def run(self, zone_id: str) -> int | None:
        """
        Learn from a zone's traffic now.

        Returns:
            How many new versions there are; `None` if another control plane is at it, or the run was cancelled.

        Raises:
            Conflict: If there is no traffic to learn from.
        """
        hours, parts = self._source()
        asked = self._begin(zone_id)
        if asked is None:
            return None
        try:
            new = self._learn_zone(zone_id, hours, parts, asked=asked)
        except LeaseLost:
            return None
        except _Cancelled:
            with self.database.write() as session:
                end_lease(session, LearningRun, zone_id, self.name)
            log.info("learning was cancelled", extra={"zone_id": zone_id})
            return None
        except Exception as error:
            # A zone, a database or a store may be gone meanwhile: whoever asks for the status should be told.
            with self.database.write() as session:
                reason = error.message if isinstance(error, HauberkError) else type(error).__name__
                end_lease(session, LearningRun, zone_id, self.name, error=reason)
            raise
        if new:
            log.info("schemas were learned", extra={"zone_id": zone_id, "new_versions": new})
        return new

    def _source(self) -> tuple[Hours, Parts]:
        if self.hours is None or self.parts is None:
            raise Conflict("there is no traffic to learn from: this control plane has no traffic store")
        return self.hours, self.parts

    def _begin(self, zone_id: str) -> bool | None:
        """Take the lease; tells whether somebody has asked for the run, or `None` if another control plane has it."""
        try:
            with self.database.write() as session:
                run = session.get(LearningRun, zone_id)
                asked = run is not None and is_asked_for(run)
                return asked if take_lease(session, zone_id, self.name) else None
        except (Conflict, StorageError) as error:  # another control plane took it in the same moment, or the disk is full
            log.warning("nothing is learned from a zone's traffic", extra={"zone_id": zone_id, "reason": error.message})
            return None

    def _learn_zone(self, zone_id: str, hours: Hours, parts: Parts, *, asked: bool) -> int:
        with self.database.read() as session:
            operations = self._taught(session, session.get_one(Zone, zone_id))
            identifiers = [str(identifier.normalised()) for identifier in session_identifiers(session, zone_id)]
        rules = {
            "session_identifiers": identifiers,
            "only": self.settings.only,
            "trusted": sorted(self.settings.trusted),
            "held_back": self.settings.held_back,
            "behind_proxy": self.settings.behind_proxy,
        }

        def engine(keys: Sequence[OperationKey]) -> Learner:
            return parts.learner(operations=[tuple(key) for key in keys], **rules)

        self._progress(zone_id, operations=len(operations))
        keeper = ProfileKeeper(self.database, zone_id, self.name, hours, engine, rules, lambda rows: self._tell(zone_id, rows_read=rows))
        until = now()
        fresh = keeper.read(operations, first_hour(until, self.settings.window_days), until)
        self._progress(zone_id, phase="learning", rows_read=keeper.rows_read)
        new = done = 0
        at_once = self._at_once(zone_id, len(operations))
        for at in range(0, len(operations), at_once):
            some = operations[at : at + at_once]
            outcomes = self._learn(zone_id, parts, engine, some, fresh, again=asked)
            done += len(some)
            if outcomes:
                new += self._store(zone_id, outcomes, asked=asked, operations_done=done)
                self._tell_watch(outcomes)
            else:
                self._tell(zone_id, operations_done=done)
        with leased(self.database, LearningRun, zone_id, self.name) as session:
            end_lease(session, LearningRun, zone_id, self.name, new_versions=new, operations_done=done)
        return new

    def _at_once(self, zone_id: str, operations: int) -> int:
        """Tell how many operations are stored together; where schemas are applied with them, each time all that is enforced is compiled."""
        with self.database.read() as session:
            return max(AT_ONCE, operations // MOST_COMPILED) if hosts_that_apply(session, zone_id) else AT_ONCE

    def _tell_watch(self, outcomes: Sequence[_Outcome]) -> None:
        for outcome in outcomes:
            if self.watch is not None and outcome.profile is not None:
                try:
                    self.watch.tell(outcome.operation_id, outcome.profile)
                except Exception:
                    log.exception("of a change nobody was told", extra={"operation_id": outcome.operation_id})

    def _watched(self, operation_ids: Sequence[str]) -> Collection[str]:
        try:
            return self.watch.watched(operation_ids) if self.watch is not None else ()
        except Exception:
            log.exception("operations were not compared with their schemas in force")
            return ()

    def _has_news(self, operation_id: str, profile: Mapping[str, Any]) -> bool:
        try:
            return self.watch is not None and self.watch.has_news(operation_id, profile)
        except Exception:
            log.exception("an operation was not compared with its schema in force", extra={"operation_id": operation_id})
            return False

    def _taught(self, session: Session, zone: Zone) -> list[Taught]:
        rows = session.scalars(select(Operation).where(Operation.zone_id == zone.id).order_by(Operation.operation_id)).all()
        rows = [row for row in rows if is_in_zone(row.host, zone.name) and row.method not in NOT_LEARNED]
        known = learning_of(session, [row.operation_id for row in rows])
        since = {operation_id: row.since for operation_id, row in known.items()}
        return [Taught(row.operation_id, OperationKey(row.method, row.host, row.endpoint), since.get(row.operation_id)) for row in rows]

    def _learn(
        self,
        zone_id: str,
        parts: Parts,
        engine: Engine,
        operations: Sequence[Taught],
        fresh: Blobs,
        *,
        again: bool,
    ) -> list[_Outcome]:
        """Learn these operations, except those of which nothing has changed."""
        ids = [one.operation_id for one in operations]
        with self.database.read() as session:
            known = learning_of(session, ids)
            relaxed = {operation_id: sorted(rules) for operation_id, rules in self.relaxed(session, ids).items()}
            versions = {operation_id: row.digest for operation_id, row in newest_versions(session, ids).items()}
            columns = (OperationProfile.operation_id, OperationProfile.part, OperationProfile.day, OperationProfile.digest)
            profiles: dict[str, list[tuple[str, int, str]]] = {}
            for operation_id, part, day, digest in session.execute(select(*columns).where(OperationProfile.operation_id.in_(ids))):
                profiles.setdefault(operation_id, []).append((part, day, digest))
        watched = self._watched(ids)
        outcomes = []
        for one in operations:
            rules = relaxed.get(one.operation_id, [])
            recent = fresh.get(one.operation_id, [])
            digest = digest_of(
                [sorted(profiles.get(one.operation_id, [])), sorted(hashlib.sha256(blob).hexdigest() for blob in recent)],
                [rules, self.settings.model_dump(mode="json")],
            )
            row = known.get(one.operation_id)
            if row is not None and row.digest == digest and not again:
                continue
            if not recent and one.operation_id not in profiles:
                outcomes.append(_Outcome(one.operation_id, LearningState.NO_TRAFFIC, digest))
            else:
                work = _Work(one, recent, rules, digest, versions.get(one.operation_id), is_watched=one.operation_id in watched)
                outcomes.append(self._learn_one(zone_id, parts, engine, work))
            self._tell(zone_id)
        return outcomes

    def _learn_one(self, zone_id: str, parts: Parts, engine: Engine, work: _Work) -> _Outcome:
        one, digest = work.one, work.digest
        with self.database.read() as session:
            columns = (OperationProfile.part, OperationProfile.day, OperationProfile.profile)
            kept = session.execute(select(*columns).where(OperationProfile.operation_id == one.operation_id)).all()
        learner = engine([one.key])
        unreadable = [(row.part, row.day) for row in kept if not _load(learner, row.profile)]
        if unreadable:
            # Of the rest alone a schema could be tighter than it may be; the next run has these days again.
            with leased(self.database, LearningRun, zone_id, self.name) as session:
                forget_days(session, zone_id, unreadable)
            log.warning("profiles cannot be read, so their days are read again", extra={"operation_id": one.operation_id})
            return _Outcome(one.operation_id, LearningState.FAILED, digest, error="what was kept is damaged: it is read again")
        for blob in work.recent:
            learner.load(blob)
        if not learner.operations():
            return _Outcome(one.operation_id, LearningState.NO_TRAFFIC, digest)
        profile = json.loads(learner.profile(*one.key))
        outcome = _Outcome(one.operation_id, LearningState.LEARNING, digest, profile["requests"], profile["samples"])
        outcome.bodies_missing = _lacks_bodies(profile)
        outcome.has_news = work.is_watched and self._has_news(one.operation_id, profile)
        outcome.profile = profile if outcome.has_news else None
        if outcome.requests < self.settings.min_requests:
            return outcome
        try:
            learned = parts.learn(profile, work.relaxed)
            document = json.dumps(parts.write(learned), separators=(",", ":"), ensure_ascii=False)
            if digest_of(document) != work.version:
                outcome.content = NewContent.of(learned, document)
            report = parts.check(document.encode())
        except Exception as error:
            log.exception("an operation could not be learned", extra={"operation_id": one.operation_id})
            outcome.state, outcome.error, outcome.content = LearningState.FAILED, type(error).__name__, None
            return outcome
        outcome.state = LearningState.LEARNED
        if not report["ok"]:
            codes = sorted({str(problem["code"]) for problem in report["problems"] if problem["severity"] != "warning"})
            log.error("a learned schema is none", extra={"operation_id": one.operation_id, "codes": codes})
            outcome.state, outcome.content = LearningState.FAILED, None
            outcome.error = f"the schema would be refused, with the codes {', '.join(codes)}"
        return outcome

    def _store(self, zone_id: str, outcomes: Sequence[_Outcome], *, asked: bool, operations_done: int) -> int:
        try:
            return self._store_all(zone_id, outcomes, asked=asked, operations_done=operations_done, apply=True)
        except InvalidRequest as error:  # gateways would refuse the snapshot
            log.error("what was learned was not applied by itself", extra={"zone_id": zone_id, "reason": error.message})  # noqa: TRY400
            return self._store_all(zone_id, outcomes, asked=asked, operations_done=operations_done, apply=False)

    def _store_all(self, zone_id: str, outcomes: Sequence[_Outcome], *, asked: bool, operations_done: int, apply: bool) -> int:
        made: list[Operation] = []
        with leased(self.database, LearningRun, zone_id, self.name, operations_done=operations_done) as session:
            ids = [outcome.operation_id for outcome in outcomes]
            newest = newest_versions(session, ids)
            known = learning_of(session, ids)
            there = {row.operation_id: row for row in session.scalars(select(Operation).where(Operation.operation_id.in_(ids)))}
            for outcome in outcomes:
                operation, row = there.get(outcome.operation_id), known.get(outcome.operation_id)
                if operation is None or row is None:  # deleted meanwhile
                    continue
                _note(row, outcome)
                before, new = newest.get(outcome.operation_id), outcome.content
                if new is None or (before is not None and before.digest == digest_of(new.document)):
                    continue
                if before is not None and not asked and not self._may_follow(before, outcome):
                    row.digest = None  # so that it is looked at again when the time has come
                    continue
                store_version(session, row, new, digest=digest_of(new.document), keep=self.settings.keep_versions)
                made.append(operation)
            if apply:
                self._apply(session, zone_id, made)
        return len(made)

    def _may_follow(self, before: LearnedVersion, outcome: _Outcome) -> bool:
        """Tell whether a version is old enough, or rests on so little, or lacks so much, that another may follow it."""
        is_old = now() - before.created_at >= timedelta(hours=self.settings.version_hours)
        return is_old or outcome.has_news or outcome.requests >= 2 * before.requests

    def _apply(self, session: Session, zone_id: str, operations: Sequence[Operation]) -> None:
        hosts = hosts_that_apply(session, zone_id)
        wanted = [operation for operation in operations if operation.host in hosts]
        if wanted:
            applied = apply_by_themselves(session, session.get_one(Zone, zone_id), wanted)
            log.info("learned schemas were applied by themselves", extra={"zone_id": zone_id, "operations": len(applied)})

    def _tell(self, zone_id: str, **progress: Any) -> None:
        if self._stopping.is_set() or time.monotonic() - self._told > PROGRESS_SECONDS:
            self._progress(zone_id, **progress)

    def _progress(self, zone_id: str, **progress: Any) -> None:
        if self._stopping.is_set():
            with self.database.write() as session:
                end_lease(session, LearningRun, zone_id, self.name, error="the control plane was stopped")
            raise LeaseLost
        self._told = time.monotonic()
        with leased(self.database, LearningRun, zone_id, self.name, **progress) as session:
            cancelled = is_cancelled(session, zone_id)
        if cancelled:
            raise _Cancelled


def first_hour(until: datetime, days: int) -> datetime:
    """Give when the window began: midnight (UTC), so many whole days before today."""
    return until.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)


def _load(learner: Learner, profile: bytes) -> bool:
    """Merge a kept profile; false if it is none."""
    try:
        learner.load(profile)
    except ValueError:
        return False
    return True


def _note(row: OperationLearning, outcome: _Outcome) -> None:
    row.outcome, row.requests, row.samples = outcome.state.value, outcome.requests, outcome.samples
    row.bodies_missing, row.error, row.digest, row.looked_at = outcome.bodies_missing, outcome.error, outcome.digest, now()


def _lacks_bodies(profile: Mapping[str, Any]) -> bool:
    """Tell whether requests had JSON or forms for a body, and not one of them was recorded."""
    readable = [body for media_type, body in profile["bodies"].items() if "json" in media_type or "form" in media_type]
    return bool(readable) and not any(
        body["node"]["value"]["kinds"] or body["node"].get("object") or body.get("unreadable") for body in readable
    )


def digest_of(*parts: Any) -> str:
    """Give what tells documents, and whatever else is JSON, from others."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
