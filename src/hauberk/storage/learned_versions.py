"""Learned schemas by version: stored, found, and the oldest forgotten."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session, defer

from hauberk.errors import Conflict, NotFound
from hauberk.learned_schema import Evidence, LearnedOperation, Statement
from hauberk.operation import OperationKey
from hauberk.storage.learning_tables import AppliedSchema, LearnedVersion, OperationLearning
from hauberk.storage.models import Operation, new_uuid, now

# Below the number of variables SQLite and PostgreSQL take in one statement.
BATCH = 5000
# Times are told in microseconds, but not every client keeps them all.
NEAR = timedelta(milliseconds=1)


@dataclass(frozen=True)
class VersionContent:
    """What a version says."""

    operation: dict[str, Any]
    """The operation object of OpenAPI, with its evidence."""

    statements: list[dict[str, Any]]
    """Each `{"rule", "pointer", "keyword", "value", "made", "evidence"}`, those that are not made yet too."""

    document: str
    """The document that is enforced, as JSON: this operation alone, without evidence."""


@dataclass(frozen=True)
class NewContent:
    """What a version will say, ready to be stored."""

    document: str
    packed: bytes
    requests: int
    samples: int
    probability: float
    statements: int

    @classmethod
    def of(cls, learned: LearnedOperation, document: str) -> NewContent:
        """
        Pack what was learned. That takes a while, so it is done before a transaction begins.

        Args:
            learned: What was learned of an operation.

            document: The document to enforce.
        """
        content = {
            "operation": learned.operation,
            "statements": [statement_json(statement) for statement in learned.statements],
            "document": document,
        }
        packed = zlib.compress(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())
        made = sum(statement.is_made for statement in learned.statements)
        return cls(document, packed, learned.requests, learned.samples, learned.probability, made)


def store_version(session: Session, learning: OperationLearning, new: NewContent, *, digest: str, keep: int) -> LearnedVersion:
    """
    Store what was learned as the newest version, and forget the oldest.

    Args:
        session: A session that writes.

        learning: How learning stands for the operation.

        new: What was learned of it.

        digest: Of the schema without its evidence.

        keep: How many versions are kept, besides the one in force.
    """
    learning.last_version += 1
    row = LearnedVersion(
        operation_id=learning.operation_id,
        version=learning.last_version,
        schema_id=new_uuid(),
        created_at=now(),
        digest=digest,
        content=new.packed,
        requests=new.requests,
        samples=new.samples,
        probability=new.probability,
        statements=new.statements,
    )
    session.add(row)
    if learning.last_version > keep:
        session.flush()
        _forget(session, learning.operation_id, learning.last_version - keep)
    return row


def statement_json(statement: Statement) -> dict[str, Any]:
    """Render a statement; `made` tells whether the schema says it."""
    return {
        "rule": statement.rule,
        "pointer": statement.pointer,
        "keyword": statement.keyword,
        "value": statement.value,
        "made": statement.is_made,
        "evidence": statement.evidence.as_json(),
    }


def content_of(version: LearnedVersion) -> VersionContent:
    """Read what a version says."""
    return VersionContent(**json.loads(zlib.decompress(version.content)))


def versions_of(operation_id: str) -> Select[LearnedVersion]:
    """Select an operation's versions, the newest first, without what they say."""
    query = select(LearnedVersion).where(LearnedVersion.operation_id == operation_id)
    return query.order_by(LearnedVersion.version.desc()).options(defer(LearnedVersion.content))


def newest_versions(session: Session, operation_ids: Sequence[str], *, with_content: bool = False) -> dict[str, LearnedVersion]:
    """Give the newest version of each of these operations that has any."""
    found: dict[str, LearnedVersion] = {}
    for batch in _batches(operation_ids):
        last = (
            select(LearnedVersion.operation_id, func.max(LearnedVersion.version).label("version"))
            .where(LearnedVersion.operation_id.in_(batch))
            .group_by(LearnedVersion.operation_id)
            .subquery()
        )
        query = select(LearnedVersion).join(
            last, (LearnedVersion.operation_id == last.c.operation_id) & (LearnedVersion.version == last.c.version)
        )
        if not with_content:
            query = query.options(defer(LearnedVersion.content))
        found |= {row.operation_id: row for row in session.scalars(query)}
    return found


