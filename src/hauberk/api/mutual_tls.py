"""Mutual TLS of hosts: of which authorities certificates are asked for, and the rule that demands one, changed together. Our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.client_certificates import iso
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.hostname_associations import exact_name_in, name_in
from hauberk.api.paging import PageQuery, info
from hauberk.api.rule_bodies import Text
from hauberk.api.rulesets import DryRun
from hauberk.certificate_demand import RuleReach, demand
from hauberk.errors import InvalidRequest
from hauberk.expression import tree_of
from hauberk.mitigation import RuleAction
from hauberk.operation import METHODS
from hauberk.rule import MAX_EXPRESSION_CHARACTERS, RuleDefinition, check_expression, mutual_tls_expression, mutual_tls_ref
from hauberk.storage.authorities import authorities_by_host, set_authorities_of_host
from hauberk.storage.kept_rules import drop_rule, keep_rule, kept_rules
from hauberk.storage.models import CertificateAuthority, Host, Rule
from hauberk.storage.rulesets import find_entrypoint, rules_of

own = APIRouter(prefix="/zones/{zone_id}/mutual-tls", tags=["mutual TLS"], dependencies=[Owner])

MAX_HOSTS = 100
MAX_VALUES = 100
MAX_DESCRIPTION = 1024

HostText = Annotated[str, Field(max_length=253)]
AuthorityIds = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)]


class DemandRule(BaseModel):
    """The rule that is kept for a host."""

    model_config = ConfigDict(extra="forbid")

    action: RuleAction
    expression: Text = Field(min_length=1, max_length=MAX_EXPRESSION_CHARACTERS)
    description: Text = Field("", max_length=MAX_DESCRIPTION)
    enabled: StrictBool = True


class HostSettings(BaseModel):
    """What a host is to have; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    authorities: AuthorityIds | None = Field(None, description="Ids of the authorities whose certificates are asked for; [] asks for none")
    rule: DemandRule | None = Field(None, description="The rule that demands one; null deletes the kept one")


class MutualTls(BaseModel):
    """Hosts to change together."""

    model_config = ConfigDict(extra="forbid")

    hosts: dict[HostText, HostSettings] = Field(min_length=1, max_length=MAX_HOSTS)


class Requirement(BaseModel):
    """Hosts that are to demand certificates."""

    model_config = ConfigDict(extra="forbid")

    hosts: list[HostText] = Field(min_length=1, max_length=MAX_HOSTS, description="Whole names, no wildcards")
    action: Literal["block", "log"] = Field("block", description="What becomes of callers without a good certificate")
    methods: list[Annotated[str, Field(max_length=16)]] = Field([], max_length=MAX_VALUES, description="Only these methods; []: all")
    paths: list[Annotated[Text, Field(max_length=2048, pattern="^/")]] = Field(
        [], max_length=MAX_VALUES, description="Only exactly these paths; []: all"
    )
    authorities: AuthorityIds | None = Field(
        None, description="Authorities to ask for, beside those associated already; left out: the managed one where none is"
    )


@own.get("")
def list_mutual_tls(
    plane: Plane,
    zone_id: ZoneId,
    page: PageQuery,
    host: Annotated[list[HostText] | None, Query(description="Only these hosts")] = None,
) -> JSONResponse:
    """
    List hosts by name with the authorities whose certificates they ask for, and whether rules demand one (`none`, `part`, `all`).

    Hosts are those of the zone and those that an association or a kept rule names. `demand` follows from all enabled rules, whoever
    wrote them; `rule` is the one that is kept for the host.
    """
    with plane.database.read() as session:
        zone_of(session, zone_id)
        served = set(session.scalars(select(Host.name).where(Host.zone_id == zone_id)))
        known = served | set(authorities_by_host(session, zone_id)) | set(kept_rules(session, zone_id, mutual_tls_ref("")))
        names = sorted(known & {name.lower() for name in host} if host is not None else known)
        on_page = names[page.offset : page.offset + page.per_page]
        rows = _rows(session, zone_id, on_page)
    return success(rows, result_info=info(page, len(rows), len(names)))


@own.get("/recorded")
def get_recorded(
    plane: Plane,
    zone_id: ZoneId,
    host: Annotated[list[HostText], Query(min_length=1, max_length=MAX_HOSTS, description="These hosts of the zone")],
    method: Annotated[list[str] | None, Query(max_length=MAX_VALUES, description="Only these methods")] = None,
    path: Annotated[list[str] | None, Query(max_length=MAX_VALUES, description="Only exactly these paths")] = None,
    hours: Annotated[int, Query(ge=1, le=24 * 31, description="How far back to look")] = 24,
) -> JSONResponse:
    """
    Count the recorded requests to hosts, and those without a certificate that is verified and not revoked: `require` would refuse these.

    Where traffic is sampled the counts are estimated from `recorded` requests. A host that asks for no certificate is shown none.
    """
    with plane.database.read() as session:
        zone_name = zone_of(session, zone_id).name
    names = [name_in(zone_name, name, "host", "/host") for name in host]
    at = datetime.now(UTC)
    rows = plane.traffic.without_certificate(names, method or [], path or [], at - timedelta(hours=hours), at)
    nothing = {"recorded": 0, "requests": 0, "without_certificate": 0}
    found = {row["host"]: row for row in rows}
    return success([{"host": name, **nothing, **found.get(name, {})} for name in names])


