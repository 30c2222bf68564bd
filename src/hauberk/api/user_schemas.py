"""Schema validation, legacy family: the same schemas and actions as the current one, in the shapes older clients read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.operations import EndpointPart, Features, Hosts, Methods, asked_features, operation_filters, operation_renderer
from hauberk.api.paging import PageQuery, paged_list, paged_rows
from hauberk.api.schema_validation import (
    HostQuery,
    OmitSource,
    OperationSettings,
    SaveOperations,
    SchemaName,
    ValidationEnabled,
    check_upload,
    schema_json,
    schema_title,
    set_operation_setting,
    set_operation_settings,
    setting_json,
    settings_json,
    store_upload,
)
from hauberk.mitigation import MitigationAction
from hauberk.operation import OperationKey
from hauberk.schema import decode_source
from hauberk.storage.models import Schema
from hauberk.storage.operations import find_operation, operations_of
from hauberk.storage.schemas import find_schema, schemas_of

CLEAR_OVERRIDE = "disable_override"

zone = APIRouter(tags=["schema validation, legacy"], dependencies=[Owner])

Override = Literal["none", "disable_override"] | None


class LegacySchemaChange(BaseModel):
    """This family can only switch a schema on."""

    model_config = ConfigDict(extra="forbid")

    validation_enabled: Literal[True] | None = None


class LegacySettings(BaseModel):
    """The zone's actions, all of them; an override is cleared by null or `disable_override`."""

    model_config = ConfigDict(extra="forbid")

    validation_default_mitigation_action: MitigationAction
    validation_override_mitigation_action: Override = None


class LegacySettingsChange(BaseModel):
    """The zone's actions; null changes nothing, and an override is cleared by `disable_override` alone."""

    model_config = ConfigDict(extra="forbid")

    validation_default_mitigation_action: MitigationAction | None = None
    validation_override_mitigation_action: Override = None


class LegacyOperationSetting(BaseModel):
    """An operation's own action; null or nothing takes it away."""

    model_config = ConfigDict(extra="forbid")

    mitigation_action: MitigationAction | None = None


@zone.post("/api_gateway/user_schemas")
def create_user_schema(
    plane: Plane,
    zone_id: ZoneId,
    file: Annotated[UploadFile, File(description="The OpenAPI document, JSON or YAML")],
    kind: Annotated[Literal["openapi_v3"], Form()],  # noqa: ARG001 - required of clients; there is one kind
    name: Annotated[SchemaName | None, Form(description="A name for people; the document's title if left out")] = None,
    validation_enabled: Annotated[Literal["true", "false"], Form(description="Whether it is enforced")] = "true",
    host: HostQuery = None,
    save_operations: SaveOperations = False,
) -> JSONResponse:
    """Upload a document as `multipart/form-data`; what will not be enforced is told in `upload_details.warnings`."""
    document = check_upload(plane, zone_id, decode_source(file.file.read()), host)
    row = store_upload(plane, zone_id, name or schema_title(document), document, enabled=validation_enabled == "true", save=save_operations)
    details = {"upload_details": {"warnings": row.warnings}} if row.warnings else {}
    return success({"schema": _legacy_json(row), **details})


@zone.get("/api_gateway/user_schemas")
def list_user_schemas(
    plane: Plane, zone_id: ZoneId, page: PageQuery, omit_source: OmitSource = False, validation_enabled: ValidationEnabled = None
) -> JSONResponse:
    """List uploaded schemas, the newest first."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        query = schemas_of(zone_id, validation_enabled=validation_enabled, with_source=not omit_source, with_operations=False)
        return paged_rows(session, query, page, lambda row: _legacy_json(row, omit_source=omit_source))


@zone.get("/api_gateway/user_schemas/hosts")
def list_schema_hosts(plane: Plane, zone_id: ZoneId, page: PageQuery) -> JSONResponse:
    """List uploaded schemas with the hosts they declare operations for."""

    def render(row: Schema) -> dict[str, Any]:
        hosts = sorted({declared["host"] for declared in row.operations})
        return {"schema_id": row.schema_id, "name": row.name, "hosts": hosts, "created_at": row.created_at.isoformat()}

    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_rows(session, schemas_of(zone_id, with_source=False), page, render)


@zone.get("/api_gateway/user_schemas/{schema_id}")
def get_user_schema(plane: Plane, zone_id: ZoneId, schema_id: str, omit_source: OmitSource = False) -> JSONResponse:
    """Show an uploaded schema."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return success(_legacy_json(find_schema(session, zone_id, schema_id, with_source=not omit_source), omit_source=omit_source))


