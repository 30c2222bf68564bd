"""Requests by what became of them: what gateways counted, taken here, and read back as a series over time."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hauberk.api.auth import GatewayCaller, Owner
from hauberk.api.counted_time import CountedSecond
from hauberk.api.dependencies import Moment, Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.errors import InvalidRequest
from hauberk.storage.models import now
from hauberk.storage.request_counts import COUNTS, MINUTE, VERDICTS, CountedMinute, finest_step, request_series, store_request_counts

own = APIRouter(tags=["requests"])

MAX_COUNT = 2**53
MAX_POINTS = 500
# What people read a time axis in.
STEPS = [60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 7 * 86400]
GOOD_POINTS = 120

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]


class CountedHost(BaseModel):
    """What a gateway counted of one host in one minute."""

    model_config = ConfigDict(extra="forbid")

    zone_id: str = Field(max_length=32)
    host: str = Field(min_length=1, max_length=255, description="The entry of the snapshot; a wildcard is one host")
    minute: CountedSecond = Field(multiple_of=MINUTE, description="When the minute began, in seconds since 1970")
    requests: int = Field(ge=1, le=MAX_COUNT, description="All; the next six add up to it")
    passed: Count = Field(description="Went on, and nothing was said about them")
    logged: Count = Field(description="Went on with an event")
    blocked_certificate: Count = Field(description="Refused by a rule that asks about the client certificate")
    blocked_rule: Count = Field(description="Refused by another rule")
    blocked_schema: Count = Field(description="Refused by the schema of their operation")
    blocked_other: Count = Field(description="Refused for what they are: ambiguous, misdirected, malformed, beyond a limit")
    protected: Count = Field(description="Refused, judged by a schema, or such that a rule would refuse them without a client certificate")
    with_certificate: Count = Field(description="Came with a client certificate that is verified and not revoked")
    fallthrough: Count = Field(description="For no saved operation")
    client_errors: Count = Field(description="Went on and were answered with 400 to 499")
    server_errors: Count = Field(description="Went on and were answered with 500 to 599, or by no upstream")

    @model_validator(mode="after")
    def _adds_up(self) -> CountedHost:
        if sum(getattr(self, name) for name in VERDICTS) != self.requests:
            raise ValueError("the counts from passed to blocked_other do not add up to requests")
        return self


class Batch(BaseModel):
    """What a gateway counted since its last batch."""

    model_config = ConfigDict(extra="forbid")

    batch_id: str = Field(pattern=r"^[0-9a-f]{32}$", description="The same when it is sent again; it counts once")
    metrics: list[CountedHost] = Field(max_length=5000)


@own.post("/gateways/{gateway_id}/request-counts", dependencies=[GatewayCaller])
def take_counts(plane: Plane, gateway_id: str, body: Batch) -> JSONResponse:  # noqa: ARG001 - whose they are is in the path for logs
    """Add what a gateway counted of requests; a batch that comes again is not added again."""
    counted = [CountedMinute(one.zone_id, one.host, one.minute, {name: getattr(one, name) for name in COUNTS}) for one in body.metrics]
    with plane.database.write() as session:
        return success({"stored": store_request_counts(session, body.batch_id, counted)})


@own.get("/zones/{zone_id}/requests", dependencies=[Owner])
def get_requests(
    plane: Plane,
    zone_id: ZoneId,
    since: Annotated[Moment | None, Query(description="From this time on (RFC 3339); by default the last 24 hours")] = None,
    until: Annotated[Moment | None, Query(description="Before this time (RFC 3339); by default until now")] = None,
    step: Annotated[
        int | None,
        Query(
            ge=MINUTE, le=31 * 86400, multiple_of=MINUTE, description="Seconds that each point stands for; by default what makes some 100"
        ),
    ] = None,
    host: Annotated[str | None, Query(description="Only this host of the zone")] = None,
) -> JSONResponse:
    """Count the zone's requests over time by what became of them: passed, logged, or blocked and by what."""
    until = min(until or now(), now())
    since = since or until - timedelta(days=1)
    if since >= until:
        raise InvalidRequest("since must be before until, and before now", pointer="/since")
    begin, end, seconds = _steps(since, until, step)
    with plane.database.read() as session:
        zone_of(session, zone_id)
        series = request_series(session, zone_id, begin, end, seconds, host)
    total = {name: sum(tally[name] for _, tally in series) for name in COUNTS}
    points = [{"at": _moment(at), **tally} for at, tally in series]
    return success({"since": _moment(begin), "until": _moment(end), "step_seconds": seconds, **total, "points": points})


def _steps(since: datetime, until: datetime, asked: int | None) -> tuple[int, int, int]:
    """Give beginning, end and length of steps that cover the time; a step is never finer than what is kept."""
    lasts = until.timestamp() - since.timestamp()
    finest = finest_step(since)
    step = asked or next((step for step in STEPS if step >= finest and lasts / step <= GOOD_POINTS), STEPS[-1])
    step = -(-max(step, finest) // finest) * finest
    begin = int(since.timestamp()) // step * step
    end = -(-math.ceil(until.timestamp()) // step) * step
    points = (end - begin) // step
    if points > MAX_POINTS:
        raise InvalidRequest(f"this makes {points} points, {MAX_POINTS} are allowed: ask for a longer step, or less time", pointer="/step")
    return begin, end, step


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
