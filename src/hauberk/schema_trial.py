"""
Tries schemas on recorded traffic: what they would have refused, had they been in force.

It goes through the traffic store from the newest hour back. Of requests that succeeded those count that the schema was not learned from:
what came since, and the callers that learning holds back. It joins store, database and the core's judge, and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from hauberk import _native
from hauberk.config import LearningSettings
from hauberk.errors import Conflict, InvalidSchema
from hauberk.learning.trial import Judge, Trial
from hauberk.operation import OperationKey
from hauberk.profile_keeping import Learner, may_be_in
from hauberk.schema_learning import first_hour
from hauberk.storage.database import Database
from hauberk.storage.learned_versions import content_of, find_version, newest_versions
from hauberk.storage.models import Operation, Schema, now
from hauberk.storage.schemas import schemas_in_force
from hauberk.storage.session_identifiers import session_identifiers
from hauberk.traffic.hours import RecordedHour

MAX_REQUESTS = 1_000_000
# A learner only says whether it takes a request; so that what it remembers stays small it is made anew after so many.
LEARNER_ROWS = 50_000


class Hours(Protocol):
    """The traffic store, hour by hour."""

    def hours(self, since: datetime, until: datetime) -> list[RecordedHour]:
        """List what was recorded in a time."""

    def lines(self, hour: RecordedHour, *, successful: bool = True) -> Iterator[bytes]:
        """Give an hour's rows."""


@dataclass(frozen=True)
class Tried:
    """An operation that takes part."""

    operation_id: str
    key: OperationKey
    document: Mapping[str, Any]
    schema: str
    """`learned`, `uploaded` or `given`."""

    version: int | None = None
    learned_at: datetime | None = None
    """What came before taught it, unless it was held back; `None` where it learned from nothing here."""

    @property
    def name(self) -> str:
        """As verdicts name it."""
        return f"{self.key.method} {self.key.host}{self.key.endpoint}"

    def as_json(self) -> dict[str, Any]:
        """Render it."""
        named = {"operation_id": self.operation_id, "method": self.key.method, "host": self.key.host, "endpoint": self.key.endpoint}
        return named | {"schema": self.schema, "version": self.version}


