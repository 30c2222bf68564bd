"""Ours: alerts on drift, listed and acknowledged."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hauberk.alerting.message import alert_json
from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.storage.alert_tables import DriftAlert
from hauberk.storage.alerts import acknowledge, alert_of, alerts_of, reopen

own = APIRouter(tags=["alerts"], dependencies=[Owner])

MAX_ALERTS_PER_CALL = 1000

KindName = Literal["new_parameter", "new_member", "new_media_type", "new_type", "new_value", "outside", "missing", "disappeared"]


class Seen(BaseModel):
    """Which alerts the owner has seen."""

    model_config = ConfigDict(extra="forbid")

    ids: list[str] = Field([], max_length=MAX_ALERTS_PER_CALL, description="These")
    all: bool = Field(False, description="All of the zone")
    acknowledged: bool = Field(True, description="False: take back that they were acknowledged; only for alerts named by ids")

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        if bool(self.ids) == self.all:
            raise ValueError("name ids, or say all; not both")
        if self.all and not self.acknowledged:
            raise ValueError("name the ids of the alerts that are to be open again")
        return self


@own.get("/zones/{zone_id}/alerts")
def list_alerts(
    plane: Plane,
    zone_id: ZoneId,
    page: PageQuery,
    acknowledged: Annotated[bool | None, Query(description="Only those that the owner has seen, or has not")] = None,
    kind: Annotated[KindName | None, Query(description="Only of this kind")] = None,
    operation_id: Annotated[str | None, Query(max_length=36, description="Only this operation's")] = None,
    breaking: Annotated[
        bool | None, Query(description="Only those whose newest schema refuses more than the one in force, or others")
    ] = None,
) -> JSONResponse:
    """List alerts on drift, the newest first: what requests show and the learned schema in force does not say."""
    query = alerts_of(zone_id, acknowledged=acknowledged, kind=kind, operation_id=operation_id, breaking=breaking)
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_rows(session, query, page, alert_json)


@own.get("/zones/{zone_id}/alerts/{alert_id}")
def get_alert(plane: Plane, zone_id: ZoneId, alert_id: str) -> JSONResponse:
    """Show an alert, with how the newest learned schema differs from the one that was in force; `breaking` changes refuse more."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return success(whole_json(alert_of(session, zone_id, alert_id)))


@own.post("/zones/{zone_id}/alerts/{alert_id}/acknowledge")
def acknowledge_one(plane: Plane, zone_id: ZoneId, alert_id: str) -> JSONResponse:
    """Note that the owner has seen an alert."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        alert = alert_of(session, zone_id, alert_id)
        acknowledge([alert])
        result = whole_json(alert)
    return success(result)


@own.delete("/zones/{zone_id}/alerts/{alert_id}/acknowledge")
def open_again(plane: Plane, zone_id: ZoneId, alert_id: str) -> JSONResponse:
    """Take back that an alert was acknowledged: it is open again."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        alert = alert_of(session, zone_id, alert_id)
        reopen([alert])
        result = whole_json(alert)
    return success(result)


@own.post("/zones/{zone_id}/alerts/acknowledge")
def acknowledge_many(plane: Plane, zone_id: ZoneId, body: Seen) -> JSONResponse:
    """Note that the owner has seen alerts, or take that back, of all those named or none; those that were changed are answered."""
    with plane.database.write() as session:
        zone_of(session, zone_id)
        if body.all:
            alerts = list(session.scalars(alerts_of(zone_id, acknowledged=False)))
        else:
            alerts = [alert_of(session, zone_id, id_) for id_ in body.ids]
        alerts = [alert for alert in alerts if (alert.acknowledged_at is None) == body.acknowledged]
        (acknowledge if body.acknowledged else reopen)(alerts)
        result = [alert_json(alert) for alert in alerts]
    return success(result)


def whole_json(alert: DriftAlert) -> dict[str, Any]:
    """Render an alert with the changes of its schema."""
    return alert_json(alert) | {"changes": alert.changes}
