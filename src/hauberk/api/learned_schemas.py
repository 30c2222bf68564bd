"""Learned schemas: what a version says, how it differs from another, and putting one in force; compatible call and ours."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from hauberk.api.applied_messages import messages_about
from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.learning import version_json
from hauberk.api.operations import MAX_OPERATIONS_PER_CALL, Hosts, operation_filters
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.errors import Conflict, InvalidRequest, NotFound
from hauberk.learning.document import documents
from hauberk.learning_state import told
from hauberk.mitigation import MitigationAction
from hauberk.storage.applied_schemas import (
    Actions,
    Standing,
    apply_newest,
    apply_version,
    put_back,
    roll_back,
    standing_of,
    withdraw,
)
from hauberk.storage.learned_versions import content_of, find_version, learned_operations, version_at, versions_of
from hauberk.storage.learning_runs import learning_of, state_of
from hauberk.storage.learning_tables import AppliedSchema
from hauberk.storage.models import Operation
from hauberk.storage.operations import filter_operations, find_operation, find_operations, operations_of

zone = APIRouter(tags=["learned schemas"], dependencies=[Owner])
own = APIRouter(tags=["learned schemas"], dependencies=[Owner])

# What applying to all operations of all hosts has changed can be put back in one call.
MAX_OPERATIONS = 100_000

Action = Literal["none", "log", "block", "keep"]
ActionHelp = (
    "What happens to requests that break it: `none`, `log`, `block`, or `keep` what is set. Left out: an operation without an action of "
    "its own starts with `log`"
)
VersionNumber = Annotated[str, Path(pattern="^(newest|[0-9]{1,9})$", description="Its number, or `newest`")]


class Application(BaseModel):
    """Which operations' newest learned schemas are to be in force."""

    model_config = ConfigDict(extra="forbid")

    operation_ids: list[str] = Field([], max_length=MAX_OPERATIONS_PER_CALL, description="These operations; none: those of the hosts")
    hosts: list[str] = Field([], max_length=MAX_OPERATIONS_PER_CALL, description="All operations of these hosts")
    mitigation_action: Action | None = Field(None, description=ActionHelp)


class RollBack(BaseModel):
    """Where to go back to."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1, description="A version. Left out: the one that was in force before")


class InForceNow(BaseModel):
    """What is in force for an operation."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1, description="The learned version; null: none. Left out: what is in force stays")
    mitigation_action: MitigationAction | None = Field(description="The operation's own action; null: the zone's default")
    rolled_back: bool = Field(False, description="Whether the owner has gone back to it, so that newer ones are not applied by themselves")

    def standing(self) -> Standing:
        """Give it as it is stored."""
        return Standing(self.version, self.mitigation_action and self.mitigation_action.value, self.rolled_back)


class InForce(InForceNow):
    """What is to be in force for an operation, as `before` of an answer has told it."""

    instead_of: InForceNow | None = Field(None, description="409, and nothing is changed, if something else is in force by now")


InForceById = Annotated[dict[str, InForce], Body(min_length=1, max_length=MAX_OPERATIONS)]


class Version(BaseModel):
    """A learned version."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1, description="Its number. Left out: the newest")
    mitigation_action: Action | None = Field(None, description=ActionHelp)


@zone.put("/api_gateway/operations/{operation_id}/cloudflare_learned_schema")
def put_learned_schema(
    plane: Plane,
    zone_id: ZoneId,
    operation_id: str,
    timestamp: Annotated[
        str | None,
        Query(max_length=64, description="`last_updated` of the feature `parameter_schemas`: what was looked at is applied, or nothing"),
    ] = None,
    mitigation_action: Annotated[Action | None, Query(description=f"{ActionHelp} (ours)")] = None,
) -> JSONResponse:
    """Put the newest learned schema of an operation in force; what came of it is told in `messages`."""
    with plane.database.write() as session:
        row = zone_of(session, zone_id)
        operation = find_operation(session, zone_id, operation_id)
        _must_be_learned(plane, session, operation)
        at = _timestamp(timestamp)
        version = find_version(session, operation.operation_id) if at is None else version_at(session, operation.operation_id, at)
        applied = apply_version(session, row, operation, version, _actions(mitigation_action))
        messages = messages_about(row, [applied])
    return success(None, messages=messages)


@own.post("/zones/{zone_id}/learning/apply")
def apply_many(plane: Plane, zone_id: ZoneId, body: Application) -> JSONResponse:
    """
    Put the newest learned schemas of operations in force, all in one change.

    Each is answered with its `outcome`: `applied`, `unchanged`, `unaffected` (an uploaded schema is in force) or `nothing_learned`.
    """
    if not body.operation_ids and not body.hosts:
        raise InvalidRequest("name operation_ids, hosts or both; nothing was applied", pointer="/operation_ids")
    with plane.database.write() as session:
        row = zone_of(session, zone_id)
        named = find_operations(session, zone_id, list(dict.fromkeys(id_.lower() for id_ in body.operation_ids)))
        of_hosts = filter_operations(operations_of(zone_id), **operation_filters(body.hosts, (), None)) if body.hosts else None
        rows = {one.operation_id: one for one in [*named, *(session.scalars(of_hosts) if of_hosts is not None else ())]}
        applied = apply_newest(session, row, list(rows.values()), _actions(body.mitigation_action))
        result, messages = [one.as_json() for one in applied], messages_about(row, applied)
    return success(result, messages=messages)


@own.put("/zones/{zone_id}/learning/in_force")
def put_in_force(plane: Plane, zone_id: ZoneId, body: InForceById) -> JSONResponse:
    """
    Say what is to be in force, `{operation_id: {"version", "mitigation_action", "rolled_back"}}`, as applying has answered it in `before`.

    All is put back or nothing, and what was there until now is answered as `before`; that sent here is refused where somebody has changed
    what is in force since. Where an uploaded schema is in force, it stays.
    """
    with plane.database.write() as session:
        row = zone_of(session, zone_id)
        wanted = {id_.lower(): one for id_, one in body.items()}
        operations = find_operations(session, zone_id, list(wanted))
        before = standing_of(session, operations)
        if any(one.instead_of is not None and one.instead_of.standing() != before[id_] for id_, one in wanted.items()):
            raise Conflict("what is in force was changed since, so nothing was changed now: look at what is there")
        standing = {
            id_: one.standing()
            if "version" in one.model_fields_set
            else replace(before[id_], mitigation_action=one.standing().mitigation_action)
            for id_, one in wanted.items()
        }
        put_back(session, row, operations, standing)
        after = standing_of(session, operations)
    return success({"before": {id_: asdict(one) | {"instead_of": asdict(after[id_])} for id_, one in before.items()}})


@own.get("/zones/{zone_id}/learning/operations/{operation_id}/versions")
def list_versions(plane: Plane, zone_id: ZoneId, operation_id: str, page: PageQuery) -> JSONResponse:
    """List the learned versions of an operation that are kept, the newest first; `in_force` marks the one that is applied."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        operation = find_operation(session, zone_id, operation_id)
        applied = session.get(AppliedSchema, operation.operation_id)
        in_force = applied.version if applied is not None else None
        query = versions_of(operation.operation_id)
        return paged_rows(session, query, page, lambda row: version_json(row) | {"in_force": row.version == in_force})


