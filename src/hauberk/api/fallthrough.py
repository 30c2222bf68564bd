"""What becomes of requests to a host that match no saved operation: one rule that is kept for the host, after all others. Our own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.hostname_associations import exact_name_in
from hauberk.api.rulesets import DryRun
from hauberk.mitigation import MitigationAction, RuleAction
from hauberk.rule import RuleDefinition, fallthrough_of_host_expression, fallthrough_ref
from hauberk.storage.kept_rules import drop_rule, keep_rule, kept_rules
from hauberk.storage.models import Host

own = APIRouter(prefix="/zones/{zone_id}/fallthrough", tags=["rules"], dependencies=[Owner])

MAX_HOSTS = 100


class Fallthrough(BaseModel):
    """What is to become of requests outside of saved operations, by host; hosts that are not named stay."""

    model_config = ConfigDict(extra="forbid")

    hosts: dict[Annotated[str, Field(max_length=253)], MitigationAction] = Field(min_length=1, max_length=MAX_HOSTS)


@own.get("")
def get_fallthrough(plane: Plane, zone_id: ZoneId) -> JSONResponse:
    """Tell for each host of the zone what becomes of requests that match no saved operation, as far as kept rules say."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        names = set(session.scalars(select(Host.name).where(Host.zone_id == zone_id)))
        names |= set(kept_rules(session, zone_id, fallthrough_ref("")))
        return success({"hosts": _actions(session, zone_id, names)})


@own.put("")
def put_fallthrough(plane: Plane, zone_id: ZoneId, body: Fallthrough, dry_run: DryRun = False) -> JSONResponse:
    """
    Decide it for hosts, all in one change.

    `block` and `log` keep a rule for the host under the ref `hauberk_fallthrough_HOST`, after all others; `none` deletes it. `before` in
    the result leads back. Save `HEAD` and `OPTIONS` first if browsers call the API.
    """
    with plane.database.write() as session:
        zone_name = zone_of(session, zone_id).name
        wanted = {exact_name_in(zone_name, name, "hosts", f"/hosts/{name}"): action for name, action in body.hosts.items()}
        before = _actions(session, zone_id, wanted)
        for name, action in wanted.items():
            if action is MitigationAction.NONE:
                drop_rule(session, zone_id, fallthrough_ref(name))
                continue
            definition = RuleDefinition(
                RuleAction(action), fallthrough_of_host_expression(name), f"fallthrough of {name}", ref=fallthrough_ref(name)
            )
            keep_rule(session, zone_id, definition, fallthrough_ref(""), "last")
        session.flush()
        rules = kept_rules(session, zone_id, fallthrough_ref(""))
        after = {name: {"action": action, "rule_id": rules[name].id if name in rules else None} for name, action in wanted.items()}
        if dry_run:
            session.rollback()
    return success({"hosts": after, "before": {"hosts": before}})


def _actions(session: Session, zone_id: str, names: Collection[str]) -> dict[str, str]:
    rules = kept_rules(session, zone_id, fallthrough_ref(""))
    enabled = {name: rule.action for name, rule in rules.items() if rule.enabled}
    return {name: enabled.get(name, MitigationAction.NONE.value) for name in sorted(names)}
