"""Ours: looking candidates through: all filters, counts, their traffic over time, why they score so, many moved at once and moved back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hauberk import operation
from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.discovery import discovered_json
from hauberk.api.envelope import success
from hauberk.api.operations import EndpointPart, Hosts, Methods, operation_filters
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.candidate import State
from hauberk.errors import InvalidRequest
from hauberk.storage.candidates import candidates_of
from hauberk.storage.discovery_runs import status_json
from hauberk.storage.discovery_tables import DiscoveredOperation, DiscoveryRun
from hauberk.storage.review import (
    Filters,
    ReviewOrder,
    count_places,
    count_states,
    find_candidate,
    move_back,
    move_candidates,
    order_review,
)

own = APIRouter(tags=["discovery"], dependencies=[Owner])

MAX_NAMED = 10_000

KEPT = 330
"""Message: operations that were saved by a change stay, since somebody works with them."""

Prefix = Annotated[str | None, Query(max_length=operation.MAX_ENDPOINT_CHARACTERS, description="Only endpoints that begin with this")]
OriginName = Literal["ML", "SessionIdentifier"]
OriginQuery = Annotated[OriginName | None, Query(description="Only those this way finds, whether or not the other does, too")]
LeastScore = Annotated[float | None, Query(ge=0, le=1, description="Only those with at least this score")]
MostScore = Annotated[float | None, Query(ge=0, le=1, description="Only those with at most this score")]


class Meant(BaseModel):
    """Which candidates a change is for; what is left out does not narrow."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["review", "ignored"] | None = Field(None, description="Only those in this state")
    host: list[str] = Field([], max_length=1000, description="Only these hosts")
    method: list[str] = Field([], max_length=100, description="Only these methods")
    endpoint: str | None = Field(None, max_length=operation.MAX_ENDPOINT_CHARACTERS, description="Only endpoints that contain this text")
    prefix: str | None = Field(None, max_length=operation.MAX_ENDPOINT_CHARACTERS, description="Only endpoints that begin with this")
    origin: OriginName | None = Field(None, description="Only those this way finds")
    least_score: float | None = Field(None, ge=0, le=1, description="Only those with at least this score")
    most_score: float | None = Field(None, ge=0, le=1, description="Only those with at most this score")


class Change(BaseModel):
    """A change of many candidates."""

    model_config = ConfigDict(extra="forbid")

    to: Literal["saved", "ignored", "review"] = Field(description="What becomes of them; `saved` saves their operations")
    ids: list[str] | None = Field(None, min_length=1, max_length=MAX_NAMED, description="These")
    filters: Meant | None = Field(None, description="Or all that these filters leave; `{}` is all")

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.ids is None) == (self.filters is None):
            raise ValueError("name either ids or filters")
        return self


@own.get("/zones/{zone_id}/discovery/candidates")
def list_candidates(
    plane: Plane,
    zone_id: ZoneId,
    page: PageQuery,
    host: Hosts,
    method: Methods,
    state: Annotated[State | None, Query(description="Only those in this state")] = None,
    endpoint: EndpointPart = None,
    prefix: Prefix = None,
    origin: OriginQuery = None,
    least_score: LeastScore = None,
    most_score: MostScore = None,
    order: Annotated[ReviewOrder | None, Query(description="Column to order by; what is not known comes last")] = None,
    direction: Annotated[Literal["asc", "desc"], Query(description="Direction of the order")] = "asc",
) -> JSONResponse:
    """List candidates with their traffic over time, by host, endpoint and method unless ordered otherwise."""
    filters = _filters(host, method, endpoint, prefix, origin, least_score, most_score, [state] if state is not None else [])
    query = order_review(filters.narrow(candidates_of(zone_id)), order, descending=direction == "desc")
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_rows(session, query, page, candidate_json)