def find_version(session: Session, operation_id: str, version: int | None = None) -> LearnedVersion:
    """
    Find a version, the newest unless one is named.

    Raises:
        NotFound: If there is none, with what there is.
    """
    row = session.scalars(
        versions_of(operation_id).where(LearnedVersion.version == version) if version is not None else versions_of(operation_id)
    ).first()
    if row is None and version is not None:
        kept = ", ".join(str(row.version) for row in session.scalars(versions_of(operation_id)))
        raise NotFound(f"there is no learned version {version} of this operation: " + (f"kept are {kept}" if kept else "there is none yet"))
    if row is None:
        raise NotFound("no schema was learned of this operation yet")
    return row


def version_before(session: Session, operation_id: str, version: int) -> LearnedVersion | None:
    """Give the version that was learned before this one; `None` if none is kept."""
    return session.scalars(versions_of(operation_id).where(LearnedVersion.version < version)).first()


def version_at(session: Session, operation_id: str, timestamp: datetime) -> LearnedVersion:
    """
    Find the newest version, which must be the one that was learned at this time.

    Raises:
        NotFound: If none was learned then.

        Conflict: If it is not the newest any more.
    """
    newest = find_version(session, operation_id)
    if abs(newest.created_at - timestamp) <= NEAR:
        return newest
    last = f"the newest is version {newest.version}, learned at {newest.created_at.isoformat()}"
    between = LearnedVersion.created_at.between(timestamp - NEAR, timestamp + NEAR)
    stale = session.scalars(versions_of(operation_id).where(between)).first()
    if stale is None:
        raise NotFound(f"no schema of this operation was learned at {timestamp.isoformat()}: {last}")
    raise Conflict(
        f"what was learned at {timestamp.isoformat()}, version {stale.version}, is not the newest any more: {last}. Look at it and apply "
        "that, or go back to this version on purpose with a rollback"
    )


def versions_in_force(session: Session, operation_ids: Sequence[str]) -> dict[str, LearnedVersion]:
    """Give the version that is applied to each of these operations, with its content; those without one are left out."""
    found: dict[str, LearnedVersion] = {}
    for batch in _batches(operation_ids):
        same = (LearnedVersion.operation_id == AppliedSchema.operation_id) & (LearnedVersion.version == AppliedSchema.version)
        query = select(LearnedVersion).join(AppliedSchema, same).where(LearnedVersion.operation_id.in_(batch))
        found |= {row.operation_id: row for row in session.scalars(query)}
    return found


def learned_operations(session: Session, operations: Sequence[Operation], *, applied: bool = False) -> list[LearnedOperation]:
    """
    Give what was learned of these operations as it was learned, those without a version left out.

    Args:
        session: A session that reads.

        operations: The operations.

        applied: The versions in force instead of the newest.
    """
    ids = [operation.operation_id for operation in operations]
    rows = versions_in_force(session, ids) if applied else newest_versions(session, ids, with_content=True)
    return [learned_operation(operation, rows[operation.operation_id]) for operation in operations if operation.operation_id in rows]


def learned_operation(operation: Operation, version: LearnedVersion) -> LearnedOperation:
    """Read a version as what was learned."""
    content = content_of(version)
    return LearnedOperation(
        key=OperationKey(operation.method, operation.host, operation.endpoint),
        operation=content.operation,
        statements=tuple(_statement(statement) for statement in content.statements),
        requests=version.requests,
        samples=version.samples,
        probability=version.probability,
    )


def fragment_of(operation: Mapping[str, Any]) -> dict[str, Any]:
    """Give what SDKs call an operation's learned schema: its parameters, and its body if it has one."""
    fragment: dict[str, Any] = {"parameters": list(operation.get("parameters", []))}
    return fragment | ({"requestBody": operation["requestBody"]} if "requestBody" in operation else {})


def _statement(told: Mapping[str, Any]) -> Statement:
    return Statement(told["pointer"], told["keyword"], told["value"], Evidence(**told["evidence"]))


def _forget(session: Session, operation_id: str, until: int) -> None:
    """Delete versions up to this number, but not the one in force nor the one before it, to which the owner may go back."""
    applied = session.get(AppliedSchema, operation_id)
    kept = {applied.version, applied.version_before} - {None} if applied is not None else set()
    old = delete(LearnedVersion).where(
        LearnedVersion.operation_id == operation_id, LearnedVersion.version <= until, LearnedVersion.version.not_in(kept)
    )
    session.execute(old)


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    waiting = list(ids)
    for at in range(0, len(waiting), BATCH):
        yield waiting[at : at + BATCH]
