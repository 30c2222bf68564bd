"""Schema validation, current family: uploaded documents, the zone's actions, and actions per operation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.operations import MAX_OPERATIONS_PER_CALL
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.errors import NotFound
from hauberk.mitigation import MitigationAction
from hauberk.schema import Place, UploadedDocument, read_document
from hauberk.storage.models import Operation, Schema, Zone
from hauberk.storage.operations import find_operation, operations_of, order_operations, save_operations, set_actions
from hauberk.storage.schemas import add_schema, find_schema, host_names, schemas_of

zone = APIRouter(tags=["schema validation"], dependencies=[Owner])


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not hold control characters")
    return text


SchemaName = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable)]
HostQuery = Annotated[
    str | None, Query(max_length=255, description="Host of operations whose servers are relative, missing or outside the zone (ours)")
]
SaveOperations = Annotated[bool, Query(description="Save the document's operations too, in the same transaction (ours)")]
OmitSource = Annotated[bool, Query(description="Leave the document's text out")]
ValidationEnabled = Annotated[bool | None, Query(description="Only schemas switched on, or off")]


class NewSchema(BaseModel):
    """A document to upload."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["openapi_v3"]
    name: SchemaName = Field(description="A name for people")
    source: str = Field(min_length=1, description="The OpenAPI document, JSON or YAML text")
    validation_enabled: StrictBool = Field(description="Whether it is enforced")


class SchemaChange(BaseModel):
    """What can be changed of a schema."""

    model_config = ConfigDict(extra="forbid")

    validation_enabled: StrictBool | None = Field(None, description="Whether it is enforced")


class Settings(BaseModel):
    """The zone's actions, all of them."""

    model_config = ConfigDict(extra="forbid")

    validation_default_mitigation_action: MitigationAction = Field(description="For operations without an action of their own")
    validation_override_mitigation_action: Literal["none"] | None = Field(
        None, description="`none` switches validation off in the whole zone; null or left out: no override"
    )


class SettingsChange(BaseModel):
    """The zone's actions; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    validation_default_mitigation_action: MitigationAction | None = None
    validation_override_mitigation_action: Literal["none"] | None = None


class OperationSetting(BaseModel):
    """An operation's own action; null takes it away."""

    model_config = ConfigDict(extra="forbid")

    mitigation_action: MitigationAction | None


OperationSettings = Annotated[dict[str, OperationSetting], Body(max_length=MAX_OPERATIONS_PER_CALL)]


@zone.post("/schema_validation/schemas")
def create_schema(
    plane: Plane, zone_id: ZoneId, body: NewSchema, host: HostQuery = None, save_operations: SaveOperations = False
) -> JSONResponse:
    """Upload a document. It is refused with everything that is wrong with it; what will not be enforced is told in `messages`."""
    document = check_upload(plane, zone_id, body.source, host)
    row = store_upload(plane, zone_id, body.name, document, enabled=body.validation_enabled, save=save_operations)
    return success(schema_json(row), messages=row.warnings)


@zone.get("/schema_validation/schemas")
def list_schemas(
    plane: Plane, zone_id: ZoneId, page: PageQuery, omit_source: OmitSource = False, validation_enabled: ValidationEnabled = None
) -> JSONResponse:
    """List uploaded schemas, the newest first."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        query = schemas_of(zone_id, validation_enabled=validation_enabled, with_source=not omit_source, with_operations=False)
        return paged_rows(session, query, page, lambda row: schema_json(row, omit_source=omit_source))


@zone.get("/schema_validation/schemas/{schema_id}")
def get_schema(plane: Plane, zone_id: ZoneId, schema_id: str, omit_source: OmitSource = False) -> JSONResponse:
    """Show an uploaded schema."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return success(schema_json(find_schema(session, zone_id, schema_id, with_source=not omit_source), omit_source=omit_source))


@zone.patch("/schema_validation/schemas/{schema_id}")
def edit_schema(plane: Plane, zone_id: ZoneId, schema_id: str, body: SchemaChange) -> JSONResponse:
    """Switch a schema on or off."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        row = find_schema(session, zone_id, schema_id)
        if body.validation_enabled is not None:
            row.validation_enabled = body.validation_enabled
    return success(schema_json(row))


@zone.delete("/schema_validation/schemas/{schema_id}")
def delete_schema(plane: Plane, zone_id: ZoneId, schema_id: str) -> JSONResponse:
    """Delete a schema; the operations it declares stay saved."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        session.delete(find_schema(session, zone_id, schema_id, with_source=False))
    return success(None)


