"""
Learned schemas in force: applied, taken back, withdrawn; and the hosts where each newly learned one is applied by itself.

An uploaded schema that is enabled always has precedence: nothing is applied beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from hauberk.errors import Conflict, NotFound
from hauberk.mitigation import MitigationAction
from hauberk.storage.learned_versions import content_of, find_version, newest_versions
from hauberk.storage.learning_tables import AppliedSchema, LearnedVersion, LearningHost
from hauberk.storage.models import Operation, Zone, now
from hauberk.storage.schemas import InForce, schemas_in_force

# Never refuses anything, so what a schema would do can be seen before it does it.
FIRST_ACTION = MitigationAction.LOG

# Below the number of variables SQLite and PostgreSQL take in one statement.
BATCH = 5000

Outcome = Literal["applied", "unchanged", "unaffected", "nothing_learned"]


@dataclass(frozen=True)
class Standing:
    """Which learned schema of an operation is in force, and what is done about requests that break it."""

    version: int | None
    """`None`: none is in force."""

    mitigation_action: str | None
    """The operation's own."""

    rolled_back: bool = False


@dataclass(frozen=True)
class Applied:
    """What came of applying a learned schema to an operation."""

    operation: Operation
    outcome: Outcome
    """`unaffected`: an uploaded schema is in force. `unchanged`: that version is in force already."""

    version: int | None
    """Of the learned schema that is in force now."""

    before: Standing
    """What was in force until then; `put_back` takes it."""

    after: Standing
    """What is in force now."""

    starts_in_log: bool = False
    """The operation had no action of its own and follows the zone's no longer: violations are logged."""

    def as_json(self) -> dict[str, Any]:
        """Render it."""
        operation = self.operation
        return {
            "operation_id": operation.operation_id,
            "method": operation.method,
            "host": operation.host,
            "endpoint": operation.endpoint,
            "outcome": self.outcome,
            "version": self.version,
            "mitigation_action": operation.mitigation_action,
            "starts_in_log": self.starts_in_log,
            "before": asdict(self.before) | {"instead_of": asdict(self.after)},
        }


@dataclass(frozen=True)
class Actions:
    """What applying does about an operation's own action."""

    asked: MitigationAction | None = None
    """Set this one."""

    keep: bool = False
    """Leave it as it is, also where it has none and the zone's default refuses requests."""


def applied_schemas(session: Session, zone_id: str) -> dict[str, AppliedSchema]:
    """
    Give the learned schemas that were applied to operations of a zone, by operation; uploaded ones may stand above them.

    Their documents are read when they are asked for.
    """
    query = select(AppliedSchema).join(Operation, Operation.operation_id == AppliedSchema.operation_id)
    return {
        row.operation_id: row for row in session.scalars(query.where(Operation.zone_id == zone_id).options(defer(AppliedSchema.source)))
    }


def applied_to(session: Session, operation_ids: Sequence[str]) -> dict[str, AppliedSchema]:
    """Give those that were applied to these operations."""
    found: dict[str, AppliedSchema] = {}
    for at in range(0, len(operation_ids), BATCH):
        query = select(AppliedSchema).where(AppliedSchema.operation_id.in_(operation_ids[at : at + BATCH]))
        found |= {row.operation_id: row for row in session.scalars(query.options(defer(AppliedSchema.source)))}
    return found


def apply_newest(session: Session, zone: Zone, operations: Sequence[Operation], actions: Actions = Actions()) -> list[Applied]:
    """Put the newest learned schema of each of these operations in force."""
    uploaded = schemas_in_force(session, zone.id)
    ids = [operation.operation_id for operation in operations]
    newest, applied = newest_versions(session, ids, with_content=True), applied_to(session, ids)
    # Nothing is written before all is done, instead of at each look at what is in force.
    with session.no_autoflush:
        return [
            _apply(session, zone, operation, newest.get(operation.operation_id), applied.get(operation.operation_id), uploaded, actions)
            for operation in operations
        ]


def apply_version(
    session: Session,
    zone: Zone,
    operation: Operation,
    version: LearnedVersion,
    actions: Actions = Actions(),
    *,
    rolled_back: bool = False,
) -> Applied:
    """
    Put one learned version in force.

    Args:
        session: A session that writes.

        zone: The operation's.

        operation: The operation.

        version: One of its versions.

        actions: What is done about its own action.

        rolled_back: The owner goes back to it, so newer ones are not applied by themselves any more.
    """
    row = session.get(AppliedSchema, operation.operation_id)
    return _apply(session, zone, operation, version, row, schemas_in_force(session, zone.id), actions, rolled_back=rolled_back)


def roll_back(session: Session, zone: Zone, operation: Operation, version: int | None = None) -> Applied:
    """
    Go back to an older learned version: the one that was in force before, unless one is named.

    Raises:
        NotFound: If there is no such version.

        Conflict: If no learned schema is in force, or none was before.
    """
    applied = _applied(session, operation)
    if version is None:
        version = applied.version_before
    if version is None:
        raise Conflict(f"version {applied.version} was the first in force: name the version to go back to, or withdraw it")
    return apply_version(session, zone, operation, find_version(session, operation.operation_id, version), rolled_back=True)


def withdraw(session: Session, operation: Operation) -> None:
    """
    Take an operation's learned schema out of force; its versions stay.

    Raises:
        Conflict: If none is in force.
    """
    session.delete(_applied(session, operation))


