"""Beside the list of security events: one with what it speaks of, what is frequent among them, and all of them as lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.api.auth import Owner
from hauberk.api.dependencies import Moment, Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.event_filter import EventFilterQuery
from hauberk.storage.event_queries import Frequent, all_events, find_event, frequent
from hauberk.storage.models import ClientCertificate, Operation, Rule, SecurityEvent, now

own = APIRouter(tags=["security events"], dependencies=[Owner])

DEFAULT_WINDOW = timedelta(days=1)
MAX_EXPORTED = 1_000_000

NAMES = {"rule": ("description",), "operation": ("method", "host", "endpoint"), "client": ("certificate_id", "common_name")}
"""What a key stands for; null where that is gone."""

Since = Annotated[Moment | None, Query(description="From the hour of this time on (RFC 3339); by default the last 24 hours")]


@own.get("/zones/{zone_id}/events/summary")
def summarise(
    plane: Plane,
    zone_id: ZoneId,
    by: Annotated[
        Literal["rule", "code", "operation", "host", "source", "client"],
        Query(description="What events are counted by; `client` is the fingerprint of the certificate"),
    ],
    since: Since = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many are told apart")] = 10,
) -> JSONResponse:
    """
    Tell what is most frequent among a zone's events; the entry with the key `null` holds all that are not told apart.

    These are counts by the hour, kept when events came: they outlast events that were deleted because there were too many.
    """
    since = since or now() - DEFAULT_WINDOW
    with plane.database.read() as session:
        zone_of(session, zone_id)
        rows = frequent(session, zone_id, by, since, limit)
        names = _names(session, by, [row.key for row in rows if row.key])
    nameless = dict.fromkeys(NAMES.get(by, ()))
    return success([{"key": row.key or None, **_counts(row), **names.get(row.key, nameless)} for row in rows])


@own.get("/zones/{zone_id}/events/export", response_class=StreamingResponse)
def export(
    plane: Plane,
    zone_id: ZoneId,
    wanted: EventFilterQuery,
    limit: Annotated[int, Query(ge=1, le=MAX_EXPORTED, description="At most so many, the newest")] = MAX_EXPORTED,
) -> StreamingResponse:
    """Give a zone's events as lines of JSON, the newest first, with the filters of the list."""
    with plane.database.read() as session:
        zone_of(session, zone_id)

    def lines() -> Iterator[str]:
        with plane.database.read() as session:
            for rows in all_events(session, zone_id, wanted, limit):
                yield "".join(json.dumps(row.details, ensure_ascii=False) + "\n" for row in rows)

    headers = {"Content-Disposition": 'attachment; filename="events.ndjson"', "Cache-Control": "no-store"}
    return StreamingResponse(lines(), media_type="application/x-ndjson", headers=headers)


@own.get("/zones/{zone_id}/events/{event_id}")
def get_event(plane: Plane, zone_id: ZoneId, event_id: str) -> JSONResponse:
    """Show one event, with the operation, the rule and the client certificate it speaks of as they are now; null where they are gone."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        event = find_event(session, zone_id, event_id)
        return success({**event.details, "code": event.code, **_spoken_of(session, event)})


@own.get("/zones/{zone_id}/rules/hits", tags=["rules"])
def rule_hits(plane: Plane, zone_id: ZoneId, since: Since = None) -> JSONResponse:
    """Tell how often each rule of the zone has blocked or logged, and when last; rules that never did are left out."""
    since = since or now() - DEFAULT_WINDOW
    with plane.database.read() as session:
        zone_of(session, zone_id)
        rows = frequent(session, zone_id, "rule", since)
    return success([{"rule_id": row.key, **_counts(row)} for row in rows])


def _counts(row: Frequent) -> dict[str, Any]:
    return {"events": row.blocked + row.logged, "blocked": row.blocked, "logged": row.logged, "last_seen": row.last_seen.isoformat()}


def _names(session: Session, by: str, keys: list[str]) -> dict[str, dict[str, Any]]:
    """Say what keys stand for, as far as it is still there."""
    match by:
        case "rule":
            rules = session.scalars(select(Rule).where(Rule.id.in_(keys)))
            return {rule.id: {"description": rule.description} for rule in rules}
        case "operation":
            operations = session.scalars(select(Operation).where(Operation.operation_id.in_(keys)))
            return {row.operation_id: {"method": row.method, "host": row.host, "endpoint": row.endpoint} for row in operations}
        case "client":
            certificates = session.scalars(select(ClientCertificate).where(ClientCertificate.fingerprint_sha256.in_(keys)))
            return {row.fingerprint_sha256: {"certificate_id": row.id, "common_name": row.common_name} for row in certificates}
        case _:
            return {}


def _spoken_of(session: Session, event: SecurityEvent) -> dict[str, Any]:
    operation = session.get(Operation, event.operation_id) if event.operation_id else None
    rule = session.get(Rule, event.rule_id) if event.rule_id else None
    query = select(ClientCertificate).where(ClientCertificate.zone_id == event.zone_id)
    certificate = session.scalar(query.where(ClientCertificate.fingerprint_sha256 == event.fingerprint)) if event.fingerprint else None
    return {
        "operation": operation
        and {
            "operation_id": operation.operation_id,
            "method": operation.method,
            "host": operation.host,
            "endpoint": operation.endpoint,
            "mitigation_action": operation.mitigation_action,
        },
        "rule": rule and {"id": rule.id, "description": rule.description, "action": rule.action, "enabled": rule.enabled},
        "certificate": certificate and {"id": certificate.id, "common_name": certificate.common_name, "status": certificate.status},
    }