@own.post("/require")
def require_mutual_tls(plane: Plane, zone_id: ZoneId, body: Requirement, dry_run: DryRun = False) -> JSONResponse:
    """
    Have hosts demand a client certificate that is verified and not revoked: associations and rules in one change.

    The rule of a host is kept under the ref `hauberk_mtls_HOST`, before all others; one that is there is brought in line. With `dry_run`
    the answer is what would be, and nothing is changed. `before` is what `PUT …/mutual-tls` takes to go back.
    """
    unknown = sorted({method for method in body.methods if method not in METHODS})
    if unknown:
        raise InvalidRequest(f"methods must be some of {', '.join(METHODS)}", pointer="/methods")
    with plane.database.write() as session:
        zone_name = zone_of(session, zone_id).name
        names = list(dict.fromkeys(exact_name_in(zone_name, name, f"hosts[{at}]", f"/hosts/{at}") for at, name in enumerate(body.hosts)))
        associated = authorities_by_host(session, zone_id)
        wanted: dict[str, HostSettings] = {}
        for name in names:
            present = [authority.id for authority in associated.get(name, [])]
            added = body.authorities if body.authorities is not None else [] if present else [plane.authority_id]
            wanted[name] = HostSettings(
                authorities=list(dict.fromkeys([*present, *added])),
                rule=DemandRule(
                    action=RuleAction(body.action),
                    expression=mutual_tls_expression(name, body.methods, body.paths),
                    description=_describe(name, body),
                ),
            )
        if not any(settings.authorities for settings in wanted.values()):
            raise InvalidRequest("authorities must name one: without any no certificate is asked for", pointer="/authorities")
        result = _set(session, zone_id, wanted)
        if dry_run:
            session.rollback()
    return success(result)


@own.put("")
def put_mutual_tls(plane: Plane, zone_id: ZoneId, body: MutualTls, dry_run: DryRun = False) -> JSONResponse:
    """Set what hosts ask for and demand, all in one change; hosts that are not named stay. `before` in the result leads back."""
    with plane.database.write() as session:
        zone_name = zone_of(session, zone_id).name
        wanted = {name_in(zone_name, name, "hosts", f"/hosts/{name}"): settings for name, settings in body.hosts.items()}
        result = _set(session, zone_id, wanted)
        if dry_run:
            session.rollback()
    return success(result)


def _set(session: Session, zone_id: str, wanted: Mapping[str, HostSettings]) -> dict[str, Any]:
    names = list(wanted)
    rules = kept_rules(session, zone_id, mutual_tls_ref(""))
    associated = authorities_by_host(session, zone_id)
    before = {
        name: {"authorities": [authority.id for authority in associated.get(name, [])], "rule": _plain(rules.get(name))} for name in names
    }
    # The last one comes to stand first, so the first host's goes last.
    for name in reversed(names):
        settings = wanted[name]
        if settings.authorities is not None:
            set_authorities_of_host(session, zone_id, name, settings.authorities)
        if settings.rule is not None:
            exact_name_in(zone_of(session, zone_id).name, name, "hosts", "/hosts")
            check_expression(settings.rule.expression, f"/hosts/{name}/rule/expression")
            definition = RuleDefinition(
                settings.rule.action,
                settings.rule.expression,
                settings.rule.description,
                settings.rule.enabled,
                mutual_tls_ref(name),
            )
            keep_rule(session, zone_id, definition, mutual_tls_ref(""), "first")
        elif "rule" in settings.model_fields_set:
            drop_rule(session, zone_id, mutual_tls_ref(name))
    session.flush()
    return {"hosts": _rows(session, zone_id, names), "before": {"hosts": before}}


def _rows(session: Session, zone_id: str, names: Sequence[str]) -> list[dict[str, Any]]:
    served = set(session.scalars(select(Host.name).where(Host.zone_id == zone_id)))
    associated = authorities_by_host(session, zone_id)
    kept = kept_rules(session, zone_id, mutual_tls_ref(""))
    ruleset = find_entrypoint(session, zone_id)
    enabled = [rule for rule in (rules_of(session, ruleset) if ruleset is not None else []) if rule.enabled]
    reach = [RuleReach(rule.id, RuleAction(rule.action), tree_of(rule.expression)) for rule in enabled]
    rows = []
    for name in names:
        found = demand(reach, name)
        rows.append(
            {
                "host": name,
                "served": name in served or f"*.{name.partition('.')[2]}" in served,
                "authorities": [_authority(authority) for authority in associated.get(name, [])],
                "demand": found.extent,
                "action": found.action,
                "rule_ids": list(found.rule_ids),
                "rule": _kept(kept.get(name)),
            }
        )
    return rows


def _authority(authority: CertificateAuthority) -> dict[str, Any]:
    return {"id": authority.id, "name": authority.name, "managed": authority.managed, "expires_on": iso(authority.expires_on)}


def _plain(rule: Rule | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    return {"action": rule.action, "expression": rule.expression, "description": rule.description, "enabled": rule.enabled}


def _kept(rule: Rule | None) -> dict[str, Any] | None:
    plain = _plain(rule)
    return None if rule is None or plain is None else {"id": rule.id, "ref": rule.ref, **plain}


def _describe(host: str, body: Requirement) -> str:
    verb = "requires" if body.action == "block" else "logs callers without"
    limits = [", ".join(values) for values in (body.methods, body.paths) if values]
    text = f"{host} {verb} a client certificate that is verified and not revoked" + (f" ({'; '.join(limits)})" if limits else "")
    return text if len(text) <= MAX_DESCRIPTION else text[: MAX_DESCRIPTION - 1] + "…"
