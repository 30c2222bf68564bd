"""The owner's rules on path templates."""

from __future__ import annotations

from typing import Literal, cast

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from hauberk.errors import InvalidRequest, NotFound
from hauberk.storage.discovery_tables import OwnerTemplateRule
from hauberk.template_rule import TemplateRule

# Each path is compared with each rule of its host.
MAX_RULES = 5000


def template_rules_of(zone_id: str) -> Select[OwnerTemplateRule]:
    """Select a zone's rules, the oldest first."""
    query = select(OwnerTemplateRule).where(OwnerTemplateRule.zone_id == zone_id)
    return query.order_by(OwnerTemplateRule.created_at, OwnerTemplateRule.id)


def template_rules(session: Session, zone_id: str) -> list[TemplateRule]:
    """List a zone's rules as values."""
    return [as_rule(row) for row in session.scalars(template_rules_of(zone_id))]


def add_template_rule(session: Session, zone_id: str, rule: TemplateRule) -> OwnerTemplateRule:
    """
    Add a rule; if it is there already, that one is given.

    Raises:
        InvalidRequest: If the zone has as many as it may have.
    """
    same = template_rules_of(zone_id).where(OwnerTemplateRule.host == rule.host, OwnerTemplateRule.endpoint == rule.endpoint)
    for row in session.scalars(same):
        if as_rule(row) == rule:
            return row
    count = session.scalar(select(func.count()).select_from(OwnerTemplateRule).where(OwnerTemplateRule.zone_id == zone_id)) or 0
    if count >= MAX_RULES:
        raise InvalidRequest(f"the zone has {MAX_RULES} rules on templates, which is the most: delete some first")
    row = OwnerTemplateRule(
        zone_id=zone_id, kind=rule.kind, host=rule.host, method=rule.method, endpoint=rule.endpoint, segment=rule.segment
    )
    session.add(row)
    session.flush()
    return row


def find_template_rule(session: Session, zone_id: str, rule_id: str) -> OwnerTemplateRule:
    """
    Find a rule.

    Raises:
        NotFound: If the zone has none of this id.
    """
    row = session.get(OwnerTemplateRule, rule_id.lower()) if "\0" not in rule_id else None
    if row is None or row.zone_id != zone_id:
        raise NotFound(f"the zone has no template rule '{rule_id[:64]}'")
    return row


def rules_on(session: Session, zone_id: str, host: str, method: str | None, endpoint: str) -> list[OwnerTemplateRule]:
    """List the rules on exactly this template."""
    query = template_rules_of(zone_id).where(
        OwnerTemplateRule.host == host,
        OwnerTemplateRule.endpoint == endpoint,
        OwnerTemplateRule.method.is_(None) if method is None else OwnerTemplateRule.method == method,
    )
    return list(session.scalars(query))


def as_rule(row: OwnerTemplateRule) -> TemplateRule:
    """Give a stored rule as a value."""
    return TemplateRule(cast(Literal["pin", "split"], row.kind), row.host, row.method, row.endpoint, row.segment)
