"""Ours: saved operations with their requests, latency, schema and action, a page at a time; how many there are of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.operation_metrics import DEFAULT_WINDOW, Since, render_metrics
from hauberk.api.operations import Hosts, Methods, operation_filters
from hauberk.api.paging import Page, paged_together
from hauberk.config import LearningSettings
from hauberk.errors import InvalidRequest
from hauberk.learning_state import LearningState, told
from hauberk.mitigation import MitigationAction
from hauberk.operation import MAX_ENDPOINT_CHARACTERS
from hauberk.storage.applied_schemas import applied_to
from hauberk.storage.endpoints import (
    IN_FORCE,
    LATENCIES,
    EndpointFilter,
    Order,
    SchemaState,
    count_by_kind,
    endpoints_of,
    open_alerts_of,
    order_endpoints,
    states_of,
    uploaded_for,
)
from hauberk.storage.learned_versions import newest_versions
from hauberk.storage.learning_runs import learning_of, state_of
from hauberk.storage.learning_tables import OperationLearning
from hauberk.storage.models import Operation, Zone, now
from hauberk.storage.operation_metrics import HOUR, hour_of, metrics_of, requests_by_hour
from hauberk.storage.operations import find_operation

own = APIRouter(tags=["endpoints"], dependencies=[Owner])

# Each row brings its hours.
MAX_PER_PAGE = 500
LONGEST = timedelta(days=31)

SEARCH_HELP = "Only operations with this text in `METHOD host/endpoint`, in whatever case"
SCHEMA_HELP = "Only operations that this uploaded schema declares, by its id"


def _filter(
    host: Hosts,
    method: Methods,
    search: Annotated[str | None, Query(max_length=MAX_ENDPOINT_CHARACTERS, description=SEARCH_HELP)] = None,
    state: Annotated[list[SchemaState] | None, Query(description="Only operations in these states of their schema")] = None,
    action: Annotated[list[MitigationAction] | None, Query(description="Only where this happens to violations, own or the zone's")] = None,
    schema: Annotated[str | None, Query(max_length=64, description=SCHEMA_HELP)] = None,
) -> EndpointFilter:
    return endpoint_filter(host, method, search, state or (), action or (), schema)


def endpoint_filter(
    hosts: Sequence[str],
    methods: Sequence[str],
    search: str | None,
    states: Sequence[SchemaState],
    actions: Sequence[MitigationAction],
    schema_id: str | None,
) -> EndpointFilter:
    """
    Read a filter, in the spelling that is saved.

    Raises:
        InvalidRequest: If one of them holds a null character, which no database looks for.
    """
    for name, value in (("search", search), ("schema", schema_id)):
        if value is not None and "\0" in value:
            raise InvalidRequest(f"{name} must not hold a null character")
    known = operation_filters(hosts, methods, None)
    return EndpointFilter(search, known["hosts"], known["methods"], states, actions, schema_id.lower() if schema_id else None)


def _endpoint_page(
    page: Annotated[int, Query(ge=1, le=2**31, description="Page, from 1")] = 1,
    per_page: Annotated[int, Query(ge=1, le=MAX_PER_PAGE, description="Items in a page")] = 50,
) -> Page:
    return Page(page, per_page)


FilterQuery = Annotated[EndpointFilter, Depends(_filter)]
EndpointPage = Annotated[Page, Depends(_endpoint_page)]


@own.get("/zones/{zone_id}/endpoints")
def list_endpoints(
    plane: Plane,
    zone_id: ZoneId,
    page: EndpointPage,
    wanted: FilterQuery,
    order: Annotated[Order, Query(description="What to order by; latencies are those of the last 24 hours")] = "endpoint",
    direction: Annotated[Literal["asc", "desc"], Query(description="Direction of the order")] = "asc",
    since: Since = None,
) -> JSONResponse:
    """
    List saved operations with requests, errors, latency, the state of their schema and the action in force.

    `requests_by_hour` begins with the hour of `since`; the last is the present one.
    """
    begun = _begin(since, order)
    with plane.database.read() as session:
        zone = zone_of(session, zone_id)
        query = order_endpoints(endpoints_of(zone, wanted), zone, order, begun, descending=direction == "desc")
        return paged_together(session, query, page, lambda rows: endpoint_renderer(session, zone, rows, begun, plane.learning.settings))


@own.get("/zones/{zone_id}/endpoints/counts")
def count_endpoints(plane: Plane, zone_id: ZoneId, wanted: FilterQuery) -> JSONResponse:
    """
    Count saved operations by host, method, state and action, as filters offer them.

    The counts of each kind follow from the other filters, not from its own: with `method=GET`, `methods` still tells how many have POST.
    """
    counts: dict[str, Counter[str]] = {"hosts": Counter(), "methods": Counter(), "states": Counter(), "actions": Counter()}
    chosen: dict[str, Sequence[str]] = {
        "hosts": wanted.hosts,
        "methods": wanted.methods,
        "states": wanted.states,
        "actions": wanted.actions,
    }
    total = 0
    with plane.database.read() as session:
        zone = zone_of(session, zone_id)
        unnarrowed = replace(wanted, hosts=(), methods=(), states=(), actions=())
        for *values, count in count_by_kind(session, zone, unnarrowed):
            fits = {name: not chosen[name] or value in chosen[name] for name, value in zip(counts, values, strict=True)}
            for name, value in zip(counts, values, strict=True):
                if all(fits[other] for other in counts if other != name):
                    counts[name][str(value)] += int(count)
            total += count if all(fits.values()) else 0
    return success({"total": total, **{name: dict(sorted(counter.items())) for name, counter in counts.items()}})


@own.get("/zones/{zone_id}/endpoints/{operation_id}")
def get_endpoint(plane: Plane, zone_id: ZoneId, operation_id: str, since: Since = None) -> JSONResponse:
    """Show one saved operation as the list does."""
    begun = _begin(since, "endpoint")
    with plane.database.read() as session:
        zone = zone_of(session, zone_id)
        row = find_operation(session, zone_id, operation_id)
        return success(endpoint_renderer(session, zone, [row], begun, plane.learning.settings)(row))


def endpoint_renderer(
    session: Session, zone: Zone, rows: Sequence[Operation], since: datetime, settings: LearningSettings
) -> Callable[[Operation], dict[str, Any]]:
    """Make what renders these operations; what it needs is read once, here."""
    ids = [row.operation_id for row in rows]
    metrics, by_hour = metrics_of(session, ids, since), requests_by_hour(session, ids, since)
    schema = _schema_renderer(session, zone.id, ids, settings)
    begun = hour_of(since)
    hours = [begun + number * HOUR for number in range((hour_of(now()) - begun) // HOUR + 1)]

    def render(row: Operation) -> dict[str, Any]:
        counted, schema_json = metrics[row.operation_id], schema(row.operation_id)
        errors = counted.client_errors + counted.server_errors
        return {
            "operation_id": row.operation_id,
            "method": row.method,
            "host": row.host,
            "endpoint": row.endpoint,
            "last_updated": row.last_updated.isoformat(),
            **render_metrics(counted),
            "error_share": errors / counted.requests if counted.requests else None,
            "requests_by_hour": [by_hour[row.operation_id].get(hour, 0) for hour in hours],
            "schema": schema_json,
            "action": action_json(zone, row, enforced=schema_json["state"] in IN_FORCE),
        }

    return render


def action_json(zone: Zone, row: Operation, *, enforced: bool) -> dict[str, Any]:
    """Tell what happens to requests that break an operation's schema, who says so, and what it would be without."""
    source = "override" if zone.override_action is not None else "own" if row.mitigation_action is not None else "default"
    return {
        "in_force": zone.override_action or row.mitigation_action or zone.default_action,
        "source": source,
        "own": row.mitigation_action,
        "default": zone.default_action,
        "has_schema": enforced,
    }


