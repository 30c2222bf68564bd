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
from typing import Any, Literal, Protocol

from sqlalchemy.orm import Session

from hauberk import _native
from hauberk.config import LearningSettings
from hauberk.errors import Conflict, InvalidSchema
from hauberk.held_back import HeldBack
from hauberk.learning.trial import Judge, Trial
from hauberk.operation import OperationKey
from hauberk.profile_keeping import Learner, may_be_in
from hauberk.schema_learning import first_hour
from hauberk.storage.database import Database
from hauberk.storage.learned_versions import content_of, find_version, newest_versions, versions_in_force
from hauberk.storage.learning_tables import LearnedVersion
from hauberk.storage.models import Operation, Schema, now
from hauberk.storage.schemas import schemas_in_force
from hauberk.storage.session_identifiers import session_identifiers
from hauberk.traffic.hours import RecordedHour

MAX_REQUESTS = 1_000_000
# Few enough that who watches a trial hears of it every second or so.
LINES_AT_ONCE = 1000

Schemas = Literal["next", "learned", "in_force"]


class Hours(Protocol):
    """The traffic store, hour by hour."""

    def hours(self, since: datetime, until: datetime) -> list[RecordedHour]:
        """List what was recorded in a time."""

    def rows(self, hour: RecordedHour) -> int:
        """Count an hour's rows."""

    def lines(self, hour: RecordedHour, /, *, successful: bool = True) -> Iterator[bytes]:
        """Give an hour's rows."""


class Watch(Protocol):
    """Is told how far a trial is, and may end it."""

    def begins(self, rows: int, /) -> None:
        """Take note of how many rows there are to read."""

    def goes_on(self, rows_read: int, trial: Trial, /) -> str | None:
        """Look at what was judged until now; gives why the trial is to end here, or `None`."""


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


