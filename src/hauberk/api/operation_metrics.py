"""Metrics per saved operation: what gateways counted, taken here, and read back over any time that is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select

from hauberk.api.auth import GatewayCaller, Owner
from hauberk.api.counted_time import CountedSecond
from hauberk.api.dependencies import Moment, Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.paging import PageQuery, info
from hauberk.storage.models import now
from hauberk.storage.operation_metrics import Counted, Metrics, hour_of, hours_of, metrics_of, store_metrics
from hauberk.storage.operations import find_operation, operations_of, order_operations

own = APIRouter(tags=["operation metrics"])

MAX_COUNT = 2**53
DEFAULT_WINDOW = timedelta(days=1)

Since = Annotated[Moment | None, Query(description="From the hour of this time on (RFC 3339); by default the last 24 hours")]


class CountedOperation(BaseModel):
    """What a gateway counted of one operation in one hour."""

    model_config = ConfigDict(extra="forbid")

    operation_id: str = Field(max_length=36)
    hour: CountedSecond = Field(description="When the hour began, in seconds since 1970")
    requests: int = Field(ge=1, le=MAX_COUNT)
    client_errors: int = Field(ge=0, le=MAX_COUNT, description="Of these, answered with 400 to 499")
    server_errors: int = Field(ge=0, le=MAX_COUNT, description="Of these, answered with 500 to 599")
    last_seen: CountedSecond = Field(description="When the last of them ended, in seconds since 1970")
    latency: str = Field(max_length=20_000, description="Microseconds, as a sketch: `bucket:count`, in order, with blanks between")


class Batch(BaseModel):
    """What a gateway counted since its last batch."""

    model_config = ConfigDict(extra="forbid")

    batch_id: str = Field(pattern=r"^[0-9a-f]{32}$", description="The same when it is sent again; it counts once")
    metrics: list[CountedOperation] = Field(max_length=5000)


@own.post("/gateways/{gateway_id}/operation-metrics", dependencies=[GatewayCaller])
def take_metrics(plane: Plane, gateway_id: str, body: Batch) -> JSONResponse:  # noqa: ARG001 - whose they are is in the path for logs
    """Add what a gateway counted for saved operations; a batch that comes again is not added again."""
    counted = [
        Counted(
            **one.model_dump(exclude={"hour", "last_seen"}),
            hour=hour_of(datetime.fromtimestamp(one.hour, UTC)),
            last_seen=datetime.fromtimestamp(one.last_seen, UTC),
        )
        for one in body.metrics
    ]
    with plane.database.write() as session:
        return success({"stored": store_metrics(session, body.batch_id, counted)})


@own.get("/zones/{zone_id}/operations/{operation_id}/metrics", dependencies=[Owner])
def get_metrics(plane: Plane, zone_id: ZoneId, operation_id: str, since: Since = None) -> JSONResponse:
    """Give requests, errors and latency of one operation, together and by hour."""
    since = since or now() - DEFAULT_WINDOW
    with plane.database.read() as session:
        zone_of(session, zone_id)
        operation = find_operation(session, zone_id, operation_id)
        total = metrics_of(session, [operation.operation_id], since)[operation.operation_id]
        hours = hours_of(session, operation.operation_id, since)
    by_hour = [{"hour": hour.isoformat(), **render_metrics(metrics)} for hour, metrics in hours.items()]
    return success({"operation_id": operation.operation_id, "since": hour_of(since).isoformat(), **render_metrics(total), "hours": by_hour})


@own.get("/zones/{zone_id}/operation-metrics", dependencies=[Owner])
def list_metrics(plane: Plane, zone_id: ZoneId, page: PageQuery, since: Since = None) -> JSONResponse:
    """List requests, errors and latency of all operations of a zone, by host and endpoint."""
    since = since or now() - DEFAULT_WINDOW
    query = operations_of(zone_id)
    with plane.database.read() as session:
        zone_of(session, zone_id)
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        rows = session.scalars(order_operations(query, None, descending=False).limit(page.per_page).offset(page.offset)).all()
        metrics = metrics_of(session, [row.operation_id for row in rows], since)
    result = [
        {
            "operation_id": row.operation_id,
            "method": row.method,
            "host": row.host,
            "endpoint": row.endpoint,
            **render_metrics(metrics[row.operation_id]),
        }
        for row in rows
    ]
    return success(result, result_info=info(page, len(result), total))


def render_metrics(metrics: Metrics) -> dict[str, Any]:
    """Render what was counted of one operation over some time."""
    return {
        "requests": metrics.requests,
        "client_errors": metrics.client_errors,
        "server_errors": metrics.server_errors,
        "latency_ms": metrics.latency_ms,
        "last_seen": metrics.last_seen and metrics.last_seen.isoformat(),
    }