@zone.get("/schema_validation/settings")
def get_settings(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Show the zone's actions."""
    with plane.database.read() as session:
        return success(settings_json(zone_of(session, zone_id)))


@zone.put("/schema_validation/settings")
def put_settings(plane: Plane, zone_id: ZoneId, body: Settings) -> JSONResponse:
    """Set the zone's actions; an override that is null or left out is cleared."""
    with plane.database.write() as session:
        row = zone_of(session, zone_id)
        row.default_action = body.validation_default_mitigation_action.value
        row.override_action = body.validation_override_mitigation_action
    return success(settings_json(row))


@zone.patch("/schema_validation/settings")
def edit_settings(plane: Plane, zone_id: ZoneId, body: SettingsChange) -> JSONResponse:
    """Change the zone's actions; an override that is null is cleared, one that is left out stays."""
    with plane.database.write() as session:
        row = zone_of(session, zone_id)
        if body.validation_default_mitigation_action is not None:
            row.default_action = body.validation_default_mitigation_action.value
        if "validation_override_mitigation_action" in body.model_fields_set:
            row.override_action = body.validation_override_mitigation_action
    return success(settings_json(row))


@zone.get("/schema_validation/settings/operations")
def list_operation_settings(plane: Plane, zone_id: ZoneId, page: PageQuery) -> JSONResponse:
    """List the operations that have an action of their own."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        query = operations_of(zone_id).where(Operation.mitigation_action.is_not(None))
        return paged_rows(session, order_operations(query, None, descending=False), page, setting_json)


@zone.patch("/schema_validation/settings/operations")
def edit_operation_settings(plane: Plane, zone_id: ZoneId, body: OperationSettings) -> JSONResponse:
    """Set the actions of several operations, `{operation_id: {"mitigation_action": …}}`; all are set or none."""
    return success(set_operation_settings(plane, zone_id, body))


@zone.get("/schema_validation/settings/operations/{operation_id}")
def get_operation_setting(plane: Plane, zone_id: ZoneId, operation_id: str) -> JSONResponse:
    """Show an operation's own action; 404 if it has none."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        row = find_operation(session, zone_id, operation_id)
        if row.mitigation_action is None:
            raise NotFound(f"operation '{row.operation_id}' has no mitigation action of its own: the zone's default applies")
        return success(setting_json(row))


@zone.put("/schema_validation/settings/operations/{operation_id}")
def put_operation_setting(plane: Plane, zone_id: ZoneId, operation_id: str, body: OperationSetting) -> JSONResponse:
    """Set an operation's own action; null takes it away."""
    return success(set_operation_setting(plane, zone_id, operation_id, body.mitigation_action))


@zone.delete("/schema_validation/settings/operations/{operation_id}")
def delete_operation_setting(plane: Plane, zone_id: ZoneId, operation_id: str) -> JSONResponse:
    """Take an operation's own action away, so that the zone's default applies."""
    result = set_operation_setting(plane, zone_id, operation_id, None)
    return success({"operation_id": result["operation_id"]})


def check_upload(plane: Plane, zone_id: str, source: str, host: str | None) -> UploadedDocument:
    """Check a document for a zone, outside of any transaction: a large one takes seconds, and few are checked at a time."""
    with plane.database.read() as session:
        row = zone_of(session, zone_id)
        place = Place.of(row.name, host_names(session, row), host)
    with plane.documents.turn():
        return read_document(source, place)


def store_upload(plane: Plane, zone_id: str, name: str, document: UploadedDocument, *, enabled: bool, save: bool) -> Schema:
    """Store a checked document, and with `save` its operations, in one transaction."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        row = add_schema(session, zone_id, name, document, validation_enabled=enabled)
        if save:
            save_operations(session, zone_id, [declared.key for declared in document.operations])
    return row


def schema_title(document: UploadedDocument) -> str:
    """Make a name of a document's title, which may be anything."""
    return "".join(character if character.isprintable() else " " for character in document.title)[:255].strip() or "schema"


def set_operation_settings(plane: Plane, zone_id: str, settings: dict[str, OperationSetting]) -> dict[str, Any]:
    """Set the actions of several operations and tell what they are now, by operation id."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        set_actions(session, zone_id, {operation_id: setting.mitigation_action for operation_id, setting in settings.items()})
    return {operation_id.lower(): {"mitigation_action": setting.mitigation_action} for operation_id, setting in settings.items()}


def set_operation_setting(plane: Plane, zone_id: str, operation_id: str, action: MitigationAction | None) -> dict[str, Any]:
    """Set one operation's action and tell what it is now."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        set_actions(session, zone_id, {operation_id: action})
        return setting_json(find_operation(session, zone_id, operation_id))


def setting_json(row: Operation) -> dict[str, Any]:
    """Render an operation's own action."""
    return {"mitigation_action": row.mitigation_action, "operation_id": row.operation_id}


def settings_json(row: Zone) -> dict[str, Any]:
    """Render a zone's actions."""
    return {"validation_default_mitigation_action": row.default_action, "validation_override_mitigation_action": row.override_action}


def schema_json(row: Schema, *, omit_source: bool = False) -> dict[str, Any]:
    """Render a schema; SDKs read `source` without asking whether it is there, so it is null when it is left out."""
    return {
        "schema_id": row.schema_id,
        "name": row.name,
        "kind": row.kind,
        "source": None if omit_source else row.source,
        "created_at": row.created_at.isoformat(),
        "validation_enabled": row.validation_enabled,
    }
