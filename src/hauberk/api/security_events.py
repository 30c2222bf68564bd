"""Security events of a zone: what was blocked or logged, why, and whose certificate came with it. Never a value."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.event_filter import EventFilterQuery
from hauberk.api.paging import PageQuery, info
from hauberk.storage.event_queries import COUNTED_AT_MOST, Cursor, count_events_of, events_of

zone = APIRouter(tags=["security events"], dependencies=[Owner])


@zone.get("/security_events")
def list_events(
    plane: Plane,
    zone_id: ZoneId,
    page: PageQuery,
    wanted: EventFilterQuery,
    before: Annotated[
        str | None, Query(max_length=90, description="Only events that come after this `cursor` of `result_info`; `page` counts from there")
    ] = None,
) -> JSONResponse:
    """
    List events, the newest first; `result_info` has the `cursor` for the next page, which costs as little as the first.

    `total_count` goes up to 10,000: `total_count_is_least` says that there are more.
    """
    cursor = None if before is None else Cursor.read(before)
    with plane.database.read() as session:
        zone_of(session, zone_id)
        total = count_events_of(session, zone_id, wanted)
        # Where none fits, all were looked at already.
        found = events_of(zone_id, wanted, cursor).limit(page.per_page + 1).offset(page.offset)
        rows = session.scalars(found).all() if total else []
    shown = rows[: page.per_page]
    following = str(Cursor(shown[-1].occurred_at, shown[-1].id)) if len(rows) > len(shown) else None
    paging = {
        **info(page, len(shown), min(total, COUNTED_AT_MOST)),
        "total_count_is_least": total > COUNTED_AT_MOST,
        "cursor": following,
    }
    return success([row.details for row in shown], result_info=paging)
