"""Ours: how learning stands, for a zone and for each saved operation; asking it to begin, or to begin anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.operations import EndpointPart, Hosts, Methods, operation_filters
from hauberk.api.paging import PageQuery, info, paged_together
from hauberk.config import LearningSettings
from hauberk.learning_state import NO_BODIES, LearningState, told
from hauberk.operation import MAX_HOST_CHARACTERS
from hauberk.storage.applied_schemas import applied_to, hosts_that_apply, set_auto_apply, uploaded_of
from hauberk.storage.learned_versions import newest_versions
from hauberk.storage.learning_runs import count_states, learning_of, relearn, state_of
from hauberk.storage.learning_tables import LearnedVersion, LearningHost, OperationLearning
from hauberk.storage.models import Operation
from hauberk.storage.operations import filter_operations, find_operation, find_operations, operations_of, order_operations
from hauberk.storage.ready_schemas import is_ready, ready_to_apply
from hauberk.storage.schemas import schemas_in_force

own = APIRouter(tags=["learning"], dependencies=[Owner])

States = Annotated[list[LearningState], Query(default_factory=list, description="Only operations in these states")]


class AutoApply(BaseModel):
    """What the owner wants of a host."""

    model_config = ConfigDict(extra="forbid")

    auto_apply: bool = Field(description="Whether learned schemas of its operations are applied by themselves")


@own.get("/zones/{zone_id}/learning")
def get_learning(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Tell what learning is doing (`idle`, `requested`, `running`, `waiting_to_retry`), and how many operations are in each state."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        states = count_states(session, zone_id)
    settings = plane.learning.settings
    limits = {"enabled": settings.enabled, "window_days": settings.window_days, "min_requests": settings.min_requests}
    return success(plane.learning.status(zone_id) | {"states": states, "settings": limits})


@own.post("/zones/{zone_id}/learning/run", status_code=202)
def request_run(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Ask for a run as soon as possible; the answer is the state, as `GET …/learning` tells it."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
    return success(plane.learning.request(zone_id), status=202)


@own.delete("/zones/{zone_id}/learning/run")
def cancel_run(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """
    Cancel the run under way, or one that was asked for; the answer is the state, as `GET …/learning` tells it.

    It ends within some seconds. What it has done in whole steps stays, and the next run goes on from there.
    """
    with plane.database.read() as session:
        zone_of(session, zone_id)
    return success(plane.learning.cancel(zone_id))


@own.get("/zones/{zone_id}/learning/operations")
def list_learning(
    plane: Plane,
    zone_id: ZoneId,
    page: PageQuery,
    host: Hosts,
    method: Methods,
    state: States,
    endpoint: EndpointPart = None,
    ready: Annotated[
        bool | None, Query(description="Only those whose newest learned schema could be applied and is not, or the others")
    ] = None,
) -> JSONResponse:
    """List how learning stands for each saved operation, by host, endpoint and method."""
    query = _in_states(filter_operations(operations_of(zone_id), **operation_filters(host, method, endpoint)), state)
    with plane.database.read() as session:
        zone_of(session, zone_id)
        ordered = order_operations(query, None, descending=False)

        def renderer(rows: Sequence[Operation]) -> Callable[[Operation], dict[str, Any]]:
            return learning_renderer(session, zone_id, rows, plane.learning.settings)

        if ready is None:
            return paged_together(session, ordered, page, renderer)
        waiting = ready_to_apply(session, zone_id)
        ids = [id_ for id_ in session.scalars(ordered.with_only_columns(Operation.operation_id)) if (id_ in waiting) == ready]
        part = find_operations(session, zone_id, ids[page.offset : page.offset + page.per_page])
        return success(list(map(renderer(part), part)), result_info=info(page, len(part), len(ids)))


@own.get("/zones/{zone_id}/learning/operations/{operation_id}")
def get_operation_learning(plane: Plane, zone_id: ZoneId, operation_id: str) -> JSONResponse:
    """Tell how learning stands for one operation."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        row = find_operation(session, zone_id, operation_id)
        return success(learning_renderer(session, zone_id, [row], plane.learning.settings)(row))


