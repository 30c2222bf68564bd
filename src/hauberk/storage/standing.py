"""How a zone stands, counted: which of its operations are protected and how, host by host, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from hauberk.certificate_demand import Extent, RuleReach, demand
from hauberk.expression import tree_of
from hauberk.mitigation import RuleAction
from hauberk.rule import ENFORCED_PHASE
from hauberk.storage.alert_tables import DriftAlert
from hauberk.storage.count_tables import EventCount
from hauberk.storage.discovery_tables import DiscoveredOperation
from hauberk.storage.events import HOUR
from hauberk.storage.learning_tables import AppliedSchema, OperationLearning
from hauberk.storage.models import (
    ClientCertificate,
    Host,
    HostnameAssociation,
    Operation,
    OperationMetric,
    Rule,
    Ruleset,
    Schema,
    SecurityEvent,
    Zone,
    now,
)
from hauberk.storage.request_counts import requests_by_host
from hauberk.storage.schemas import schemas_in_force
from hauberk.todo import EXPIRING, QUIET_DAYS, Standing


@dataclass(frozen=True)
class Gateways:
    """How many gateways are in which state."""

    all: int
    refused: int
    lost: int
    behind: int


@dataclass(frozen=True)
class ProtectedOperation:
    """A saved operation, and what is done about requests that violate its schema."""

    operation_id: str
    host: str
    action: str | None
    """`none`, `log` or `block`; `None` without a schema in force."""
    since: datetime | None
    """When the schema came into force, or was uploaded."""


@dataclass(frozen=True)
class HostProtection:
    """What is asked of callers of a host, and how many of its operations are judged."""

    host: str
    associated: bool
    """The gateway asks for a client certificate."""
    demanded: Extent
    """Of which requests rules refuse those without one."""
    operations: int
    with_schema: int
    logging: int
    blocking: int


def protected_operations(session: Session, zone: Zone) -> list[ProtectedOperation]:
    """Tell for each operation of a zone what its schema does."""
    uploaded = schemas_in_force(session, zone.id)
    uploaded_at: dict[str, datetime] = {}
    if uploaded:
        uploaded_at = {
            row.schema_id: row.created_at
            for row in session.execute(select(Schema.schema_id, Schema.created_at).where(Schema.zone_id == zone.id))
        }
    columns = (Operation.operation_id, Operation.method, Operation.host, Operation.endpoint, Operation.mitigation_action)
    query = select(*columns, AppliedSchema.applied_at).outerjoin(AppliedSchema, AppliedSchema.operation_id == Operation.operation_id)
    found = []
    for id_, method, host, endpoint, own, applied_at in session.execute(query.where(Operation.zone_id == zone.id)):
        schema = uploaded.get((method, host, endpoint))
        since = applied_at if schema is None else uploaded_at[schema[0]]
        action = None if since is None else zone.override_action or own or zone.default_action
        found.append(ProtectedOperation(id_, host, action, since))
    return found


def host_protection(session: Session, zone: Zone, operations: Iterable[ProtectedOperation]) -> list[HostProtection]:
    """Tell for each host of a zone how it is protected, by name."""
    names = list(session.scalars(select(Host.name).where(Host.zone_id == zone.id).order_by(Host.name)))
    associated = set(session.scalars(select(HostnameAssociation.hostname).where(HostnameAssociation.zone_id == zone.id)))
    rules = _enabled_rules(session, zone)
    by_host: dict[str, list[ProtectedOperation]] = {}
    for operation in operations:
        by_host.setdefault(operation.host.lower(), []).append(operation)
    told = []
    for name in names:
        own = [one for pattern, ones in by_host.items() if _serves(name, pattern) for one in ones]
        actions = [one.action for one in own if one.action is not None]
        counts = (len(own), len(actions), actions.count("log"), actions.count("block"))
        demanded = demand(rules, name)
        extent = demanded.extent if name in associated and demanded.action is RuleAction.BLOCK else "none"
        told.append(HostProtection(name, name in associated, extent, *counts))
    return told


def standing_of(session: Session, zone: Zone, gateways: Gateways) -> Standing:
    """Count what there is to do."""
    at = now()
    day_ago = int((at - timedelta(days=1)).timestamp())
    operations = protected_operations(session, zone)
    hosts = host_protection(session, zone, operations)
    logging = [one for one in operations if one.action == "log"]
    expiring = (ClientCertificate.status == "active", ClientCertificate.expires_on > at, ClientCertificate.expires_on < at + EXPIRING)
    return Standing(
        hosts=len(hosts),
        gateways=gateways.all,
        gateways_refusing=gateways.refused,
        gateways_lost=gateways.lost,
        gateways_behind=gateways.behind,
        requests=sum(tally["requests"] for tally in requests_by_host(session, zone.id, day_ago, int(at.timestamp()) + 1).values()),
        unassociated_hosts=tuple(host.host for host in hosts if not host.associated),
        undemanding_hosts=tuple(host.host for host in hosts if host.associated and host.demanded == "none"),
        candidates=_count(session, DiscoveredOperation.zone_id == zone.id, DiscoveredOperation.state == "review"),
        operations=len(operations),
        learned=_learned_and_not_in_force(session, zone),
        quiet=len(_quiet(session, zone, logging, at - timedelta(days=QUIET_DAYS))),
        loud=len(_loud(session, zone, logging, day_ago)),
        certificates_expiring=_count(session, ClientCertificate.zone_id == zone.id, *expiring),
        drift_alerts=_count(session, DriftAlert.zone_id == zone.id, DriftAlert.acknowledged_at.is_(None)),
    )


def _learned_and_not_in_force(session: Session, zone: Zone) -> int:
    uploaded = schemas_in_force(session, zone.id)
    query = (
        select(Operation.method, Operation.host, Operation.endpoint)
        .join(OperationLearning, OperationLearning.operation_id == Operation.operation_id)
        .outerjoin(AppliedSchema, AppliedSchema.operation_id == Operation.operation_id)
        .where(Operation.zone_id == zone.id, OperationLearning.last_version > 0)
        # What the owner has gone back from is not offered again.
        .where(AppliedSchema.version.is_(None) | ((AppliedSchema.version < OperationLearning.last_version) & ~AppliedSchema.rolled_back))
    )
    return sum(tuple(row) not in uploaded for row in session.execute(query))


def _quiet(session: Session, zone: Zone, logging: Sequence[ProtectedOperation], since: datetime) -> list[str]:
    """Give those of the operations that had requests and no violation since then."""
    old = {one.operation_id for one in logging if one.since is not None and one.since <= since}
    if not old:
        return []
    of_zone = select(Operation.operation_id).where(Operation.zone_id == zone.id)
    called = select(OperationMetric.operation_id).where(
        OperationMetric.operation_id == Operation.operation_id, OperationMetric.hour >= since
    )
    violated = select(SecurityEvent.id).where(SecurityEvent.operation_id == Operation.operation_id, SecurityEvent.occurred_at >= since)
    quiet = old & set(session.scalars(of_zone.where(called.exists(), ~violated.exists())))
    # Events go early when there are too many; their counts tell of those.
    return sorted(quiet - _counted(session, zone, int(since.timestamp()))) if quiet else []


def _loud(session: Session, zone: Zone, logging: Sequence[ProtectedOperation], since: int) -> set[str]:
    return {one.operation_id for one in logging} & _counted(session, zone, since, EventCount.logged > 0) if logging else set()


def _counted(session: Session, zone: Zone, since: int, *more: ColumnElement[bool]) -> set[str]:
    """Give the operations that events were counted of, from the hour of a moment on."""
    of_operations = (EventCount.zone_id == zone.id, EventCount.dimension == "operation", EventCount.hour >= since // HOUR * HOUR)
    return set(session.scalars(select(EventCount.key).where(*of_operations, *more).distinct()))


def _enabled_rules(session: Session, zone: Zone) -> list[RuleReach]:
    query = select(Rule.id, Rule.action, Rule.expression).join(Ruleset, Rule.ruleset_id == Ruleset.id)
    query = query.where(Ruleset.zone_id == zone.id, Ruleset.phase == ENFORCED_PHASE, Rule.enabled).order_by(Rule.position)
    return [RuleReach(id_, RuleAction(action), tree_of(expression)) for id_, action, expression in session.execute(query)]


def _count(session: Session, *conditions: Any) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0


def _serves(host: str, pattern: str) -> bool:
    """Tell whether a host, maybe a wildcard, serves an operation whose host may have variables."""
    labels, wanted = host.split("."), pattern.split(".")
    return len(labels) == len(wanted) and all(
        label in {other, "*"} or (other.startswith("{") and other.endswith("}")) for label, other in zip(labels, wanted, strict=True)
    )
