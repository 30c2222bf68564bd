"""
Saved operations as the list of endpoints shows them: filtered, ordered and counted by the database.

What is in force for an operation follows from several tables. Here that is written once, as SQL, so that thousands of operations can be
narrowed down to a page without being read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, func, literal, select
from sqlalchemy.orm import Session

from hauberk.learning_state import LearningState
from hauberk.mitigation import MitigationAction
from hauberk.storage.alert_tables import DriftAlert
from hauberk.storage.endpoint_tables import OperationLatency, SchemaOperation
from hauberk.storage.learning_tables import AppliedSchema, LearnedVersion, OperationLearning
from hauberk.storage.models import Operation, OperationMetric, Schema, Zone
from hauberk.storage.operation_metrics import hour_of

Order = Literal[
    "endpoint", "method", "host", "requests", "client_errors", "server_errors", "error_share", "p50", "p95", "p99",
    "last_seen", "state", "action",
]  # fmt: skip
LATENCIES = ("p50", "p95", "p99")


class SchemaState(StrEnum):
    """How an operation stands with schemas, from the one that decides most to none."""

    UPLOADED = "uploaded"
    """An uploaded schema is in force."""

    DRIFT = "drift"
    """A learned schema is in force, and requests show something else: an alert about it is open."""

    LEARNED = "learned"
    """A learned schema is in force."""

    NOT_APPLIED = "not_applied"
    """A schema was learned and is not in force."""

    LEARNING = "learning"
    """Requests are counted, and are too few yet."""

    NONE = "none"
    """Nothing is in force, and nothing was learned."""


IN_FORCE = (SchemaState.UPLOADED, SchemaState.DRIFT, SchemaState.LEARNED)


@dataclass(frozen=True)
class EndpointFilter:
    """Which operations are meant; what is empty narrows nothing."""

    search: str | None = None
    """Only those with this text in `METHOD host/endpoint`, in whatever case."""

    hosts: Sequence[str] = ()
    methods: Sequence[str] = ()
    states: Sequence[SchemaState] = ()

    actions: Sequence[MitigationAction] = ()
    """In force, whether it is their own or the zone's."""

    schema_id: str | None = None
    """Only those that this uploaded schema declares."""


def endpoints_of(zone: Zone, wanted: EndpointFilter) -> Select[Operation]:
    """Select the operations that a filter means, in no order yet."""
    query = select(Operation).where(Operation.zone_id == zone.id)
    if wanted.search:
        text = Operation.method + " " + Operation.host + Operation.endpoint
        query = query.where(text.icontains(wanted.search, autoescape=True))
    if wanted.hosts:
        query = query.where(Operation.host.in_(wanted.hosts))
    if wanted.methods:
        query = query.where(Operation.method.in_(wanted.methods))
    if wanted.states:
        query = query.where(state_of_schema(zone.id).in_([state.value for state in wanted.states]))
    if wanted.actions:
        query = query.where(action_in_force(zone).in_([action.value for action in wanted.actions]))
    if wanted.schema_id is not None:
        declared = select(SchemaOperation.operation_id).where(SchemaOperation.schema_id == wanted.schema_id)
        query = query.where(Operation.operation_id.in_(declared))
    return query


def order_endpoints(query: Select[Any], zone: Zone, order: Order, since: datetime, *, descending: bool) -> Select[Any]:
    """
    Order operations, then by host, endpoint and method, so that pages neither repeat nor leave out a row.

    Those of which nothing was counted come last, whichever the direction. Latencies are those of the last 24 hours, whatever `since` is.
    """
    place = [Operation.host.expression, Operation.endpoint.expression, Operation.method.expression]
    if order == "endpoint":
        columns: list[ColumnElement[Any]] = [Operation.endpoint.expression, *place]
    else:
        columns = [_column(zone, order, since), *place]
    first, *rest = columns
    directed = first.desc() if descending else first.asc()
    return query.order_by(directed.nulls_last(), *rest)


def state_of_schema(zone_id: str) -> ColumnElement[str]:
    """Tell the `SchemaState` of an operation, in SQL."""
    id_ = Operation.operation_id
    enabled = (
        select(SchemaOperation.operation_id)
        .join(Schema, Schema.schema_id == SchemaOperation.schema_id)
        .where(Schema.zone_id == zone_id, Schema.validation_enabled)
    )
    drifting = select(DriftAlert.operation_id).where(DriftAlert.zone_id == zone_id, DriftAlert.acknowledged_at.is_(None))
    applied = select(AppliedSchema.operation_id).where(AppliedSchema.operation_id == id_).exists()
    learned = select(LearnedVersion.operation_id).where(LearnedVersion.operation_id == id_).exists()
    learning = select(OperationLearning.operation_id).where(
        OperationLearning.operation_id == id_, OperationLearning.outcome == LearningState.LEARNING.value
    )
    return case(
        (id_.in_(enabled), SchemaState.UPLOADED.value),
        (and_(applied, id_.in_(drifting)), SchemaState.DRIFT.value),
        (applied, SchemaState.LEARNED.value),
        (learned, SchemaState.NOT_APPLIED.value),
        (learning.exists(), SchemaState.LEARNING.value),
        else_=SchemaState.NONE.value,
    )


