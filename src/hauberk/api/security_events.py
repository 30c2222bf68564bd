"""Security events of a zone: what was blocked or logged, why, and whose certificate came with it. Never a value."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime
from sqlalchemy import select

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.storage.models import SecurityEvent

zone = APIRouter(tags=["security events"], dependencies=[Owner])


@zone.get("/security_events")
def list_events(
    plane: Plane,
    zone_id: ZoneId,
    page: PageQuery,
    host: Annotated[str | None, Query(description="Only this host")] = None,
    action: Annotated[Literal["block", "log"] | None, Query(description="Only this action")] = None,
    source: Annotated[str | None, Query(description="firewallCustom, apiShieldSchemaValidation or apiShield")] = None,
    operation_id: Annotated[str | None, Query(description="Only this operation")] = None,
    request_id: Annotated[str | None, Query(description="The request's id, as the refusal told it")] = None,
    since: Annotated[AwareDatetime | None, Query(description="From this time on (RFC 3339)")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this time (RFC 3339)")] = None,
) -> JSONResponse:
    """List events, the newest first."""
    query = select(SecurityEvent).where(SecurityEvent.zone_id == zone_id)
    equal = {"host": host, "action": action, "source": source, "operation_id": operation_id, "request_id": request_id}
    for name, value in equal.items():
        if value is not None:
            query = query.where(getattr(SecurityEvent, name) == value)
    if since is not None:
        query = query.where(SecurityEvent.occurred_at >= since)
    if until is not None:
        query = query.where(SecurityEvent.occurred_at < until)
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_rows(session, query.order_by(SecurityEvent.occurred_at.desc(), SecurityEvent.id), page, lambda row: row.details)