@own.get("/zones/{zone_id}/discovery/summary")
def get_summary(
    plane: Plane,
    zone_id: ZoneId,
    host: Hosts,
    method: Methods,
    endpoint: EndpointPart = None,
    prefix: Prefix = None,
    origin: OriginQuery = None,
    least_score: LeastScore = None,
    most_score: MostScore = None,
) -> JSONResponse:
    """Count candidates by state, as far as filters leave them; tell hosts, methods, thresholds, and what was found and is no candidate."""
    filters = _filters(host, method, endpoint, prefix, origin, least_score, most_score)
    settings, thresholds = plane.settings.discovery, plane.inventory.thresholds
    with plane.database.read() as session:
        zone_of(session, zone_id)
        counts = count_states(session, zone_id, filters)
        hosts, methods = count_places(session, zone_id)
        run = session.get(DiscoveryRun, zone_id)
        summary = {
            "states": counts,
            "hosts": hosts,
            "methods": methods,
            "thresholds": {
                "window_days": settings.window_days,
                "min_requests": thresholds.min_requests,
                "min_score": thresholds.min_score,
            },
            "below": run.below if run is not None else None,
            "refresh": status_json(run),
        }
    return success(summary)


@own.get("/zones/{zone_id}/discovery/candidates/{candidate_id}")
def get_candidate(plane: Plane, zone_id: ZoneId, candidate_id: str) -> JSONResponse:
    """Show a candidate with its traffic over time."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return success(candidate_json(find_candidate(session, zone_id, candidate_id)))


@own.get("/zones/{zone_id}/discovery/candidates/{candidate_id}/score")
def explain_score(plane: Plane, zone_id: ZoneId, candidate_id: str) -> JSONResponse:
    """Tell why a candidate's requests look like API calls or not: the score without each thing the classifier looks at."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        row = find_candidate(session, zone_id, candidate_id)
    return success(asdict(plane.questions.reasons(row)) | {"min_score": plane.inventory.thresholds.min_score})


@own.post("/zones/{zone_id}/discovery/changes")
def change_candidates(plane: Plane, zone_id: ZoneId, body: Change) -> JSONResponse:
    """Save, ignore or take back many candidates, named or all that filters leave; all or none. The answer's id takes it back."""
    filters = None
    if body.filters is not None:
        meant = body.filters
        states = [State(meant.state)] if meant.state is not None else []
        filters = _filters(
            meant.host, meant.method, meant.endpoint, meant.prefix, meant.origin, meant.least_score, meant.most_score, states
        )
    with plane.database.write() as session:
        zone_of(session, zone_id)
        moved = move_candidates(session, zone_id, State(body.to), filters, body.ids or [])
    return success({"id": moved.id, "to": body.to, "count": moved.count, "skipped": moved.skipped})


@own.delete("/zones/{zone_id}/discovery/changes/{change_id}")
def take_change_back(plane: Plane, zone_id: ZoneId, change_id: str) -> JSONResponse:
    """
    Take a change of many back: those that nobody has moved since become what they were, and operations it saved are deleted.

    An operation that somebody has given an action since, or a learned schema in force, stays saved; `kept` counts these.
    """
    with plane.database.write() as session:
        zone_of(session, zone_id)
        count, kept = move_back(session, zone_id, change_id)
    messages = [{"code": KEPT, "message": f"{kept} stay saved: they have an action or a learned schema in force since"}] if kept else []
    return success({"id": change_id, "count": count, "kept": kept}, messages=messages)


def candidate_json(row: DiscoveredOperation) -> dict[str, Any]:
    """Render a candidate as the compatible API does, with its traffic over time."""
    return discovered_json(row) | {"found_at": row.found_at.isoformat(), "traffic": row.series}


def _filters(
    host: list[str],
    method: list[str],
    endpoint: str | None,
    prefix: str | None,
    origin: str | None,
    least_score: float | None,
    most_score: float | None,
    states: list[State] | None = None,
) -> Filters:
    if prefix is not None and "\0" in prefix:
        raise InvalidRequest("the query parameter prefix must not hold a null character")
    return Filters(
        states=[state.value for state in states or []],
        prefix=prefix,
        origin=origin,
        least_score=least_score,
        most_score=most_score,
        **operation_filters(host, method, endpoint),
    )
