"""Which operations have a learned schema that waits to be applied."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hauberk.operation import OperationKey
from hauberk.storage.applied_schemas import applied_schemas
from hauberk.storage.learning_tables import AppliedSchema, LearnedVersion
from hauberk.storage.models import Operation
from hauberk.storage.schemas import schemas_in_force


def is_ready(newest: int | None, applied: AppliedSchema | None) -> bool:
    """Tell whether there is a learned version that waits to be applied: not where the owner has gone back to an older one."""
    return newest is not None and (applied is None or (applied.version < newest and not applied.rolled_back))


def ready_to_apply(session: Session, zone_id: str) -> set[str]:
    """Give the operations of a zone whose newest learned schema could be in force and is not."""
    last = select(LearnedVersion.operation_id, func.max(LearnedVersion.version)).join(
        Operation, Operation.operation_id == LearnedVersion.operation_id
    )
    newest: dict[str, int] = {
        row[0]: row[1] for row in session.execute(last.where(Operation.zone_id == zone_id).group_by(LearnedVersion.operation_id))
    }
    applied = applied_schemas(session, zone_id)
    uploaded = {OperationKey(*key).operation_id(zone_id) for key in schemas_in_force(session, zone_id)}
    return {id_ for id_, version in newest.items() if id_ not in uploaded and is_ready(version, applied.get(id_))}
