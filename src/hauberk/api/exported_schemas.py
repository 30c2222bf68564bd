"""Saved operations as OpenAPI documents, one for each host."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.operations import Features, Hosts, asked_features, operation_filters, operation_renderer, split_values
from hauberk.discovery.openapi import Listed, documents
from hauberk.errors import InvalidRequest
from hauberk.operation import OperationKey
from hauberk.storage.learned_versions import learned_operations
from hauberk.storage.models import now
from hauberk.storage.operations import filter_operations, operations_of

zone = APIRouter(tags=["operations"], dependencies=[Owner])

EXTENSION = "x-hauberk-features"


@zone.get("/api_gateway/schemas")
def list_schemas(
    plane: Plane,
    zone_id: ZoneId,
    host: Hosts,
    feature: Features,
    include_schema_kind: Annotated[
        list[str], Query(default_factory=list, description="`learned`: add what was learned, where anything was")
    ],
) -> JSONResponse:
    """Give saved operations as OpenAPI documents, one for each host; features asked for stand at each as `x-hauberk-features`."""
    kinds = split_values(include_schema_kind, "include_schema_kind")
    if any(kind != "learned" for kind in kinds):
        raise InvalidRequest("the query parameter include_schema_kind must be learned")
    features = asked_features(feature)
    query = filter_operations(operations_of(zone_id), **operation_filters(host, (), None))
    with plane.database.read() as session:
        zone_of(session, zone_id)
        rows = session.scalars(query).all()
        render = operation_renderer(session, zone_id, features, rows)
        learned = {one.key: one.operation for one in learned_operations(session, rows)} if kinds else {}
        keys = {row.operation_id: OperationKey(row.method, row.host, row.endpoint) for row in rows}
        listed = [
            Listed(
                keys[row.operation_id],
                {**learned.get(keys[row.operation_id], {}), **({EXTENSION: render(row)["features"]} if features else {})},
            )
            for row in rows
        ]
    return success({"schemas": documents(listed, title="Operations of"), "timestamp": now().isoformat()})
