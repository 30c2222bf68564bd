"""Ours: uploaded schemas with what the compatible families do not tell, uploads with actions in one change, and deletions put back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.paging import PageQuery, paged_together
from hauberk.api.schema_preview import hosts_of, located
from hauberk.api.schema_validation import SchemaName, check_upload, schema_json, schema_title
from hauberk.errors import Conflict, InvalidRequest
from hauberk.mitigation import MitigationAction
from hauberk.operation import OperationKey
from hauberk.schema import DeclaredOperation
from hauberk.storage.models import Operation, Schema
from hauberk.storage.operations import operations_of, save_operations, set_actions
from hauberk.storage.schemas import add_schema, find_schema, schemas_in_force, schemas_of

own = APIRouter(tags=["schema validation"], dependencies=[Owner])

MAX_HOSTS = 5000


class Upload(BaseModel):
    """A document to upload."""

    model_config = ConfigDict(extra="forbid")

    name: SchemaName | None = Field(None, description="A name for people; the document's title if left out")
    source: str = Field(min_length=1, description="The OpenAPI document, JSON or YAML text")
    validation_enabled: StrictBool = Field(description="Whether it is enforced")
    host: str | None = Field(None, max_length=255, description="Host of operations whose servers are relative, missing or outside the zone")


class NewUpload(Upload):
    """A document to upload, and what is to be done about requests that break it."""

    save_operations: bool = Field(False, description="Save the document's operations too")
    mitigation_actions: dict[str, MitigationAction] = Field(
        {}, max_length=MAX_HOSTS, description="By host: the action of the document's operations there that are saved, in the same change"
    )


class DeletedUpload(Upload):
    """A schema as it was before it was deleted."""

    created_at: AwareDatetime = Field(description="When it was uploaded: of several schemas the newest is in force")


@own.get("/zones/{zone_id}/schemas")
def list_uploads(plane: Plane, zone_id: ZoneId, page: PageQuery) -> JSONResponse:
    """List uploaded schemas, the newest first, without their text: hosts, how many operations they declare, and how many they rule."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_together(session, schemas_of(zone_id, with_source=False), page, lambda rows: _renderer(session, zone_id, rows))


@own.post("/zones/{zone_id}/schemas")
def upload(plane: Plane, zone_id: ZoneId, body: NewUpload) -> JSONResponse:
    """
    Upload a document, save its operations and set their actions, all in one change.

    The answer tells what was `changed`: the operations that were `saved` by it, the `actions` that others had before, and in `undo` what
    `POST …/endpoints/actions` and `POST …/endpoints/delete` take to go back, as long as nobody has changed these operations since.
    """
    document = check_upload(plane, zone_id, body.source, body.host)
    unknown = sorted(set(body.mitigation_actions) - {declared.key.host for declared in document.operations})
    if unknown:
        raise InvalidRequest(f"the document has no operation on the host '{unknown[0][:255]}'", pointer="/mitigation_actions")
    with plane.database.write() as session:
        zone_of(session, zone_id)
        query = operations_of(zone_id).with_only_columns(Operation.operation_id, Operation.mitigation_action)
        known: dict[str, str | None] = dict(session.execute(query).all())
        ids = {declared.key: declared.key.operation_id(zone_id) for declared in document.operations}
        saved = [key for key, id_ in ids.items() if id_ not in known] if body.save_operations else []
        row = add_schema(session, zone_id, body.name or schema_title(document), document, validation_enabled=body.validation_enabled)
        if body.save_operations:
            save_operations(session, zone_id, list(ids))
        actions = {
            id_: body.mitigation_actions[key.host]
            for key, id_ in ids.items()
            if key.host in body.mitigation_actions and (id_ in known or body.save_operations)
        }
        before = {id_: known[id_] for id_, action in actions.items() if id_ in known and known[id_] != action}
        set_actions(session, zone_id, actions)
        new = [ids[key] for key in saved]
        result = _whole(session, zone_id, row) | {"changed": {"saved": new, "actions": before, "undo": _undo(new, before, actions)}}
    return success(result, messages=row.warnings)


