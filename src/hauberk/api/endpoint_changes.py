"""Ours: many saved operations changed at once, those named or all that a filter means; each answer tells how to go back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any, Self

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.endpoints import SCHEMA_HELP, SEARCH_HELP, endpoint_filter
from hauberk.api.envelope import success
from hauberk.api.operations import NewOperation, operation_json
from hauberk.mitigation import MitigationAction
from hauberk.operation import MAX_ENDPOINT_CHARACTERS
from hauberk.storage.endpoints import EndpointFilter, SchemaState, endpoints_of
from hauberk.storage.models import Operation, Zone
from hauberk.storage.operations import delete_operations, find_operations, save_operations, set_actions

own = APIRouter(tags=["endpoints"], dependencies=[Owner])

MAX_OPERATIONS = 50_000

Texts = Annotated[list[str], Field(max_length=5000)]


class Matching(BaseModel):
    """Which operations are meant, as the list of endpoints filters; without members all of the zone."""

    model_config = ConfigDict(extra="forbid")

    search: str | None = Field(None, max_length=MAX_ENDPOINT_CHARACTERS, description=SEARCH_HELP)
    host: Texts = Field([], description="Only these hosts")
    method: Texts = Field([], description="Only these methods")
    state: list[SchemaState] = Field([], description="Only operations in these states of their schema")
    action: list[MitigationAction] = Field([], description="Only where this happens to violations, own or the zone's")
    schema_: str | None = Field(None, alias="schema", max_length=64, description=SCHEMA_HELP)

    def filter(self) -> EndpointFilter:
        """Give it in the spelling that is saved."""
        return endpoint_filter(self.host, self.method, self.search, self.state, self.action, self.schema_)


class Selection(BaseModel):
    """Operations by id, or all that match; one of the two."""

    model_config = ConfigDict(extra="forbid")

    operation_ids: list[Annotated[str, Field(max_length=64)]] | None = Field(
        None, max_length=MAX_OPERATIONS, description="These; all of them are there or nothing is changed"
    )
    matching: Matching | None = Field(None, description="All that match")

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.operation_ids is None) == (self.matching is None):
            raise ValueError("name operation_ids or matching, one of the two; nothing was changed")
        return self

    def rows(self, session: Session, zone: Zone) -> list[Operation]:
        """Find them."""
        if self.matching is not None:
            return list(session.scalars(endpoints_of(zone, self.matching.filter())))
        return find_operations(session, zone.id, list(dict.fromkeys(id_.lower() for id_ in self.operation_ids or ())))


class ActionChange(Selection):
    """What is to happen to requests that break the schema of some operations."""

    mitigation_action: MitigationAction | None = Field(description="Their own action; null: the zone's default applies")


class ActionChanges(BaseModel):
    """Changes that are made together."""

    model_config = ConfigDict(extra="forbid")

    changes: list[ActionChange] = Field(min_length=1, max_length=16, description="Each operation at most once, else the last one counts")


class SavedOperation(NewOperation):
    """An operation to save, with its own action."""

    mitigation_action: MitigationAction | None = Field(None, description="Its own action; null: the zone's default applies")


class SavedOperations(BaseModel):
    """Operations to save."""

    model_config = ConfigDict(extra="forbid")

    operations: list[SavedOperation] = Field(min_length=1, max_length=MAX_OPERATIONS)


@own.post("/zones/{zone_id}/endpoints/actions")
def change_actions(plane: Plane, zone_id: ZoneId, body: ActionChanges) -> JSONResponse:
    """
    Set the own actions of operations, all or none; `before`, sent here again, takes it back.

    All selections are looked up before anything is changed.
    """
    with plane.database.write() as session:
        zone = zone_of(session, zone_id)
        wanted = {row: change.mitigation_action for change in body.changes for row in change.rows(session, zone)}
        before = defaultdict(list)
        for row, action in wanted.items():
            if row.mitigation_action != action:
                before[row.mitigation_action].append(row.operation_id)
        changed = {row.operation_id: action for row, action in wanted.items() if row.mitigation_action != action}
        set_actions(session, zone_id, changed)
    changes = [{"mitigation_action": action, "operation_ids": ids} for action, ids in before.items()]
    return success({"changed": len(changed), "unchanged": len(wanted) - len(changed), "before": {"changes": changes} if changes else None})


@own.post("/zones/{zone_id}/endpoints/delete")
def delete_endpoints(plane: Plane, zone_id: ZoneId, body: Selection) -> JSONResponse:
    """
    Delete operations and all that was learned and counted of them, all or none.

    `before`, sent to `POST …/endpoints`, saves them again with the actions they had; what was learned has to be learned again.
    """
    with plane.database.write() as session:
        rows = body.rows(session, zone_of(session, zone_id))
        before = [_saved_json(row) for row in rows]
        delete_operations(session, rows)
    return success({"deleted": len(before), "before": {"operations": before} if before else None})


@own.post("/zones/{zone_id}/endpoints")
def save_endpoints(plane: Plane, zone_id: ZoneId, body: SavedOperations) -> JSONResponse:
    """Save operations with their own actions, all or none; those that are saved already get the action named here."""
    actions = {item.key: item.mitigation_action for item in body.operations}
    with plane.database.write() as session:
        zone_of(session, zone_id)
        rows = save_operations(session, zone_id, actions)
        set_actions(session, zone_id, {row.operation_id: action for row, action in zip(rows, actions.values(), strict=True)})
        result: Sequence[dict[str, Any]] = [operation_json(row) | {"mitigation_action": row.mitigation_action} for row in rows]
    return success(result)


def _saved_json(row: Operation) -> dict[str, Any]:
    return {"method": row.method, "host": row.host, "endpoint": row.endpoint, "mitigation_action": row.mitigation_action}
