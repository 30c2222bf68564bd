"""Saved operations: the gate to everything that is enforced per operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Body, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy.orm import Session

from hauberk import operation
from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.paging import PageQuery, paged_together
from hauberk.api.schema_fragment import operation_fragment
from hauberk.errors import InvalidRequest
from hauberk.operation import METHODS, OperationKey, is_in_zone
from hauberk.schema import OUTSIDE_ZONE
from hauberk.storage.applied_schemas import applied_to, uploaded_of
from hauberk.storage.candidates import PERIOD, counted
from hauberk.storage.discovery_tables import DiscoveredOperation
from hauberk.storage.learned_versions import content_of, fragment_of, newest_versions
from hauberk.storage.learning_tables import AppliedSchema, LearnedVersion
from hauberk.storage.models import Operation, Schema
from hauberk.storage.operations import (
    Order,
    delete_operations,
    filter_operations,
    find_operation,
    find_operations,
    operations_of,
    order_operations,
    save_operations,
)
from hauberk.storage.schemas import find_schema, schemas_in_force, schemas_of

MAX_OPERATIONS_PER_CALL = 5000
FEATURES = ("thresholds", "parameter_schemas", "schema_info", "confidence_intervals", "api_routing", "traffic_stats")
FEATURE_HELP = (
    "Add features: thresholds, parameter_schemas, schema_info, confidence_intervals, traffic_stats (ours); those not known yet are left out"
)

# Features that tell of learned schemas.
_LEARNED = frozenset({"parameter_schemas", "schema_info"})

zone = APIRouter(tags=["operations"], dependencies=[Owner])

Method = Annotated[str, Field(max_length=16), AfterValidator(operation.normalise_method)]
OperationHost = Annotated[str, Field(max_length=operation.MAX_HOST_CHARACTERS), AfterValidator(operation.normalise_host)]
Endpoint = Annotated[str, Field(max_length=operation.MAX_ENDPOINT_CHARACTERS), AfterValidator(operation.normalise_endpoint)]
Features = Annotated[list[str], Query(default_factory=list, description=FEATURE_HELP)]
Hosts = Annotated[list[str], Query(default_factory=list, description="Only these hosts")]
Methods = Annotated[list[str], Query(default_factory=list, description="Only these methods")]
EndpointPart = Annotated[
    str | None, Query(max_length=operation.MAX_ENDPOINT_CHARACTERS, description="Only endpoints that contain this text")
]


class NewOperation(BaseModel):
    """An operation to save. Members that only answers have, such as `operation_id`, are ignored."""

    method: Method = Field(description=f"One of {', '.join(METHODS)}")
    host: OperationHost = Field(description="Host name without a port; a label may be a variable: {hostVar1}.example.com")
    endpoint: Endpoint = Field(description="Path template, such as /users/{id}; variables are renamed {var1}, {var2}, … from the left")

    @property
    def key(self) -> OperationKey:
        """The three that make the operation."""
        return OperationKey(self.method, self.host, self.endpoint)


class OperationReference(BaseModel):
    """An operation by its id."""

    operation_id: str = Field(min_length=1, max_length=64)


@zone.get("/api_gateway/operations")
def list_operations(
    plane: Plane,
    zone_id: ZoneId,
    page: PageQuery,
    host: Hosts,
    method: Methods,
    feature: Features,
    order: Annotated[
        str | None, Query(pattern=r"^(method|host|endpoint|thresholds\.[a-z0-9_$]{1,64})$", description="Column to order by")
    ] = None,
    direction: Annotated[Literal["asc", "desc"], Query(description="Direction of the order")] = "asc",
    endpoint: EndpointPart = None,
) -> JSONResponse:
    """List saved operations, by host, endpoint and method unless ordered otherwise."""
    # Thresholds are ordered by once there are any; until then every operation has the same, none.
    column = cast(Order, order) if order in {"method", "host", "endpoint"} else None
    query = filter_operations(operations_of(zone_id), **operation_filters(host, method, endpoint))
    with plane.database.read() as session:
        zone_of(session, zone_id)
        features = asked_features(feature)
        ordered = order_operations(query, column, descending=direction == "desc")
        return paged_together(session, ordered, page, lambda rows: operation_renderer(session, zone_id, features, rows))


@zone.post("/api_gateway/operations")
def create_operations(
    plane: Plane, zone_id: ZoneId, body: Annotated[list[NewOperation], Body(min_length=1, max_length=MAX_OPERATIONS_PER_CALL)]
) -> JSONResponse:
    """Save operations; one that is saved already is answered with a newer `last_updated`. All are saved or none."""
    return _save(plane, zone_id, [item.key for item in body], lambda rows: [operation_json(row) for row in rows])


@zone.post("/api_gateway/operations/item")
def create_operation(plane: Plane, zone_id: ZoneId, body: NewOperation) -> JSONResponse:
    """Save one operation; if it is saved already, the answer is the one there is, with a newer `last_updated`."""
    return _save(plane, zone_id, [body.key], lambda rows: operation_json(rows[0]))


@zone.delete("/api_gateway/operations")
def delete_many_operations(
    plane: Plane, zone_id: ZoneId, body: Annotated[list[OperationReference] | None, Body(max_length=MAX_OPERATIONS_PER_CALL)] = None
) -> JSONResponse:
    """Delete the operations named in the body, `[{"operation_id": …}]`. Without a body nothing is deleted, and 400 is the answer."""
    if not body:
        raise InvalidRequest('name the operations to delete in the body, [{"operation_id": "…"}]; nothing was deleted', pointer="")
    with plane.database.write() as session:
        zone_of(session, zone_id)
        ids = list(dict.fromkeys(reference.operation_id.lower() for reference in body))
        delete_operations(session, [row.operation_id for row in find_operations(session, zone_id, ids)])
    return success(None)


@zone.get("/api_gateway/operations/{operation_id}")
def get_operation(
    plane: Plane,
    zone_id: ZoneId,
    operation_id: str,
    feature: Features,
    with_schemas: Annotated[
        bool, Query(description="Add `schemas`: what the uploaded and the learned one say of parameters and body")
    ] = False,
) -> JSONResponse:
    """Show a saved operation."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        row = find_operation(session, zone_id, operation_id)
        result = operation_renderer(session, zone_id, asked_features(feature), [row])(row)
        if with_schemas:
            result["schemas"] = _schemas(session, row)
    return success(result)