def _schema_renderer(session: Session, zone_id: str, ids: Sequence[str], settings: LearningSettings) -> Callable[[str], dict[str, Any]]:
    states, uploaded, alerts = states_of(session, zone_id, ids), uploaded_for(session, zone_id, ids), open_alerts_of(session, zone_id, ids)
    applied, newest, learning = applied_to(session, ids), newest_versions(session, ids), learning_of(session, ids)

    def render(id_: str) -> dict[str, Any]:
        schema_id, name = uploaded.get(id_, (None, None))
        return {
            "state": states[id_].value,
            "uploaded": {"schema_id": schema_id, "name": name} if schema_id is not None else None,
            "applied_version": applied[id_].version if id_ in applied else None,
            "newest_version": newest[id_].version if id_ in newest else None,
            "open_alerts": alerts.get(id_, 0),
            "learning": _learning_json(learning, id_, settings),
        }

    return render


def _learning_json(known: Mapping[str, OperationLearning], id_: str, settings: LearningSettings) -> dict[str, Any]:
    row = known.get(id_)
    state, requests = state_of(row), row.requests if row is not None else 0
    error = row.error if row is not None else None
    share = min(1.0, requests / settings.min_requests) if state is LearningState.LEARNING else None
    message = told(state, requests, settings.min_requests, settings.window_days, error)
    return {"state": state.value, "share": share, "message": message}


def _begin(since: datetime | None, order: Order) -> datetime:
    if since is None:
        return now() - DEFAULT_WINDOW
    if order in LATENCIES:
        raise InvalidRequest("latency orders by the last 24 hours alone: leave since out, or order by something else")
    if not now() - LONGEST <= since <= now():
        raise InvalidRequest(f"the query parameter since must be a time of the last {LONGEST.days} days")
    return since
