"""Ours: what the learned, the uploaded and the running schema say of one operation, side by side, and how two of them differ."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.schema_fragment import operation_document
from hauberk.errors import Conflict, NotFound
from hauberk.learning.difference import difference
from hauberk.operation import OperationKey
from hauberk.storage.applied_schemas import uploaded_of
from hauberk.storage.endpoint_tables import SchemaOperation
from hauberk.storage.learned_versions import content_of, versions_of
from hauberk.storage.learning_tables import AppliedSchema
from hauberk.storage.models import Operation, Schema
from hauberk.storage.operations import find_operation
from hauberk.storage.schemas import find_schema, schemas_in_force

own = APIRouter(tags=["endpoints"], dependencies=[Owner])


class Side(StrEnum):
    """One of the schemas of an operation."""

    LEARNED = "learned"
    UPLOADED = "uploaded"
    RUNNING = "running"


@own.get("/zones/{zone_id}/endpoints/{operation_id}/schemas")
def get_schemas(plane: Plane, zone_id: ZoneId, operation_id: str) -> JSONResponse:
    """
    Show what the newest learned, the uploaded and the running schema say of an operation; those that are not there are null.

    Each has a `document` of this operation alone. The uploaded one is the one in force, else the newest that declares the operation.
    """
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return success(_sides(session, find_operation(session, zone_id, operation_id)))


@own.get("/zones/{zone_id}/endpoints/{operation_id}/difference")
def compare_schemas(
    plane: Plane,
    zone_id: ZoneId,
    operation_id: str,
    before: Annotated[Side, Query(description="The schema that is left")],
    after: Annotated[Side, Query(description="The schema that would take its place")],
) -> JSONResponse:
    """Tell how two schemas of an operation differ, as requests are judged by them; `breaking` changes refuse what conformed before."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        sides = _sides(session, find_operation(session, zone_id, operation_id))
    for side in (before, after):
        if sides[side] is None:
            raise NotFound(f"this operation has no {side.value} schema, so there is nothing to compare")
    try:
        changes = [change.as_json() for change in difference(sides[before]["document"], sides[after]["document"])]
    except ValueError as error:
        raise Conflict(f"the two cannot be compared: {error}") from None
    is_breaking = any(change["breaking"] for change in changes)
    return success({"before": before.value, "after": after.value, "breaking": is_breaking, "changes": changes})


def _sides(session: Session, operation: Operation) -> dict[str, Any]:
    in_force = uploaded_of(schemas_in_force(session, operation.zone_id), operation)
    uploaded = _uploaded(session, operation, in_force)
    applied = session.get(AppliedSchema, operation.operation_id)
    newest = session.scalars(versions_of(operation.operation_id)).first()
    learned: dict[str, Any] | None = None
    if newest is not None:
        learned = {
            "kind": "learned",
            "schema_id": newest.schema_id,
            "name": f"learned, version {newest.version}",
            "version": newest.version,
            "created_at": newest.created_at.isoformat(),
            "document": json.loads(content_of(newest).document),
        }
    running = uploaded if in_force is not None else None
    if running is None and applied is not None:
        running = {
            "kind": "learned",
            "schema_id": applied.schema_id,
            "name": f"learned, version {applied.version}",
            "version": applied.version,
            "created_at": applied.applied_at.isoformat(),
            "document": json.loads(applied.source),
        }
    return {"learned": learned, "uploaded": uploaded, "running": running}


def _uploaded(session: Session, operation: Operation, in_force: tuple[str, str] | None) -> dict[str, Any] | None:
    key = OperationKey(operation.method, operation.host, operation.endpoint)
    if in_force is None:
        query = (
            select(Schema.schema_id, Schema.operations)
            .join(SchemaOperation, SchemaOperation.schema_id == Schema.schema_id)
            .where(SchemaOperation.operation_id == operation.operation_id)
            .order_by(Schema.created_at.desc(), Schema.schema_id.desc())
        )
        found = session.execute(query).first()
        if found is None:
            return None
        paths = [one["path"] for one in found[1] if (one["method"], one["host"], one["endpoint"]) == key]
        in_force = (found[0], paths[0])
    schema_id, path = in_force
    schema = find_schema(session, operation.zone_id, schema_id)
    return {
        "kind": "uploaded",
        "schema_id": schema_id,
        "name": schema.name,
        "version": None,
        "created_at": schema.created_at.isoformat(),
        "validation_enabled": schema.validation_enabled,
        "document": operation_document(schema.source, key, path),
    }