@zone.delete("/api_gateway/operations/{operation_id}")
def delete_operation(plane: Plane, zone_id: ZoneId, operation_id: str) -> JSONResponse:
    """Delete a saved operation, and with it all that was learned of it."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        delete_operations(session, [find_operation(session, zone_id, operation_id).operation_id])
    return success(None)


def operation_json(row: Operation) -> dict[str, Any]:
    """Render an operation without features."""
    return {
        "operation_id": row.operation_id,
        "method": row.method,
        "host": row.host,
        "endpoint": row.endpoint,
        "last_updated": row.last_updated.isoformat(),
    }


def operation_renderer(
    session: Session, zone_id: str, features: Sequence[str], rows: Sequence[Operation]
) -> Callable[[Operation], dict[str, Any]]:
    """Make what renders these operations with the features asked for; what it needs is read once, here."""
    if not features:
        return operation_json
    ids = [row.operation_id for row in rows]
    learned = newest_versions(session, ids, with_content="parameter_schemas" in features) if _LEARNED & set(features) else {}
    schema_info = _schema_info_renderer(session, zone_id, ids, learned) if "schema_info" in features else None
    traffic = counted(session, zone_id, ids) if "traffic_stats" in features else {}

    def render(row: Operation) -> dict[str, Any]:
        known: dict[str, Any] = {}
        if schema_info is not None:
            known["schema_info"] = schema_info(row)
        if "parameter_schemas" in features and row.operation_id in learned:
            known["parameter_schemas"] = parameter_schemas(learned[row.operation_id])
        if row.operation_id in traffic:
            known["traffic_stats"] = traffic_stats(traffic[row.operation_id])
        return operation_json(row) | {"features": known}

    return render


def traffic_stats(row: DiscoveredOperation) -> dict[str, Any]:
    """Render the mean number of successful requests in a period, over the window that discovery looked at."""
    return {
        "period_seconds": int(PERIOD.total_seconds()),
        "requests": row.requests_per_period,
        "last_updated": row.counted_at.isoformat(),
    }


def operation_filters(host: Sequence[str], method: Sequence[str], endpoint: str | None) -> dict[str, Any]:
    """Read the filters of lists of operations, in the spelling that is saved."""
    if endpoint is not None and "\0" in endpoint:
        raise InvalidRequest("the query parameter endpoint must not hold a null character")
    return {
        "hosts": [_saved_spelling(name) for name in split_values(host, "host")],
        "methods": [name.upper() for name in split_values(method, "method")],
        "endpoint": endpoint,
    }


def _saved_spelling(host: str) -> str:
    try:
        return operation.normalise_host(host)
    except ValueError:
        return host  # no host, so none is found


def asked_features(feature: Sequence[str]) -> list[str]:
    """
    Read the query parameter `feature`.

    Raises:
        InvalidRequest: If one is unknown.
    """
    features = split_values(feature, "feature")
    for name in features:
        if name not in FEATURES:
            raise InvalidRequest(f"the query parameter feature must be one of {', '.join(FEATURES)}")
    return features


def split_values(values: Sequence[str], parameter: str) -> list[str]:
    """
    Read a repeatable query parameter; a comma list counts as repetition.

    Raises:
        InvalidRequest: If it has too many values, or one with a null character.
    """
    parts = [part.strip() for value in values for part in value.split(",")]
    if len(parts) > MAX_OPERATIONS_PER_CALL or any("\0" in part for part in parts):
        raise InvalidRequest(f"the query parameter {parameter} must not hold null characters or more than {MAX_OPERATIONS_PER_CALL} values")
    return [part for part in parts if part]


def _save(plane: Plane, zone_id: str, keys: Sequence[OperationKey], render: Callable[[list[Operation]], Any]) -> JSONResponse:
    with plane.database.write() as session:
        name = zone_of(session, zone_id).name
        result = render(find_operations(session, zone_id, save_operations(session, zone_id, keys)))
    outside = sorted({key.host for key in keys if not is_in_zone(key.host, name)})
    messages = [
        {"code": OUTSIDE_ZONE, "message": f"the host '{host}' is not in the zone '{name}': no request to it is matched here"}
        for host in outside
    ]
    return success(result, messages=messages)


def parameter_schemas(version: LearnedVersion) -> dict[str, Any]:
    """Render what was learned; `last_updated` names the version to whom applies it. The body, which SDKs do not model, stands beside."""
    fragment = fragment_of(content_of(version).operation)
    return {"last_updated": version.created_at.isoformat(), "parameter_schemas": {**fragment, "responses": None}}


def _schema_info_renderer(
    session: Session, zone_id: str, ids: Sequence[str], learned: Mapping[str, LearnedVersion]
) -> Callable[[Operation], dict[str, Any]]:
    in_force, applied = schemas_in_force(session, zone_id), applied_to(session, ids)
    enabled = schemas_of(zone_id, validation_enabled=True, with_source=False, with_operations=False)
    schemas = {row.schema_id: row for row in session.scalars(enabled)}

    def render(row: Operation) -> dict[str, Any]:
        found = uploaded_of(in_force, row)
        return {
            "active_schema": _active_schema(schemas[found[0]] if found is not None else applied.get(row.operation_id)),
            "learned_available": row.operation_id in learned,
            "mitigation_action": row.mitigation_action,
        }

    return render


def _active_schema(row: Schema | AppliedSchema | None) -> dict[str, Any] | None:
    if row is None:
        return None
    is_learned = isinstance(row, AppliedSchema)
    created_at = row.applied_at if isinstance(row, AppliedSchema) else row.created_at
    return {"id": row.schema_id, "created_at": created_at.isoformat(), "is_learned": is_learned, "name": row.name}


def _schemas(session: Session, row: Operation) -> dict[str, Any]:
    found = uploaded_of(schemas_in_force(session, row.zone_id), row)
    version = newest_versions(session, [row.operation_id], with_content=True).get(row.operation_id)
    schemas: dict[str, Any] = {"learned": fragment_of(content_of(version).operation)} if version is not None else {}
    if found is not None:
        schemas["uploaded"] = operation_fragment(find_schema(session, row.zone_id, found[0]).source, row.method, found[1])
    return schemas
