"""What was found in the traffic: listed, put aside, taken back. Saving is done by saving the operation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.operations import MAX_OPERATIONS_PER_CALL, EndpointPart, Hosts, Methods, operation_filters, traffic_stats
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.candidate import State
from hauberk.discovery.openapi import Listed, documents
from hauberk.operation import OperationKey
from hauberk.storage.candidates import (
    CandidateOrder,
    candidates_of,
    filter_candidates,
    order_candidates,
    origins_of,
    set_states,
)
from hauberk.storage.discovery_tables import DiscoveredOperation
from hauberk.storage.models import now

zone = APIRouter(tags=["discovery"], dependencies=[Owner])

Diff = Annotated[bool, Query(description="Only those that are not saved")]
OriginQuery = Annotated[
    Literal["ML", "SessionIdentifier", "LabelDiscovery"] | None,
    Query(description="Only those this way finds; by labels nothing is found here"),
]


class StateChange(BaseModel):
    """Where a candidate is to be put."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["review", "ignored"] = Field(description="`saved` is set by saving the operation, not here")


StateChanges = Annotated[dict[str, StateChange], Body(min_length=1, max_length=MAX_OPERATIONS_PER_CALL)]


@zone.get("/api_gateway/discovery")
def get_discovery(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Give what was found and not ignored as OpenAPI documents, one for each host."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        query = filter_candidates(candidates_of(zone_id), states=[State.REVIEW, State.SAVED])
        columns = (DiscoveredOperation.method, DiscoveredOperation.host, DiscoveredOperation.endpoint)
        keys = [OperationKey(*row) for row in session.execute(query.with_only_columns(*columns))]
    listed = (Listed(key, {}) for key in keys)
    return success({"schemas": documents(listed, title="Discovered on"), "timestamp": now().isoformat()})


@zone.get("/api_gateway/discovery/operations")
def list_discovered(
    plane: Plane,
    zone_id: ZoneId,
    page: PageQuery,
    host: Hosts,
    method: Methods,
    order: Annotated[CandidateOrder | None, Query(description="Column to order by")] = None,
    direction: Annotated[Literal["asc", "desc"], Query(description="Direction of the order")] = "asc",
    endpoint: EndpointPart = None,
    origin: OriginQuery = None,
    state: Annotated[State | None, Query(description="Only those in this state")] = None,
    diff: Diff = False,
) -> JSONResponse:
    """List discovered operations, by host, endpoint and method unless ordered otherwise."""
    query = filter_candidates(
        candidates_of(zone_id),
        **operation_filters(host, method, endpoint),
        origin=origin,
        states=[state] if state is not None else (),
        not_saved=diff,
    )
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_rows(session, order_candidates(query, order, descending=direction == "desc"), page, discovered_json)


@zone.patch("/api_gateway/discovery/operations")
def edit_discovered(plane: Plane, zone_id: ZoneId, body: StateChanges) -> JSONResponse:
    """Ignore discovered operations or take them back, `{id: {"state": "ignored" | "review"}}`; all are changed or none."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        set_states(session, zone_id, {id_: State(change.state) for id_, change in body.items()})
    return success({id_: {"state": change.state} for id_, change in body.items()})


@zone.patch("/api_gateway/discovery/operations/{discovered_id}")
def edit_one_discovered(plane: Plane, zone_id: ZoneId, discovered_id: str, body: StateChange) -> JSONResponse:
    """Ignore one discovered operation, or take it back."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        set_states(session, zone_id, {discovered_id: State(body.state)})
    return success({"state": body.state})


def discovered_json(row: DiscoveredOperation) -> dict[str, Any]:
    """Render a candidate. Members after `features` are ours."""
    return {
        "id": row.id,
        "method": row.method,
        "host": row.host,
        "endpoint": row.endpoint,
        "last_updated": row.last_updated.isoformat(),
        "origin": origins_of(row),
        "state": row.state,
        "features": {"traffic_stats": traffic_stats(row)},
        "requests": row.requests,
        "score": row.score,
        "distinct_paths": row.distinct_paths,
        "first_seen": row.first_seen and row.first_seen.isoformat(),
        "last_seen": row.last_seen and row.last_seen.isoformat(),
        "examples": row.examples,
    }
