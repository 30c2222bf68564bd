"""What gateways say and fetch: a heartbeat, the snapshot, security events. And for people: which version each enforces."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select

from hauberk.api.auth import GatewayCaller, Owner
from hauberk.api.dependencies import Plane
from hauberk.api.envelope import success
from hauberk.pipeline import ControlPlane
from hauberk.snapshot.document import Snapshot
from hauberk.storage.events import store_events
from hauberk.storage.models import GatewayStatus, now

own = APIRouter(tags=["gateways"])

MAX_INTEGER = 2**31 - 1  # what the database holds

# A gateway reports with each poll (0.5 s by default, at most 60 s): silent for longer than this, it counts as lost.
LOST_AFTER = timedelta(seconds=10)
# A heartbeat that says nothing new is stored this seldom, so that idle gateways do not wear the disk.
STORE_EVERY = timedelta(seconds=3)
FORGOTTEN_AFTER = timedelta(days=1)


class Heartbeat(BaseModel):
    """What a gateway says of itself."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=255, description="Its machine's name")
    version: int | None = Field(ge=0, le=MAX_INTEGER, description="The snapshot it enforces; null before the first")
    etag: str | None = Field(None, max_length=80, description="That snapshot's ETag")
    refused_version: int | None = Field(None, ge=0, le=MAX_INTEGER, description="A newer snapshot it will not enforce")
    refused_reason: str | None = Field(None, max_length=4000, description="Why not")
    events_dropped: int = Field(0, ge=0, le=MAX_INTEGER, description="Events lost because nobody took them in time")
    transactions_dropped: int = Field(0, ge=0, le=2**53, description="Recorded exchanges lost because they could not be kept in time")
    started_at: AwareDatetime


class Events(BaseModel):
    """Events as the gateway wrote them."""

    events: list[dict[str, Any]] = Field(max_length=10_000)


@own.put("/gateways/{gateway_id}", dependencies=[GatewayCaller])
def report(plane: Plane, gateway_id: str, body: Heartbeat) -> JSONResponse:
    """Take a gateway's heartbeat; tell it the newest snapshot's version and ETag, and the settings of gateways that were changed."""
    gateway_id = gateway_id[:64]
    with plane.database.read() as session:
        known = session.get(GatewayStatus, gateway_id)
    changed = known is None or any(getattr(known, name) != value for name, value in body.model_dump().items())
    if known is None or changed or abs(now() - known.last_seen) > STORE_EVERY:
        with plane.database.write() as session:
            session.merge(GatewayStatus(id=gateway_id, last_seen=now(), **body.model_dump()))
    newest = plane.snapshot()
    return success({"version": newest.version, "etag": newest.etag, "settings": plane.settings_for_gateways()})


@own.get("/snapshot", dependencies=[GatewayCaller], response_class=Response)
def get_snapshot(plane: Plane, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Give the newest snapshot: the bytes a gateway enforces and keeps. They hold private keys of server certificates."""
    snapshot = plane.snapshot()
    headers = {"ETag": snapshot.etag, "Cache-Control": "no-store"}
    if if_none_match == snapshot.etag:
        return Response(status_code=304, headers=headers)
    return Response(snapshot.data, media_type="application/octet-stream", headers=headers)


@own.post("/events", dependencies=[GatewayCaller])
def take_events(plane: Plane, body: Events) -> JSONResponse:
    """Store security events; one that is known already is left as it is, so a gateway may send again."""
    with plane.database.write() as session:
        stored, refused = store_events(session, body.events)
    return success({"stored": stored, "refused": refused})


@own.get("/status", dependencies=[Owner])
def status(plane: Plane) -> JSONResponse:
    """Tell the newest version and what each gateway enforces: `current`, `behind`, `refused` or `lost`."""
    version = plane.snapshot().version
    return success({"version": version, "gateways": [_render(row, state) for row, state in gateway_states(plane)]})


def gateway_states(plane: ControlPlane) -> list[tuple[GatewayStatus, str]]:
    """Give each gateway that was heard of within a day, with `current`, `behind`, `refused` or `lost`."""
    newest, at = plane.snapshot(), now()
    query = select(GatewayStatus).where(GatewayStatus.last_seen > at - FORGOTTEN_AFTER).order_by(GatewayStatus.started_at)
    with plane.database.read() as session:
        return [(row, _state(row, newest, at)) for row in session.scalars(query)]


def _state(gateway: GatewayStatus, newest: Snapshot, at: datetime) -> str:
    # A time ahead is of a clock that was set back since: a gateway that is there has reported again by then.
    if abs(at - gateway.last_seen) > LOST_AFTER:
        return "lost"
    if gateway.etag == newest.etag:
        return "current"
    return "refused" if gateway.refused_version == newest.version else "behind"


def _render(gateway: GatewayStatus, state: str) -> dict[str, Any]:
    return {
        "id": gateway.id,
        "name": gateway.name,
        "state": state,
        "version": gateway.version,
        "refused_version": gateway.refused_version,
        "refused_reason": gateway.refused_reason,
        "events_dropped": gateway.events_dropped,
        "transactions_dropped": gateway.transactions_dropped,
        "started_at": gateway.started_at.isoformat(),
        "last_seen": gateway.last_seen.isoformat(),
    }