@zone.patch("/api_gateway/user_schemas/{schema_id}")
def edit_user_schema(plane: Plane, zone_id: ZoneId, schema_id: str, body: LegacySchemaChange) -> JSONResponse:
    """Switch a schema on; the current family can switch it off too."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        row = find_schema(session, zone_id, schema_id)
        if body.validation_enabled:
            row.validation_enabled = True
    return success(_legacy_json(row))


@zone.delete("/api_gateway/user_schemas/{schema_id}")
def delete_user_schema(plane: Plane, zone_id: ZoneId, schema_id: str) -> JSONResponse:
    """Delete a schema; the operations it declares stay saved."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        session.delete(find_schema(session, zone_id, schema_id, with_source=False))
    return success(None)


@zone.get("/api_gateway/user_schemas/{schema_id}/operations")
def list_schema_operations(
    plane: Plane,
    zone_id: ZoneId,
    schema_id: str,
    page: PageQuery,
    host: Hosts,
    method: Methods,
    feature: Features,
    endpoint: EndpointPart = None,
    operation_status: Annotated[Literal["new", "existing"] | None, Query(description="Only operations not saved yet, or saved")] = None,
) -> JSONResponse:
    """List the operations a schema declares, in its order; those that are not saved have no id."""
    filters = operation_filters(host, method, endpoint)
    with plane.database.read() as session:
        zone_of(session, zone_id)
        declared = find_schema(session, zone_id, schema_id).operations
        keys = [OperationKey(entry["method"], entry["host"], entry["endpoint"]) for entry in declared]
        keys = [key for key in keys if _passes(key, **filters)]
        saved = {OperationKey(row.method, row.host, row.endpoint): row for row in session.scalars(operations_of(zone_id))}
        if operation_status is not None:
            keys = [key for key in keys if (key in saved) == (operation_status == "existing")]
        part = keys[page.offset : page.offset + page.per_page]
        render = operation_renderer(session, zone_id, asked_features(feature), [saved[key] for key in part if key in saved])
        rendered = {key: render(saved[key]) if key in saved else key._asdict() for key in part}
    return paged_list([rendered.get(key) for key in keys], page)


@zone.get("/api_gateway/settings/schema_validation")
def get_legacy_settings(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Show the zone's actions."""
    with plane.database.read() as session:
        return _on_top(settings_json(zone_of(session, zone_id)))


@zone.put("/api_gateway/settings/schema_validation")
def put_legacy_settings(plane: Plane, zone_id: ZoneId, body: LegacySettings) -> JSONResponse:
    """Set the zone's actions."""
    with plane.database.write() as session:
        row = zone_of(session, zone_id)
        row.default_action = body.validation_default_mitigation_action.value
        row.override_action = _override(body.validation_override_mitigation_action)
    return _on_top(settings_json(row))


@zone.patch("/api_gateway/settings/schema_validation")
def edit_legacy_settings(plane: Plane, zone_id: ZoneId, body: LegacySettingsChange) -> JSONResponse:
    """Change the zone's actions; null changes nothing."""
    with plane.database.write() as session:
        row = zone_of(session, zone_id)
        if body.validation_default_mitigation_action is not None:
            row.default_action = body.validation_default_mitigation_action.value
        if body.validation_override_mitigation_action is not None:
            row.override_action = _override(body.validation_override_mitigation_action)
    return _on_top(settings_json(row))


@zone.patch("/api_gateway/operations/schema_validation")
def edit_legacy_operation_settings(plane: Plane, zone_id: ZoneId, body: OperationSettings) -> JSONResponse:
    """Set the actions of several operations; all are set or none."""
    return success(set_operation_settings(plane, zone_id, body))


@zone.get("/api_gateway/operations/{operation_id}/schema_validation")
def get_legacy_operation_setting(plane: Plane, zone_id: ZoneId, operation_id: str) -> JSONResponse:
    """Show an operation's own action; null if it has none."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return _on_top(setting_json(find_operation(session, zone_id, operation_id)))


@zone.put("/api_gateway/operations/{operation_id}/schema_validation")
def put_legacy_operation_setting(plane: Plane, zone_id: ZoneId, operation_id: str, body: LegacyOperationSetting) -> JSONResponse:
    """Set an operation's own action; null takes it away."""
    return _on_top(set_operation_setting(plane, zone_id, operation_id, body.mitigation_action))


def _on_top(result: dict[str, Any]) -> JSONResponse:
    """SDKs read these answers from the outermost object, other clients from `result`: both find them."""
    return success(result, **result)


def _override(override: Override) -> str | None:
    return None if override in {None, CLEAR_OVERRIDE} else override


def _passes(key: OperationKey, hosts: list[str], methods: list[str], endpoint: str | None) -> bool:
    return (
        (not hosts or key.host in hosts)
        and (not methods or key.method in methods)
        and (endpoint is None or endpoint.lower() in key.endpoint.lower())
    )


def _legacy_json(row: Schema, *, omit_source: bool = False) -> dict[str, Any]:
    rendered = schema_json(row, omit_source=omit_source)
    if omit_source:
        del rendered["source"]
    return rendered