@own.post("/zones/{zone_id}/learning/operations/{operation_id}/relearn")
def relearn_operation(plane: Plane, zone_id: ZoneId, operation_id: str) -> JSONResponse:
    """Forget what requests before the present hour have shown, as after a change of the API; versions and what is in force stay."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        row = find_operation(session, zone_id, operation_id)
        relearn(session, row)
        session.flush()
        result = learning_renderer(session, zone_id, [row], plane.learning.settings)(row)
    return success(result)


@own.get("/zones/{zone_id}/learning/hosts")
def list_learning_hosts(plane: Plane, zone_id: ZoneId, page: PageQuery) -> JSONResponse:
    """List the hosts of saved operations, and whether learned schemas are applied there by themselves."""
    hosts = select(Operation.host).where(Operation.zone_id == zone_id)
    chosen = select(LearningHost.host).where(LearningHost.zone_id == zone_id)
    query = hosts.union(chosen).subquery()
    with plane.database.read() as session:
        zone_of(session, zone_id)
        automatic = hosts_that_apply(session, zone_id)
        ordered = select(query.c.host).order_by(query.c.host)
        return paged_together(session, ordered, page, lambda _rows: lambda host: {"host": host, "auto_apply": host in automatic})


@own.put("/zones/{zone_id}/learning/hosts/{host}")
def put_learning_host(plane: Plane, zone_id: ZoneId, host: str, body: AutoApply) -> JSONResponse:
    """
    Say whether learned schemas of a host's operations are applied by themselves. Those that are at hand are applied at once.

    Each refreshed one then takes the place of the one before. Uploaded schemas are unaffected, and so are operations that were rolled back.
    """
    name = host.lower()[:MAX_HOST_CHARACTERS]
    with plane.database.write() as session:
        applied = set_auto_apply(session, zone_of(session, zone_id), name, auto_apply=body.auto_apply)
        result = {"host": name, "auto_apply": body.auto_apply, "applied": [one.as_json() for one in applied]}
    return success(result)


def learning_renderer(
    session: Session, zone_id: str, rows: Sequence[Operation], settings: LearningSettings
) -> Callable[[Operation], dict[str, Any]]:
    """Make what renders how learning stands for these operations."""
    ids = [row.operation_id for row in rows]
    known, newest = learning_of(session, ids), newest_versions(session, ids)
    applied, uploaded = applied_to(session, ids), schemas_in_force(session, zone_id)
    automatic = hosts_that_apply(session, zone_id)

    def render(row: Operation) -> dict[str, Any]:
        learning, version, in_force = known.get(row.operation_id), newest.get(row.operation_id), applied.get(row.operation_id)
        is_uploaded = uploaded_of(uploaded, row) is not None
        return {
            "operation_id": row.operation_id,
            "method": row.method,
            "host": row.host,
            "endpoint": row.endpoint,
            **_standing(learning, settings),
            "newest": version_json(version) if version is not None else None,
            "in_force": "uploaded" if is_uploaded else "learned" if in_force is not None else None,
            "applied_version": in_force.version if in_force is not None else None,
            "rolled_back": in_force is not None and in_force.rolled_back,
            "ready": not is_uploaded and is_ready(version.version if version is not None else None, in_force),
            "auto_apply": row.host in automatic,
            "mitigation_action": row.mitigation_action,
        }

    return render


def version_json(version: LearnedVersion) -> dict[str, Any]:
    """Render a learned version, without what it says."""
    return {
        "version": version.version,
        "schema_id": version.schema_id,
        "created_at": version.created_at.isoformat(),
        "requests": version.requests,
        "samples": version.samples,
        "probability": version.probability,
        "statements": version.statements,
    }


def _standing(row: OperationLearning | None, settings: LearningSettings) -> dict[str, Any]:
    state, requests, error = state_of(row), row.requests if row is not None else 0, row.error if row is not None else None
    return {
        "state": state.value,
        "message": told(state, requests, settings.min_requests, settings.window_days, error),
        "notes": [NO_BODIES] if row is not None and row.bodies_missing else [],
        "requests": requests,
        "samples": row.samples if row is not None else 0,
        "min_requests": settings.min_requests,
        "since": row.since.isoformat() if row is not None and row.since is not None else None,
        "looked_at": row.looked_at.isoformat() if row is not None and row.looked_at is not None else None,
    }


def _in_states(query: Select[Operation], states: Sequence[LearningState]) -> Select[Operation]:
    if not states:
        return query
    outcome = OperationLearning.outcome
    wanted = [outcome.in_([state.value for state in states]), *([outcome.is_(None)] if LearningState.NO_RESULT in states else [])]
    return query.outerjoin(OperationLearning, OperationLearning.operation_id == Operation.operation_id).where(or_(*wanted))
