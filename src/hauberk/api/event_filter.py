"""Which security events a caller asks for: the same parameters for the list, its export, and what follows."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query

from hauberk.api.dependencies import Moment, Plane, ZoneId
from hauberk.errors import InvalidRequest
from hauberk.storage.event_queries import EventFilter, fingerprints_named


def _filter(
    plane: Plane,
    zone_id: ZoneId,
    host: Annotated[str | None, Query(description="Only this host")] = None,
    action: Annotated[Literal["block", "log"] | None, Query(description="Only this action")] = None,
    source: Annotated[str | None, Query(description="firewallCustom, apiShieldSchemaValidation or apiShield")] = None,
    operation_id: Annotated[str | None, Query(description="Only this operation")] = None,
    rule_id: Annotated[str | None, Query(description="Only decisions of this rule")] = None,
    request_id: Annotated[str | None, Query(description="The request's id, as the refusal told it")] = None,
    code: Annotated[
        str | None, Query(description="What was wrong: kind and detail of the first violation (`constraint_violation.enum`), or a reason")
    ] = None,
    method: Annotated[str | None, Query(description="Only this method, as sent")] = None,
    status: Annotated[int | None, Query(ge=0, le=999, description="The status of the refusal")] = None,
    path: Annotated[str | None, Query(max_length=1024, description="A part of the path, in upper or lower case")] = None,
    fingerprint: Annotated[str | None, Query(description="SHA-256 of the client certificate, in lower-case hex")] = None,
    common_name: Annotated[str | None, Query(description="Common name of a client certificate of the zone")] = None,
    since: Annotated[Moment | None, Query(description="From this time on (RFC 3339)")] = None,
    until: Annotated[Moment | None, Query(description="Before this time (RFC 3339)")] = None,
) -> EventFilter:
    texts = {"host": host, "source": source, "operation_id": operation_id, "rule_id": rule_id, "request_id": request_id, "code": code}
    texts |= {"method": method, "path": path, "fingerprint": fingerprint, "common_name": common_name}
    for name, text in texts.items():
        if text is not None and "\0" in text:  # PostgreSQL would say so in the middle of an export
            raise InvalidRequest(f"query {name}: no event has the character NUL")
    fingerprints = None
    if common_name is not None:
        with plane.database.read() as session:
            fingerprints = fingerprints_named(session, zone_id, common_name)
    return EventFilter(
        host=host,
        action=action,
        source=source,
        operation_id=operation_id,
        rule_id=rule_id,
        request_id=request_id,
        code=code,
        method=method,
        status=status,
        path=path,
        fingerprint=fingerprint,
        fingerprints=fingerprints,
        since=since,
        until=until,
    )


EventFilterQuery = Annotated[EventFilter, Depends(_filter)]
