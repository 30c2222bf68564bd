"""Ours: the rules of learned schemas that owners relax."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.errors import Conflict
from hauberk.pipeline import ControlPlane
from hauberk.relaxation import relax_rules
from hauberk.storage.alert_tables import RelaxedRule
from hauberk.storage.models import Operation
from hauberk.storage.operations import find_operation, operations_of
from hauberk.storage.relaxed_rules import MAX_RULES, restore

own = APIRouter(tags=["learned schemas"], dependencies=[Owner])

RuleText = Annotated[str, Field(min_length=1, max_length=4096)]


class Rules(BaseModel):
    """Rules to relax."""

    model_config = ConfigDict(extra="forbid")

    rules: list[RuleText] = Field(min_length=1, max_length=MAX_RULES, description="As a trial names them: `query/page maximum`")


@own.get("/zones/{zone_id}/learning/relaxed")
def list_relaxed(
    plane: Plane,
    zone_id: ZoneId,
    page: PageQuery,
    operation_id: Annotated[str | None, Query(max_length=36, description="Only this operation's")] = None,
) -> JSONResponse:
    """List the rules that are relaxed, by operation, the oldest first."""
    query = select(RelaxedRule, Operation).join(Operation, Operation.operation_id == RelaxedRule.operation_id)
    query = query.where(Operation.zone_id == zone_id, RelaxedRule.because.is_(None))
    if operation_id is not None:
        query = query.where(Operation.operation_id == operation_id.lower())
    query = query.order_by(Operation.host, Operation.endpoint, Operation.method, RelaxedRule.relaxed_at, RelaxedRule.rule)
    with plane.database.read() as session:
        zone_of(session, zone_id)
        rows = query.with_only_columns(RelaxedRule)
        operations = {one.operation_id: one for one in session.scalars(operations_of(zone_id))}
        return paged_rows(session, rows, page, lambda row: relaxed_json(row, operations[row.operation_id]))


@own.post("/zones/{zone_id}/learning/operations/{operation_id}/relaxed")
def relax(plane: Plane, zone_id: ZoneId, operation_id: str, body: Rules) -> JSONResponse:
    """
    Relax rules of an operation's learned schema: they are not learned any more, and at once a version without them follows.

    It follows the version that is in force, and takes its place; where none is in force, the newest.
    """
    with plane.database.write() as session:
        zone = zone_of(session, zone_id)
        operation = find_operation(session, zone_id, operation_id)
        result = relax_rules(session, zone, operation, body.rules, _parts(plane).write, plane.settings.learning.keep_versions)
    return success(result)


@own.delete("/zones/{zone_id}/learning/operations/{operation_id}/relaxed")
def take_back(
    plane: Plane, zone_id: ZoneId, operation_id: str, rule: Annotated[str, Query(min_length=1, max_length=4096, description="The rule")]
) -> JSONResponse:
    """Take it back that a rule was relaxed: the next run, which is asked for, learns it again; what is in force stays until then."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        operation = find_operation(session, zone_id, operation_id)
        restore(session, operation.operation_id, rule)
    with contextlib.suppress(Conflict):  # learning may be switched off
        plane.learning.request(zone_id)
    return success({"operation_id": operation.operation_id, "rule": rule})


def relaxed_json(row: RelaxedRule, operation: Operation) -> dict[str, Any]:
    """Render a relaxed rule."""
    named = {"operation_id": row.operation_id, "method": operation.method, "host": operation.host, "endpoint": operation.endpoint}
    return named | {"rule": row.rule, "relaxed_at": row.relaxed_at.isoformat()}


def _parts(plane: ControlPlane) -> Any:
    if plane.learning.parts is None:
        raise Conflict("this control plane cannot learn")
    return plane.learning.parts