@dataclass(frozen=True)
class Prepared:
    """A trial that can begin."""

    operation_ids: tuple[str, ...]
    """Those asked for; some may have no schema."""

    tried: tuple[Tried, ...]
    identifiers: tuple[str, ...]
    """The zone's session identifiers."""

    everything: bool
    most: int


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

    def prepare(
        self,
        zone_id: str,
        operations: Sequence[Operation],
        *,
        schemas: Schemas = "next",
        source: bytes | None = None,
        version: int | None = None,
        everything: bool = False,
        most: int = 100_000,
    ) -> Prepared:
        """
        Find out what is to be tried.

        Args:
            zone_id: The zone.

            operations: Those to try.

            schemas: Of each operation what would be in force `next`: the uploaded schema that is enabled, else the newest learned one; or
                the newest `learned` one alone; or what is `in_force` now.

            source: A document to try instead, JSON or YAML; the operations that it does not have are left out.

            version: Of the learned schema, instead of the newest.

            everything: Count what the schema was learned from as well.

            most: Requests that are judged at most, the newest first.

        Raises:
            Conflict: If there is no traffic to look at.

            InvalidSchema: If the document is refused.

            StorageError: If the database cannot be used.
        """
        if self.hours is None:
            raise Conflict("there is no traffic to try a schema on: this control plane has no traffic store")
        with self.database.read() as session:
            if source is not None:
                tried = self._given(operations, source)
            else:
                tried = self._stored(session, zone_id, operations, schemas if version is None else "learned", version)
            identifiers = [str(identifier.normalised()) for identifier in session_identifiers(session, zone_id)]
        return Prepared(tuple(one.operation_id for one in operations), tuple(tried), tuple(identifiers), everything, most)

    def judge_requests(self, prepared: Prepared, watch: Watch | None = None) -> dict[str, Any]:
        """
        Judge the recorded requests.

        Args:
            prepared: What is tried.

            watch: Is told how far it is, and may end it; what was judged until then is answered.

        Returns:
            What came of it, as REST answers.

        Raises:
            StorageError: If the store cannot be used.
        """
        until = now()
        tried = prepared.tried
        trial = Trial({one.name: one.document for one in tried}, self.judge)
        forgetful = prepared.everything or self.learner is None
        taught = (
            None
            if forgetful or self.learner is None
            else HeldBack(self.learner, [one.key for one in tried], self._rules(prepared.identifiers))
        )
        since = first_hour(until, self.settings.window_days)
        ended_by = self._replay(trial, tried, taught, (since, until), prepared.most, watch) if tried else None
        there = {one.operation_id for one in tried}
        told = trial.as_json()
        ids = {one.name: one.operation_id for one in tried}
        for part in told.values():
            for rule in part["rules"]:
                rule["operation_id"] = ids[rule["operation"]]
        return {
            "since": since.isoformat(),
            "until": until.isoformat(),
            "complete": ended_by is None,
            "ended_by": ended_by,
            "operations": [one.as_json() | trial.successful.counted(one.name) for one in tried],
            "without_schema": [operation_id for operation_id in prepared.operation_ids if operation_id not in there],
            **told,
        }

    def _rules(self, identifiers: Sequence[str]) -> dict[str, Any]:
        return {"session_identifiers": list(identifiers), "only": self.settings.only, "trusted": sorted(self.settings.trusted)}

    def _stored(
        self, session: Session, zone_id: str, operations: Sequence[Operation], schemas: Schemas, version: int | None
    ) -> list[Tried]:
        uploaded = schemas_in_force(session, zone_id) if schemas != "learned" else {}
        learned = self._learned(session, operations, schemas, version)
        sources: dict[tuple[str, str], Any] = {}
        tried = []
        for one in operations:
            key = OperationKey(one.method, one.host, one.endpoint)
            schema, of_traffic = uploaded.get((one.method, one.host, one.endpoint)), learned.get(one.operation_id)
            if schema is not None:
                place = (schema[0], one.host)
                if place not in sources:
                    sources[place] = _on_host(_document(session.get_one(Schema, schema[0]).source.encode()), one.host)
                tried.append(Tried(one.operation_id, key, sources[place], "uploaded"))
            elif of_traffic is not None:
                document = json.loads(content_of(of_traffic).document)
                tried.append(Tried(one.operation_id, key, document, "learned", of_traffic.version, of_traffic.created_at))
        return tried

    def _learned(
        self, session: Session, operations: Sequence[Operation], schemas: Schemas, version: int | None
    ) -> dict[str, LearnedVersion]:
        ids = [one.operation_id for one in operations]
        if version is not None:
            return {id_: find_version(session, id_, version) for id_ in ids}
        return versions_in_force(session, ids) if schemas == "in_force" else newest_versions(session, ids, with_content=True)

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

    def _replay(
        self,
        trial: Trial,
        tried: Sequence[Tried],
        taught: HeldBack | None,
        window: tuple[datetime, datetime],
        most: int,
        watch: Watch | None,
    ) -> str | None:
        """Replay the newest hours until there are enough; tells why it ended before the last one, or `None`."""
        assert self.hours is not None  # noqa: S101 - checked when it was prepared
        learned_at = {one.name: one.learned_at for one in tried}

        def counts(operation: str, row: Mapping[str, Any], line: bytes, succeeded: bool) -> bool:
            at = learned_at[operation]
            if not succeeded or at is None or taught is None:
                return True
            time = _time(row)
            return (time is not None and time >= at) or taught.has(line)

        hosts = {one.key.host for one in tried}
        hours = [hour for hour in self.hours.hours(*window) if any(may_be_in(hour.part, host) for host in hosts)]
        if watch is not None:
            watch.begins(sum(self.hours.rows(hour) for hour in hours))
        rows_read = 0
        for hour in sorted(hours, key=lambda hour: hour.hour, reverse=True):
            for lines in self.hours.lines(hour, successful=False):
                of_batch = [line for line in lines.split(b"\n") if line]
                for at in range(0, len(of_batch), LINES_AT_ONCE):
                    some = of_batch[at : at + LINES_AT_ONCE]
                    trial.replay(some, counts)
                    rows_read += len(some)
                    reason = watch.goes_on(rows_read, trial) if watch is not None else None
                    if trial.requests >= most or reason is not None:
                        return reason or "most"
        return None


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