def standing_of(session: Session, operations: Sequence[Operation]) -> dict[str, Standing]:
    """Tell which learned schemas of operations are in force, and their actions, by operation id."""
    applied = applied_to(session, [operation.operation_id for operation in operations])
    return {operation.operation_id: _standing(operation, applied.get(operation.operation_id)) for operation in operations}


def put_back(session: Session, zone: Zone, operations: Sequence[Operation], standing: Mapping[str, Standing]) -> None:
    """
    Put in force what was before, as `Applied.before` has told it; where an uploaded schema is in force by now, it stays.

    Args:
        session: A session that writes.

        zone: The operations'.

        operations: The operations.

        standing: What is to be in force of each, by operation id.

    Raises:
        NotFound: If a version is not kept any more.
    """
    uploaded = schemas_in_force(session, zone.id)
    applied = applied_to(session, [operation.operation_id for operation in operations])
    versions = {
        operation_id: find_version(session, operation_id, wanted.version)
        for operation_id, wanted in standing.items()
        if wanted.version is not None
    }
    with session.no_autoflush:
        for operation in operations:
            wanted, row = standing[operation.operation_id], applied.get(operation.operation_id)
            if wanted.version is not None:
                version = versions[operation.operation_id]
                _apply(session, zone, operation, version, row, uploaded, Actions(keep=True), rolled_back=wanted.rolled_back)
            elif row is not None:
                session.delete(row)
            operation.mitigation_action = wanted.mitigation_action


def hosts_that_apply(session: Session, zone_id: str) -> set[str]:
    """List the hosts where each newly learned schema is applied by itself."""
    return set(session.scalars(select(LearningHost.host).where(LearningHost.zone_id == zone_id, LearningHost.auto_apply)))


def set_auto_apply(session: Session, zone: Zone, host: str, *, auto_apply: bool) -> list[Applied]:
    """
    Say whether learned schemas of a host's operations are applied by themselves; those at hand are applied at once.

    Raises:
        NotFound: If no operation is saved on it.
    """
    operations = session.scalars(select(Operation).where(Operation.zone_id == zone.id, Operation.host == host)).all()
    row = session.get(LearningHost, (zone.id, host))
    if not operations and row is None:
        raise NotFound(f"no operation is saved on the host '{host[:255]}': those that are name their hosts")
    if row is None:
        row = LearningHost(zone_id=zone.id, host=host, auto_apply=auto_apply)
        session.add(row)
    row.auto_apply = auto_apply
    return apply_by_themselves(session, zone, operations) if auto_apply else []


def apply_by_themselves(session: Session, zone: Zone, operations: Iterable[Operation]) -> list[Applied]:
    """Put the newest versions in force where nothing speaks against it: not where the owner has gone back to an older one."""
    back = {id_ for id_, row in applied_schemas(session, zone.id).items() if row.rolled_back}
    applied = apply_newest(session, zone, [operation for operation in operations if operation.operation_id not in back])
    return [one for one in applied if one.outcome == "applied"]


def uploaded_of(uploaded: InForce, operation: Operation) -> tuple[str, str] | None:
    """Give the uploaded schema that is in force for an operation, and its path there."""
    return uploaded.get((operation.method, operation.host, operation.endpoint))


def _applied(session: Session, operation: Operation) -> AppliedSchema:
    applied = session.get(AppliedSchema, operation.operation_id)
    if applied is None:
        raise Conflict("no learned schema is in force for this operation")
    return applied


def _apply(
    session: Session,
    zone: Zone,
    operation: Operation,
    version: LearnedVersion | None,
    row: AppliedSchema | None,
    uploaded: Mapping[tuple[str, str, str], Any],
    actions: Actions,
    *,
    rolled_back: bool = False,
) -> Applied:
    at_hand = row.version if row is not None else None
    before = _standing(operation, row)
    if uploaded.get((operation.method, operation.host, operation.endpoint)) is not None:
        return Applied(operation, "unaffected", at_hand, before, before)
    if version is None:
        return Applied(operation, "nothing_learned", at_hand, before, before)
    in_log = _set_action(zone, operation, actions, first=row is None)
    if row is not None and row.version == version.version:
        row.rolled_back = rolled_back
        return Applied(operation, "unchanged", at_hand, before, _standing(operation, row), in_log)
    if row is None:
        row = AppliedSchema(operation_id=operation.operation_id)
    # Read before the row is added: a query would write what is there of it.
    row.source = content_of(version).document
    row.version, row.schema_id, row.version_before = version.version, version.schema_id, at_hand
    row.name = f"learned {operation.method} {operation.host}{operation.endpoint}, version {version.version}"
    row.applied_at, row.rolled_back = now(), rolled_back
    session.add(row)
    return Applied(operation, "applied", version.version, before, _standing(operation, row), in_log)


def _standing(operation: Operation, row: AppliedSchema | None) -> Standing:
    return Standing(row.version if row is not None else None, operation.mitigation_action, row is not None and row.rolled_back)


def _set_action(zone: Zone, operation: Operation, actions: Actions, *, first: bool) -> bool:
    if actions.asked is not None:
        operation.mitigation_action = actions.asked.value
    elif first and not actions.keep and operation.mitigation_action is None and zone.default_action != FIRST_ACTION:
        operation.mitigation_action = FIRST_ACTION.value
        return True
    return False
