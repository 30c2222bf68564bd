"""Rulesets: the rules of a zone's phase `http_request_firewall_custom`, which is the one that is enforced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.operations import OperationHost
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.api.rule_bodies import AddedRule, RuleChange, RulesetBody
from hauberk.errors import InvalidRequest, NoEntrypoint
from hauberk.mitigation import RuleAction
from hauberk.rule import ENFORCED_PHASE, RuleDefinition, check_expression
from hauberk.rule import fallthrough_expression as write_fallthrough_expression
from hauberk.storage.models import Rule, Ruleset
from hauberk.storage.rulesets import (
    LAST,
    add_rule,
    add_ruleset,
    check_version,
    delete_rule,
    edit_rule,
    find_entrypoint,
    find_ruleset,
    replace_rules,
    rules_of,
)
from hauberk.storage.schemas import host_names

MAX_FALLTHROUGH_HOSTS = 100

zone = APIRouter(tags=["rules"], dependencies=[Owner])


DryRun = Annotated[bool, Query(description="Check the request and change nothing; the result is null")]
IfVersion = Annotated[
    int | None, Query(ge=0, description="Ours: refuse with 409 unless the ruleset is at this version, so that no change of others is lost")
]


class FallthroughHosts(BaseModel):
    """Hosts to write a fallthrough rule for."""

    hosts: list[OperationHost] = Field(min_length=1, max_length=MAX_FALLTHROUGH_HOSTS)


@zone.get("/rulesets")
def list_rulesets(plane: Plane, zone_id: ZoneId, page: PageQuery) -> JSONResponse:
    """List the zone's rulesets, without their rules."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_rows(session, select(Ruleset).where(Ruleset.zone_id == zone_id).order_by(Ruleset.phase), page, _ruleset_json)


@zone.get("/rulesets/phases/{phase}/entrypoint")
def get_entrypoint(plane: Plane, zone_id: ZoneId, phase: str) -> JSONResponse:
    """Show a phase's ruleset; 404 before it is first written."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        ruleset = find_entrypoint(session, zone_id) if phase == ENFORCED_PHASE else None
        if ruleset is None:
            raise NoEntrypoint(
                f'could not find entrypoint ruleset in the "{phase[:64]}" phase: '
                + ("PUT makes it" if phase == ENFORCED_PHASE else f"only {ENFORCED_PHASE} is enforced here")
            )
        return success(_with_rules(ruleset, rules_of(session, ruleset)))


@zone.put("/rulesets/phases/{phase}/entrypoint")
def put_entrypoint(
    plane: Plane, zone_id: ZoneId, phase: str, body: RulesetBody, dry_run: DryRun = False, if_version: IfVersion = None
) -> JSONResponse:
    """Replace a phase's rules; those that carry a present rule's id or ref keep its id."""
    if phase != ENFORCED_PHASE:
        raise InvalidRequest(f"the phase '{phase[:64]}' is not enforced here: only {ENFORCED_PHASE} is")
    with _change(plane, zone_id, dry_run=dry_run) as session:
        ruleset = find_entrypoint(session, zone_id) or add_ruleset(session, zone_id)
        check_version(ruleset, if_version)
        result = _replace(session, ruleset, body)
    return success(None if dry_run else result)


@zone.get("/rulesets/{ruleset_id}")
def get_ruleset(plane: Plane, zone_id: ZoneId, ruleset_id: str) -> JSONResponse:
    """Show a ruleset."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        ruleset = find_ruleset(session, zone_id, ruleset_id)
        return success(_with_rules(ruleset, rules_of(session, ruleset)))


@zone.put("/rulesets/{ruleset_id}")
def put_ruleset(
    plane: Plane, zone_id: ZoneId, ruleset_id: str, body: RulesetBody, dry_run: DryRun = False, if_version: IfVersion = None
) -> JSONResponse:
    """Replace a ruleset's rules; those that carry a present rule's id or ref keep its id."""
    with _change(plane, zone_id, dry_run=dry_run) as session:
        result = _replace(session, find_ruleset(session, zone_id, ruleset_id, if_version), body)
    return success(None if dry_run else result)


@zone.delete("/rulesets/{ruleset_id}", status_code=204)
def delete_ruleset(plane: Plane, zone_id: ZoneId, ruleset_id: str, dry_run: DryRun = False, if_version: IfVersion = None) -> Response:
    """Delete a ruleset with its rules."""
    with _change(plane, zone_id, dry_run=dry_run) as session:
        session.delete(find_ruleset(session, zone_id, ruleset_id, if_version))
        session.flush()
    return Response(status_code=204)


@zone.post("/rulesets/{ruleset_id}/rules")
def create_rule(
    plane: Plane, zone_id: ZoneId, ruleset_id: str, body: AddedRule, dry_run: DryRun = False, if_version: IfVersion = None
) -> JSONResponse:
    """Add a rule; the result is the whole ruleset."""
    definition = body.definition("")
    position = body.position.position() if body.position else LAST
    with _change(plane, zone_id, dry_run=dry_run) as session:
        ruleset = find_ruleset(session, zone_id, ruleset_id, if_version)
        result = _with_rules(ruleset, add_rule(session, ruleset, definition, position))
        session.flush()
    return success(None if dry_run else result)


