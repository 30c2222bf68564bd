"""Ours: what a schema would have refused of recorded requests: at once, or in the background with its progress told."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.operations import MAX_OPERATIONS_PER_CALL, operation_filters
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.errors import InvalidRequest
from hauberk.pipeline import ControlPlane
from hauberk.schema_trial import MAX_REQUESTS, Prepared
from hauberk.storage.operations import filter_operations, find_operations, operations_of
from hauberk.storage.schemas import find_schema
from hauberk.storage.trials import find_trial, result_of, trial_json, trials_of

own = APIRouter(tags=["learned schemas"], dependencies=[Owner])


class NewTrial(BaseModel):
    """What is to be tried, and on what."""

    model_config = ConfigDict(extra="forbid")

    operation_ids: list[str] = Field([], max_length=MAX_OPERATIONS_PER_CALL, description="These operations. None, and no hosts: all")
    hosts: list[str] = Field([], max_length=MAX_OPERATIONS_PER_CALL, description="All operations of these hosts")
    schemas: Literal["next", "learned", "in_force"] = Field(
        "next",
        description="Of each operation: the uploaded schema that is in force, else the newest learned one (`next`); the newest `learned` "
        "one alone; or what is `in_force` now",
    )
    schema_id: str | None = Field(None, max_length=36, description="An uploaded schema to try instead, enabled or not")
    source: str | None = Field(None, description="An OpenAPI document to try instead of what would be in force, JSON or YAML")
    version: int | None = Field(None, ge=1, description="The learned version to try, of one operation. Left out: the newest")
    everything: bool = Field(False, description="Count the requests that the schema was learned from as well")
    most: int = Field(100_000, ge=1, le=MAX_REQUESTS, description="Requests that are judged at most, the newest first")


@own.post("/zones/{zone_id}/learning/trial")
def try_schemas(plane: Plane, zone_id: ZoneId, body: NewTrial) -> JSONResponse:
    """
    Tell what schemas would have refused of the recorded requests, rule by rule; nothing is changed.

    Of each operation the uploaded schema that is in force is tried, else the newest learned one. `successful` are requests that were
    answered with 2xx and that the schema was not learned from: those it would have refused are false positives. `others` are all others.
    """
    return success(plane.trials.judge_requests(_prepared(plane, zone_id, body)))


@own.post("/zones/{zone_id}/learning/trials", status_code=202)
def start_trial(plane: Plane, zone_id: ZoneId, body: NewTrial) -> JSONResponse:
    """
    Begin such a trial in the background: one at a time in a zone. Its `id` tells how far it is, and what came of it.

    It takes `learning.trial_seconds` at most; what was judged until then is its result.
    """
    asked = body.model_dump(exclude={"source"}) | {"source": body.source is not None}
    return success(plane.trial_runs.start(zone_id, _prepared(plane, zone_id, body), asked), status=202)


@own.get("/zones/{zone_id}/learning/trials")
def list_trials(plane: Plane, zone_id: ZoneId, page: PageQuery) -> JSONResponse:
    """List the trials of the background that are kept, the newest first, without their results."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_rows(session, trials_of(zone_id), page, trial_json)


@own.get("/zones/{zone_id}/learning/trials/{trial_id}")
def get_trial(plane: Plane, zone_id: ZoneId, trial_id: str) -> JSONResponse:
    """
    Tell how far a trial is: `running`, `done`, `cancelled`, `failed` or `interrupted`; and its `result`, once there is one.

    Of `rows` that were recorded it has read `rows_read`, and judged those that are for its operations.
    """
    with plane.database.read() as session:
        zone_of(session, zone_id)
        run = find_trial(session, zone_id, trial_id)
        return success(trial_json(run) | {"result": result_of(run)})


@own.delete("/zones/{zone_id}/learning/trials/{trial_id}")
def cancel_trial(plane: Plane, zone_id: ZoneId, trial_id: str) -> JSONResponse:
    """Cancel a trial: it ends within a second or two, and what was judged until then is its result."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
    return success(plane.trial_runs.cancel(zone_id, trial_id))


def _prepared(plane: ControlPlane, zone_id: str, body: NewTrial) -> Prepared:
    if body.version is not None and (len(body.operation_ids) != 1 or body.hosts):
        raise InvalidRequest("a version is one operation's: name it alone in operation_ids", pointer="/version")
    if body.source is not None and body.schema_id is not None:
        raise InvalidRequest("name schema_id or source, not both", pointer="/schema_id")
    source: Any = body.source
    with plane.database.read() as session:
        zone_of(session, zone_id)
        if body.schema_id is not None:
            source = find_schema(session, zone_id, body.schema_id).source
        operations = find_operations(session, zone_id, list(dict.fromkeys(id_.lower() for id_ in body.operation_ids)))
        if body.hosts or not body.operation_ids:
            of_hosts = session.scalars(filter_operations(operations_of(zone_id), **operation_filters(body.hosts, (), None)))
            operations = list({one.operation_id: one for one in [*operations, *of_hosts]}.values())
    return plane.trials.prepare(
        zone_id,
        operations,
        schemas=body.schemas,
        source=source.encode(errors="replace") if source is not None else None,
        version=body.version,
        everything=body.everything,
        most=body.most,
    )
