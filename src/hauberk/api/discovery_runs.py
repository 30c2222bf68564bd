"""Ours: asking discovery to look at the traffic, why it groups paths as it does, and its two ways compared."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from hauberk import operation
from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.candidate import without_port
from hauberk.discovery.comparison import compare
from hauberk.errors import InvalidRequest
from hauberk.storage.candidates import findings_of

own = APIRouter(tags=["discovery"], dependencies=[Owner])

MAX_NAMED = 5000


@own.post("/zones/{zone_id}/discovery/refresh", status_code=202)
def request_refresh(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Ask for a look at the traffic as soon as possible; the answer is the state, as GET tells it."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
    return success(plane.inventory.request(zone_id), status=202)


@own.delete("/zones/{zone_id}/discovery/refresh")
def cancel_refresh(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Cancel a look at the traffic that is under way or asked for; what was found before stays. The answer is the state."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
    return success(plane.inventory.cancel(zone_id))


@own.get("/zones/{zone_id}/discovery/refresh")
def get_refresh(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Tell how the last look at the traffic went, or how far this one is: `idle`, `requested`, `running`, `failed` or `cancelled`."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
    return success(plane.inventory.status(zone_id))


@own.get("/zones/{zone_id}/discovery/explain")
def explain(
    plane: Plane,
    zone_id: ZoneId,
    method: Annotated[str, Query(max_length=16, description="E.g. GET")],
    host: Annotated[str, Query(max_length=operation.MAX_HOST_CHARACTERS, description="The host, as requests name it or as it was found")],
    path: Annotated[str, Query(max_length=operation.MAX_ENDPOINT_CHARACTERS, description="A path, or an endpoint such as /users/{var1}")],
) -> JSONResponse:
    """Tell why a path is grouped into the endpoint it is in, and what that lacks to be a candidate."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
    try:
        method, host = operation.normalise_method(method), operation.normalise_host(without_port(host))
    except ValueError as error:
        raise InvalidRequest(f"the query parameter method or host {error}") from None
    if not path.startswith("/") or "\0" in path:
        raise InvalidRequest("the query parameter path must begin with '/' and hold no null character")
    return success(plane.questions.explain(zone_id, host, method, path))


@own.get("/zones/{zone_id}/discovery/comparison")
def get_comparison(
    plane: Plane,
    zone_id: ZoneId,
    max_operations: Annotated[int, Query(ge=0, le=MAX_NAMED, description="Operations named in each list of each host")] = 100,
) -> JSONResponse:
    """Compare what the classifier finds with what the session identifier shows, host by host, with both histograms."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        comparison = compare(findings_of(session, zone_id))
    return success(comparison.as_json(max_operations=max_operations))