@zone.patch("/rulesets/{ruleset_id}/rules/{rule_id}")
def update_rule(
    plane: Plane, zone_id: ZoneId, ruleset_id: str, rule_id: str, body: RuleChange, dry_run: DryRun = False, if_version: IfVersion = None
) -> JSONResponse:
    """Change a rule, its place, or both; the result is the whole ruleset."""
    changes = body.changes()
    position = body.position.position() if body.position else None
    with _change(plane, zone_id, dry_run=dry_run) as session:
        ruleset = find_ruleset(session, zone_id, ruleset_id, if_version)
        result = _with_rules(ruleset, edit_rule(session, ruleset, rule_id, changes, position))
        session.flush()
    return success(None if dry_run else result)


@zone.delete("/rulesets/{ruleset_id}/rules/{rule_id}")
def remove_rule(
    plane: Plane, zone_id: ZoneId, ruleset_id: str, rule_id: str, dry_run: DryRun = False, if_version: IfVersion = None
) -> JSONResponse:
    """Delete a rule; the result is the whole ruleset."""
    with _change(plane, zone_id, dry_run=dry_run) as session:
        ruleset = find_ruleset(session, zone_id, ruleset_id, if_version)
        result = _with_rules(ruleset, delete_rule(session, ruleset, rule_id))
        session.flush()
    return success(None if dry_run else result)


@zone.post("/api_gateway/expression-template/fallthrough")
def fallthrough_expression(plane: Plane, zone_id: ZoneId, body: FallthroughHosts) -> JSONResponse:
    """Write the expression of requests to these hosts that match no saved operation, and a title for a rule of it."""
    with plane.database.read() as session:
        names = host_names(session, zone_of(session, zone_id))
    hosts = list(dict.fromkeys(host for index, asked in enumerate(body.hosts) for host in _hosts_meant(asked, names, index)))
    shown = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")
    expression = write_fallthrough_expression(hosts)
    check_expression(expression, "/hosts")  # many long names make one that is too long
    return success({"expression": expression, "title": f"Fallthrough for {shown}"})


@contextmanager
def _change(plane: Plane, zone_id: str, *, dry_run: bool) -> Iterator[Session]:
    with plane.database.write() as session:
        zone_of(session, zone_id)
        yield session
        if dry_run:
            session.rollback()


def _replace(session: Session, ruleset: Ruleset, body: RulesetBody) -> dict[str, Any]:
    if body.phase not in {None, ruleset.phase}:
        raise InvalidRequest(f"the ruleset is of the phase '{ruleset.phase}', which cannot be changed", pointer="/phase")
    if body.name is not None:
        ruleset.name = body.name
    if body.description is not None:
        ruleset.description = body.description
    if body.rules is None:
        # A list left out is not an empty list: the present rules protect something.
        definitions = [_definition_of(rule) for rule in rules_of(session, ruleset)]
    else:
        definitions = [rule.definition(f"/rules/{index}") for index, rule in enumerate(body.rules)]
    rules = replace_rules(session, ruleset, definitions)
    session.flush()
    return _with_rules(ruleset, rules)


def _definition_of(rule: Rule) -> RuleDefinition:
    return RuleDefinition(RuleAction(rule.action), rule.expression, rule.description, rule.enabled, rule.ref, rule.id)


def _hosts_meant(asked: str, names: Sequence[str], index: int) -> list[str]:
    """Find the zone's hosts that a templated name stands for; any other name stands for itself."""
    if "{" not in asked:
        return [asked]
    labels = asked.split(".")
    meant = [
        name
        for name in names
        if len(name.split(".")) == len(labels)
        and all(wanted.startswith("{") or wanted == label for wanted, label in zip(labels, name.split("."), strict=True))
    ]
    if not meant or any(name.startswith("*.") for name in meant):
        reason = "a wildcard host of the zone, whose names cannot be listed" if meant else "no host of the zone"
        raise InvalidRequest(f"the host '{asked}' stands for {reason}: name the hosts themselves", pointer=f"/hosts/{index}")
    return meant


def _ruleset_json(row: Ruleset) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "kind": "zone",
        "phase": row.phase,
        "version": str(row.version),
        "last_updated": row.last_updated.isoformat(),
    }


def _with_rules(row: Ruleset, rules: Sequence[Rule]) -> dict[str, Any]:
    return _ruleset_json(row) | {"rules": [_rule_json(rule) for rule in rules]}


def _rule_json(rule: Rule) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "id": rule.id,
        "version": str(rule.version),
        "action": rule.action,
        "expression": rule.expression,
        "description": rule.description,
        "enabled": rule.enabled,
        "ref": rule.ref,
        "last_updated": rule.last_updated.isoformat(),
    }
    return rendered | ({"action_parameters": rule.action_parameters} if rule.action_parameters is not None else {})