def action_in_force(zone: Zone) -> ColumnElement[str]:
    """Tell what is done about an operation's violations, in SQL: the zone's override, its own action, or the zone's default."""
    if zone.override_action is not None:
        return literal(zone.override_action)
    return func.coalesce(Operation.mitigation_action, zone.default_action)


def count_by_kind(session: Session, zone: Zone, wanted: EndpointFilter) -> Iterator[tuple[str, str, str, str, int]]:
    """Count operations by host, method, state and action in force."""
    state, action = state_of_schema(zone.id).label("state"), action_in_force(zone).label("action")
    kinds = endpoints_of(zone, wanted).with_only_columns(Operation.host, Operation.method, state, action).subquery().c
    query = select(kinds.host, kinds.method, kinds.state, kinds.action, func.count()).group_by(*kinds)
    yield from session.execute(query)


def states_of(session: Session, zone_id: str, operation_ids: Sequence[str]) -> dict[str, SchemaState]:
    """Tell the states of operations."""
    query = select(Operation.operation_id, state_of_schema(zone_id)).where(Operation.operation_id.in_(operation_ids))
    return {operation_id: SchemaState(state) for operation_id, state in session.execute(query)}


def uploaded_for(session: Session, zone_id: str, operation_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Give id and name of the uploaded schema that is in force for each of these operations that has one: the newest that is enabled."""
    query = (
        select(SchemaOperation.operation_id, Schema.schema_id, Schema.name)
        .join(Schema, Schema.schema_id == SchemaOperation.schema_id)
        .where(SchemaOperation.operation_id.in_(operation_ids), Schema.zone_id == zone_id, Schema.validation_enabled)
        .order_by(Schema.created_at, Schema.schema_id)
    )
    return {operation_id: (schema_id, name) for operation_id, schema_id, name in session.execute(query)}


def open_alerts_of(session: Session, zone_id: str, operation_ids: Sequence[str]) -> dict[str, int]:
    """Count the alerts on drift of operations that nobody has acknowledged."""
    query = (
        select(DriftAlert.operation_id, func.count())
        .where(DriftAlert.zone_id == zone_id, DriftAlert.operation_id.in_(operation_ids), DriftAlert.acknowledged_at.is_(None))
        .group_by(DriftAlert.operation_id)
    )
    return dict(session.execute(query).all())


def _column(zone: Zone, order: Order, since: datetime) -> ColumnElement[Any]:
    if order in LATENCIES:
        return _latency(order)
    plain: dict[str, ColumnElement[Any]] = {"method": Operation.method.expression, "host": Operation.host.expression}
    if order in plain:
        return plain[order]
    if order == "action":
        return _rank(action_in_force(zone), [action.value for action in MitigationAction])
    if order == "state":
        return _rank(state_of_schema(zone.id), [state.value for state in SchemaState])
    errors = OperationMetric.client_errors + OperationMetric.server_errors
    sums: dict[str, ColumnElement[Any]] = {
        "requests": func.coalesce(func.sum(OperationMetric.requests), 0),
        "client_errors": func.coalesce(func.sum(OperationMetric.client_errors), 0),
        "server_errors": func.coalesce(func.sum(OperationMetric.server_errors), 0),
        "error_share": cast(func.sum(errors), Float) / func.sum(OperationMetric.requests),
        "last_seen": func.max(OperationMetric.last_seen),
    }
    # One for each operation: the index on counts then answers without a look at the sketches, and four times as fast as a group of all.
    counted = select(sums[order]).where(OperationMetric.operation_id == Operation.operation_id, OperationMetric.hour >= hour_of(since))
    return counted.correlate(Operation).scalar_subquery()


def _latency(order: Order) -> ColumnElement[Any]:
    column = {"p50": OperationLatency.p50, "p95": OperationLatency.p95, "p99": OperationLatency.p99}[order]
    return select(column).where(OperationLatency.operation_id == Operation.operation_id).correlate(Operation).scalar_subquery()


def _rank(value: ColumnElement[str], names: Sequence[str]) -> ColumnElement[int]:
    return case({name: rank for rank, name in enumerate(names)}, value=value)
