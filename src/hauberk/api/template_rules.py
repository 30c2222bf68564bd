"""Ours: the owner's rules on path templates. `merge` and `rename` are ways to say pins."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.operations import Endpoint, Method, OperationHost
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.errors import InvalidRequest
from hauberk.operation import is_in_zone
from hauberk.storage.discovery_tables import OwnerTemplateRule
from hauberk.storage.models import Zone
from hauberk.storage.template_rules import add_template_rule, as_rule, find_template_rule, rules_on, template_rules_of
from hauberk.template_rule import TemplateRule, covers, has_variable, merged, segments

own = APIRouter(tags=["discovery"], dependencies=[Owner])

# What each kind of rule is made from, besides its host and method.
_MEMBERS = {"pin": {"endpoint"}, "split": {"endpoint", "segment"}, "merge": {"endpoints"}, "rename": {"endpoint", "to"}}


class NewTemplateRule(BaseModel):
    """A rule to add; `merge` and `rename` are kept as the pins they come to."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["pin", "split", "merge", "rename"] = Field(
        description="`pin`: this template is one operation; `split`: a segment holds words, not values; `merge`: these are one operation; "
        "`rename`: this template is to be said differently"
    )
    host: OperationHost
    method: Method | None = Field(None, description="Left out: all methods")
    endpoint: Endpoint | None = Field(None, description="The template; all but for merge")
    segment: int | None = Field(None, ge=0, le=128, strict=True, description="For split: which segment, from 0 at the left")
    endpoints: Annotated[list[Endpoint], Field(min_length=2, max_length=100)] | None = Field(None, description="For merge")
    to: Endpoint | None = Field(None, description="For rename: the other template")

    @model_validator(mode="after")
    def _members_fit(self) -> Self:
        wanted = _MEMBERS[self.kind]
        given = {name for name in ("endpoint", "segment", "endpoints", "to") if getattr(self, name) is not None}
        if given != wanted:
            raise ValueError(f"kind {self.kind} needs {' and '.join(sorted(wanted))}, and nothing else besides host and method")
        return self


@own.get("/zones/{zone_id}/discovery/templates")
def list_template_rules(plane: Plane, zone_id: ZoneId, page: PageQuery) -> JSONResponse:
    """List the owner's rules on path templates, the oldest first."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_rows(session, template_rules_of(zone_id), page, rule_json)


@own.post("/zones/{zone_id}/discovery/templates")
def create_template_rule(plane: Plane, zone_id: ZoneId, body: NewTemplateRule) -> JSONResponse:
    """Add a rule on path templates; the next look at the traffic applies it. Saved operations stay as they are."""
    with plane.database.write() as session:
        zone = zone_of(session, zone_id)
        result = rule_json(_add(session, zone, body))
    return success(result)


@own.post("/zones/{zone_id}/discovery/templates/preview")
def preview_template_rule(plane: Plane, zone_id: ZoneId, body: NewTemplateRule) -> JSONResponse:
    """Tell what the next look at the traffic would find differently with a rule, without adding it; it reads recorded traffic."""
    with plane.database.read() as session:
        zone = zone_of(session, zone_id)
        rule = _rule(zone, body)
        replaced = rules_on(session, zone.id, body.host, body.method, body.endpoint or "/") if body.kind == "rename" else []
    return success(plane.questions.preview(zone_id, rule, [as_rule(row) for row in replaced]))


@own.get("/zones/{zone_id}/discovery/templates/{rule_id}")
def get_template_rule(plane: Plane, zone_id: ZoneId, rule_id: str) -> JSONResponse:
    """Show a rule on path templates."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return success(rule_json(find_template_rule(session, zone_id, rule_id)))


@own.delete("/zones/{zone_id}/discovery/templates/{rule_id}")
def delete_template_rule(plane: Plane, zone_id: ZoneId, rule_id: str) -> JSONResponse:
    """Delete a rule on path templates; from the next look at the traffic on, discovery decides again."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        row = find_template_rule(session, zone_id, rule_id)
        session.delete(row)
        result = rule_json(row)
    return success(result)


def rule_json(row: OwnerTemplateRule) -> dict[str, Any]:
    """Render a rule as it is kept."""
    return {
        "id": row.id,
        "kind": row.kind,
        "host": row.host,
        "method": row.method,
        "endpoint": row.endpoint,
        "segment": row.segment,
        "created_at": row.created_at.isoformat(),
    }


def _add(session: Session, zone: Zone, body: NewTemplateRule) -> OwnerTemplateRule:
    rule = _rule(zone, body)
    if body.kind == "rename":  # in place of what is said of the first template
        for row in rules_on(session, zone.id, body.host, body.method, body.endpoint or "/"):
            session.delete(row)
    return add_template_rule(session, zone.id, rule)


def _rule(zone: Zone, body: NewTemplateRule) -> TemplateRule:
    if not is_in_zone(body.host, zone.name):
        raise InvalidRequest(f"the host must be a name at or below the zone '{zone.name}'", pointer="/host")
    match body.kind:
        case "split":
            return _split(body)
        case "rename":
            return _renamed(body)
        case _:
            return TemplateRule("pin", body.host, body.method, _merged(body.endpoints) if body.endpoints else body.endpoint or "/")


def _split(body: NewTemplateRule) -> TemplateRule:
    endpoint = body.endpoint or "/"
    parts = segments(endpoint)
    if body.segment is None or body.segment >= len(parts) or not has_variable(parts[body.segment]):
        variables = ", ".join(str(at) for at, part in enumerate(parts) if has_variable(part))
        which = f"; there are variables at {variables}" if variables else "; this endpoint has none"
        raise InvalidRequest(f"segment must be the place of a variable, counted from 0{which}", pointer="/segment")
    return TemplateRule("split", body.host, body.method, endpoint, body.segment)


def _merged(endpoints: list[str]) -> str:
    try:
        return merged(endpoints)
    except ValueError as error:
        raise InvalidRequest(f"endpoints {error}", pointer="/endpoints") from None


def _renamed(body: NewTemplateRule) -> TemplateRule:
    endpoint, to = body.endpoint or "/", body.to or "/"
    if endpoint == to:
        raise InvalidRequest("to is the same template: variables are always named {var1}, {var2}, … from the left", pointer="/to")
    if not (covers(endpoint, to) or covers(to, endpoint)):
        raise InvalidRequest(f"to must be a template for paths of '{endpoint}': as many segments, with the same words", pointer="/to")
    return TemplateRule("pin", body.host, body.method, to)