@own.get("/zones/{zone_id}/schemas/{schema_id}")
def get_upload(plane: Plane, zone_id: ZoneId, schema_id: str) -> JSONResponse:
    """Show an uploaded schema without its text: its hosts, its warnings by place, how many of its operations are saved and ruled by it."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return success(_whole(session, zone_id, find_schema(session, zone_id, schema_id)))


@own.get("/zones/{zone_id}/schemas/{schema_id}/source", response_class=Response)
def get_source(plane: Plane, zone_id: ZoneId, schema_id: str) -> Response:
    """Download the text of an uploaded schema, byte for byte."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        row = find_schema(session, zone_id, schema_id)
    is_json = row.source.lstrip()[:1] == "{"
    name = f"{row.schema_id}.{'json' if is_json else 'yaml'}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(row.source.encode(), media_type="application/json" if is_json else "application/yaml", headers=headers)


@own.put("/zones/{zone_id}/schemas/{schema_id}")
def put_upload_back(plane: Plane, zone_id: ZoneId, schema_id: UUID, body: Annotated[DeletedUpload, Body()]) -> JSONResponse:
    """Put back a schema that was deleted, under its id and in its place among the others; 409 if it is there."""
    document = check_upload(plane, zone_id, body.source, body.host)
    id_, created_at, name = str(schema_id), datetime.fromisoformat(body.created_at.isoformat()), body.name or schema_title(document)
    with plane.database.write() as session:
        zone_of(session, zone_id)
        if session.get(Schema, id_) is not None:
            raise Conflict(f"the schema '{id_}' is there: it was not deleted, or put back already")
        row = add_schema(session, zone_id, name, document, validation_enabled=body.validation_enabled, schema_id=id_, created_at=created_at)
        result = _whole(session, zone_id, row)
    return success(result)


def _undo(saved: Sequence[str], before: Mapping[str, str | None], actions: Mapping[str, MitigationAction]) -> dict[str, Any]:
    changed, new = defaultdict(list), defaultdict(list)
    for id_, action in before.items():
        changed[action, actions[id_]].append(id_)
    for id_ in saved:
        new[actions.get(id_)].append(id_)
    changes = [{"mitigation_action": was, "instead_of": now, "operation_ids": ids} for (was, now), ids in changed.items()]
    return {
        "actions": {"changes": changes} if changes else None,
        "delete": [{"instead_of": now, "operation_ids": ids} for now, ids in new.items()],
    }


def _renderer(session: Session, zone_id: str, rows: Sequence[Schema]) -> Callable[[Schema], dict[str, Any]]:
    zone_name = zone_of(session, zone_id).name
    uploaded = schemas_in_force(session, zone_id)
    wanted = {row.schema_id for row in rows}
    ruled: dict[str, list[OperationKey]] = {id_: [] for id_ in wanted}
    for key, (schema_id, _) in uploaded.items():
        if schema_id in wanted:
            ruled[schema_id].append(OperationKey(*key))
    columns = operations_of(zone_id).with_only_columns(Operation.method, Operation.host, Operation.endpoint)
    saved = {OperationKey(*key) for key in session.execute(columns)}

    def render(row: Schema) -> dict[str, Any]:
        declared = [DeclaredOperation(OperationKey(one["method"], one["host"], one["endpoint"]), one["path"]) for one in row.operations]
        return {
            **schema_json(row, omit_source=True),
            "hosts": hosts_of(declared, zone_name),
            "operations": len(declared),
            "saved": sum(one.key in saved for one in declared),
            "in_force": sum(key in saved for key in ruled[row.schema_id]),
            "warnings": len(row.warnings),
        }

    return render


def _whole(session: Session, zone_id: str, row: Schema) -> dict[str, Any]:
    told = _renderer(session, zone_id, [row])(row)
    return told | {"bytes": len(row.source.encode()), "problems": located(row.warnings, row.source)}