class SchemaTrials:
    """
    Trials in all zones.

    Args:
        database: Has operations and schemas.

        settings: What was learned from.

        judge: Makes what judges by documents: `hauberk._native.Validator`.

        learner: Makes what knows who was held back: `hauberk._native.Learner`; `None` where this build cannot learn.
    """

    def __init__(
        self,
        database: Database,
        settings: LearningSettings,
        judge: Callable[[list[bytes]], Judge],
        learner: Callable[..., Learner] | None,
    ) -> None:
        self.database = database
        self.settings = settings
        self.judge = judge
        self.learner = learner
        self.hours: Hours | None = None
        """The traffic store; without one nothing can be tried."""

    def run(
        self,
        zone_id: str,
        operations: Sequence[Operation],
        *,
        source: bytes | None = None,
        version: int | None = None,
        everything: bool = False,
        most: int = 100_000,
    ) -> dict[str, Any]:
        """
        Try what would be in force for operations of a zone.

        Args:
            zone_id: The zone.

            operations: Those to try; of each the uploaded schema that is in force, else the newest learned one.

            source: A document to try instead, JSON or YAML; the operations that it does not have are left out.

            version: Of the learned schema, instead of the newest.

            everything: Count what the schema was learned from as well.

            most: Requests that are judged at most, the newest first.

        Returns:
            What came of it, as REST answers.

        Raises:
            Conflict: If there is no traffic to look at.

            InvalidSchema: If the document is refused.

            StorageError: If the store or the database cannot be used.
        """
        if self.hours is None:
            raise Conflict("there is no traffic to try a schema on: this control plane has no traffic store")
        until = now()
        with self.database.read() as session:
            tried = self._given(operations, source) if source is not None else self._in_force(session, zone_id, operations, version)
            identifiers = [str(identifier.normalised()) for identifier in session_identifiers(session, zone_id)]
        trial = Trial({one.name: one.document for one in tried}, self.judge)
        taught = None if everything or self.learner is None else _Taught(self.learner, tried, self._rules(identifiers))
        since = first_hour(until, self.settings.window_days)
        complete = self._replay(trial, tried, taught, (since, until), most) if tried else True
        there = {one.operation_id for one in tried}
        told = trial.as_json()
        ids = {one.name: one.operation_id for one in tried}
        for part in told.values():
            for rule in part["rules"]:
                rule["operation_id"] = ids[rule["operation"]]
        return {
            "since": since.isoformat(),
            "until": until.isoformat(),
            "complete": complete,
            "operations": [one.as_json() for one in tried],
            "without_schema": [one.operation_id for one in operations if one.operation_id not in there],
            **told,
        }

    def _rules(self, identifiers: list[str]) -> dict[str, Any]:
        return {"session_identifiers": identifiers, "only": self.settings.only, "trusted": sorted(self.settings.trusted)}

    def _in_force(self, session: Session, zone_id: str, operations: Sequence[Operation], version: int | None) -> list[Tried]:
        uploaded = schemas_in_force(session, zone_id)
        newest = newest_versions(session, [one.operation_id for one in operations], with_content=True)
        sources: dict[tuple[str, str], Any] = {}
        tried = []
        for one in operations:
            key = OperationKey(one.method, one.host, one.endpoint)
            schema = uploaded.get((one.method, one.host, one.endpoint)) if version is None else None
            learned = newest.get(one.operation_id) if version is None else find_version(session, one.operation_id, version)
            if schema is not None:
                place = (schema[0], one.host)
                if place not in sources:
                    sources[place] = _on_host(_document(session.get_one(Schema, schema[0]).source.encode()), one.host)
                tried.append(Tried(one.operation_id, key, sources[place], "uploaded"))
            elif learned is not None:
                document = json.loads(content_of(learned).document)
                tried.append(Tried(one.operation_id, key, document, "learned", learned.version, learned.created_at))
        return tried

    def _given(self, operations: Sequence[Operation], source: bytes) -> list[Tried]:
        report = _native.check_document(source)
        if not report["ok"]:
            raise InvalidSchema("the document would be refused: 'hauberk schema check' lists its problems", report["problems"])
        document = _document(source)
        of_host: dict[str, Any] = {}
        declared = {(one["method"], one["endpoint"]): one["hosts"] for one in report["operations"]}
        tried = []
        for one in operations:
            hosts = declared.get((one.method, one.endpoint))
            if hosts is not None and (not hosts or one.host in hosts):
                judged_by = of_host.setdefault(one.host, _on_host(document, one.host))
                tried.append(Tried(one.operation_id, OperationKey(one.method, one.host, one.endpoint), judged_by, "given"))
        return tried

    def _replay(self, trial: Trial, tried: Sequence[Tried], taught: _Taught | None, window: tuple[datetime, datetime], most: int) -> bool:
        """Replay the newest hours until there are enough; tells whether all of them were."""
        assert self.hours is not None  # noqa: S101 - checked by who calls
        learned_at = {one.name: one.learned_at for one in tried}

        def counts(operation: str, row: Mapping[str, Any], line: bytes, succeeded: bool) -> bool:
            at = learned_at[operation]
            if not succeeded or at is None or taught is None:
                return True
            time = _time(row)
            return (time is not None and time >= at) or taught.was_held_back(line)

        hosts = {one.key.host for one in tried}
        hours = [hour for hour in self.hours.hours(*window) if any(may_be_in(hour.part, host) for host in hosts)]
        for hour in sorted(hours, key=lambda hour: hour.hour, reverse=True):
            for lines in self.hours.lines(hour, successful=False):
                trial.replay([line for line in lines.split(b"\n") if line], counts)
                if trial.requests >= most:
                    return False
        return True


class _Taught:
    """
    Tells who was held back: a learner that holds back does not take such a request, and one that does not takes it.

    Args:
        learner: Makes a learner.

        tried: The operations.

        rules: What else decides.
    """

    def __init__(self, learner: Callable[..., Learner], tried: Sequence[Tried], rules: Mapping[str, Any]) -> None:
        self._learner = learner
        self._rules = {**rules, "operations": [tuple(one.key) for one in tried]}
        self._learners: list[Learner] = []
        self._fed = 0

    def was_held_back(self, line: bytes) -> bool:
        if self._fed % LEARNER_ROWS == 0:
            self._learners = [self._learner(**self._rules, held_back=held_back) for held_back in (True, False)]
        self._fed += 1
        holding, other = self._learners
        return holding.feed(line) == 0 and other.feed(line) > 0


def _time(row: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(row.get("time")))
    except ValueError:
        return None


def _on_host(document: dict[str, Any], host: str) -> dict[str, Any]:
    """Give a document that names its host: one without would judge the requests of all hosts, and only one such could take part."""
    servers = document.get("servers") or [{"url": "/"}]
    if any("://" in server["url"] for server in servers):
        return document
    return {**document, "servers": [{**server, "url": f"https://{host}/{server['url'].strip('/')}".rstrip("/")} for server in servers]}


def _document(source: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_native.document_as_json(source))
    return document
