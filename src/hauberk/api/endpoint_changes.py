"""Ours: many saved operations changed at once, those named or all that a filter means; each answer tells how to go back."""

from __future__ import annotations

from collections import defaultdict
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
from hauberk.errors import Conflict
from hauberk.mitigation import MitigationAction
from hauberk.operation import MAX_ENDPOINT_CHARACTERS
from hauberk.storage.applied_schemas import applied_to
from hauberk.storage.endpoints import EndpointFilter, SchemaState, endpoints_of
from hauberk.storage.models import Operation, Zone
from hauberk.storage.operations import delete_operations, find_operations, own_actions, save_operations, set_actions

own = APIRouter(tags=["endpoints"], dependencies=[Owner])

MAX_OPERATIONS = 50_000
INSTEAD_OF = (
    "409, and nothing is changed, if one has another own action by now, or, to be deleted, a learned schema in force; "
    "left out: whatever it has"
)
CHANGED_SINCE = "an operation was changed since, so nothing was changed now: look at what is there"

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
    instead_of: MitigationAction | None = Field(None, description=INSTEAD_OF)

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.operation_ids is None) == (self.matching is None):
            raise ValueError("name operation_ids or matching, one of the two; nothing was changed")
        return self

    def rows(self, session: Session, zone: Zone) -> list[Operation]:
        """
        Find them.

        Raises:
            NotFound: If one that is named is not there.
            Conflict: If one has another action than the caller thinks.
        """
        if self.matching is not None:
            rows = list(session.scalars(endpoints_of(zone, self.matching.filter())))
        else:
            rows = find_operations(session, zone.id, list(dict.fromkeys(id_.lower() for id_ in self.operation_ids or ())))
        if "instead_of" in self.model_fields_set and any(row.mitigation_action != self.instead_of for row in rows):
            raise Conflict(CHANGED_SINCE)
        return rows


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
    only_new: bool = Field(False, description="Leave those that are saved already as they are")


@own.post("/zones/{zone_id}/endpoints/actions")
def change_actions(plane: Plane, zone_id: ZoneId, body: ActionChanges) -> JSONResponse:
    """
    Set the own actions of operations, all or none; `before`, sent here again, takes it back, unless somebody has changed one since: 409.

    All selections are looked up before anything is changed.
    """
    with plane.database.write() as session:
        zone = zone_of(session, zone_id)
        wanted = {row: change.mitigation_action for change in body.changes for row in change.rows(session, zone)}
        changed = {row: action for row, action in wanted.items() if row.mitigation_action != action}
        before = defaultdict(list)
        for row, action in changed.items():
            before[row.mitigation_action, action].append(row.operation_id)
            row.mitigation_action = action and action.value
    changes = [{"mitigation_action": old, "instead_of": new, "operation_ids": ids} for (old, new), ids in before.items()]
    return success({"changed": len(changed), "unchanged": len(wanted) - len(changed), "before": {"changes": changes} if changes else None})


@own.post("/zones/{zone_id}/endpoints/delete")
def delete_endpoints(plane: Plane, zone_id: ZoneId, body: Selection) -> JSONResponse:
    """
    Delete operations and all that was learned and counted of them, all or none.

    `before`, sent to `POST …/endpoints`, saves them again with the actions they had; what was learned has to be learned again.
    """
    with plane.database.write() as session:
        rows = body.rows(session, zone_of(session, zone_id))
        if "instead_of" in body.model_fields_set and applied_to(session, [row.operation_id for row in rows]):
            raise Conflict(CHANGED_SINCE)
        before = [_saved_json(row) for row in rows]
        delete_operations(session, [row.operation_id for row in rows])
    return success({"deleted": len(before), "before": {"operations": before, "only_new": True} if before else None})


@own.post("/zones/{zone_id}/endpoints")
def save_endpoints(plane: Plane, zone_id: ZoneId, body: SavedOperations) -> JSONResponse:
    """Save operations with their own actions, all or none; those that are saved already get the action named here, or stay."""
    wanted = {item.key.operation_id(zone_id): item for item in body.operations}
    with plane.database.write() as session:
        zone_of(session, zone_id)
        stay = own_actions(session, zone_id, wanted) if body.only_new else {}
        changed = {id_: item for id_, item in wanted.items() if id_ not in stay}
        save_operations(session, zone_id, [item.key for item in changed.values()])
        set_actions(session, zone_id, {id_: item.mitigation_action for id_, item in changed.items()})
        rows = find_operations(session, zone_id, list(wanted))
        result = [operation_json(row) | {"mitigation_action": row.mitigation_action} for row in rows]
    return success(result)


def _saved_json(row: Operation) -> dict[str, Any]:
    return {"method": row.method, "host": row.host, "endpoint": row.endpoint, "mitigation_action": row.mitigation_action}