@own.get("/zones/{zone_id}/learning/operations/{operation_id}/versions/{version}")
def get_version(plane: Plane, zone_id: ZoneId, operation_id: str, version: VersionNumber) -> JSONResponse:
    """Show a learned version: the operation object with its evidence, all statements with those that are not made yet, the document."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        operation = find_operation(session, zone_id, operation_id)
        row = find_version(session, operation.operation_id, _number(version))
        content = content_of(row)
    told = {"operation": content.operation, "statement_list": content.statements, "document": json.loads(content.document)}
    return success(version_json(row) | told)


@own.post("/zones/{zone_id}/learning/operations/{operation_id}/apply")
def apply_one(plane: Plane, zone_id: ZoneId, operation_id: str, body: Version) -> JSONResponse:
    """Put one learned version of an operation in force."""
    with plane.database.write() as session:
        row = zone_of(session, zone_id)
        operation = find_operation(session, zone_id, operation_id)
        _must_be_learned(plane, session, operation)
        version = find_version(session, operation.operation_id, body.version)
        applied = apply_version(session, row, operation, version, _actions(body.mitigation_action))
        result, messages = applied.as_json(), messages_about(row, [applied])
    return success(result, messages=messages)


@own.post("/zones/{zone_id}/learning/operations/{operation_id}/rollback")
def roll_back_one(plane: Plane, zone_id: ZoneId, operation_id: str, body: RollBack | None = None) -> JSONResponse:
    """Go back to an older learned version. Newer ones are then not applied by themselves, until the owner applies one again."""
    with plane.database.write() as session:
        row = zone_of(session, zone_id)
        operation = find_operation(session, zone_id, operation_id)
        applied = roll_back(session, row, operation, body.version if body is not None else None)
        result, messages = applied.as_json(), messages_about(row, [applied])
    return success(result, messages=messages)


@own.delete("/zones/{zone_id}/learning/operations/{operation_id}/applied")
def withdraw_one(plane: Plane, zone_id: ZoneId, operation_id: str) -> JSONResponse:
    """Take an operation's learned schema out of force; its versions stay, and so does the operation's action."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        operation = find_operation(session, zone_id, operation_id)
        withdraw(session, operation)
    return success({"operation_id": operation.operation_id})


@own.get("/zones/{zone_id}/learning/schemas")
def export_schemas(
    plane: Plane,
    zone_id: ZoneId,
    host: Hosts,
    openapi: Annotated[Literal["3.0.3", "3.1.0"], Query(description="The version of OpenAPI to write")] = "3.0.3",
    evidence: Annotated[bool, Query(description="Write what each statement rests on, as `x-hauberk-evidence`")] = True,
    applied: Annotated[bool, Query(description="The versions in force instead of the newest")] = False,
) -> JSONResponse:
    """Give what was learned as OpenAPI documents, one for each host, which can be edited and uploaded."""
    query = filter_operations(operations_of(zone_id), **operation_filters(host, (), None))
    with plane.database.read() as session:
        zone_of(session, zone_id)
        learned = learned_operations(session, session.scalars(query).all(), applied=applied)
    written = documents(learned, version=openapi, evidence=evidence)
    return success([{"host": name, "document": document} for name, document in written])


def _must_be_learned(plane: Plane, session: Session, operation: Operation) -> None:
    """Say how far learning is, where there is no version yet."""
    if session.scalars(versions_of(operation.operation_id).limit(1)).first() is not None:
        return
    row, settings = learning_of(session, [operation.operation_id]).get(operation.operation_id), plane.learning.settings
    requests, error = (row.requests, row.error) if row is not None else (0, None)
    state = told(state_of(row), requests, settings.min_requests, settings.window_days, error)
    raise NotFound(f"no schema was learned of this operation yet. {state}")


def _actions(asked: Action | None) -> Actions:
    return Actions(keep=True) if asked == "keep" else Actions(MitigationAction(asked) if asked is not None else None)


def _timestamp(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        # The sign of an offset is a blank where a client has not encoded it.
        time = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise InvalidRequest(
            "the query parameter timestamp must be a time in ISO 8601, as parameter_schemas.last_updated tells it"
        ) from None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _number(version: str) -> int | None:
    return None if version == "newest" else int(version)
