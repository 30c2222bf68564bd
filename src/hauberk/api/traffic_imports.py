"""Ours: captures brought into the traffic store, where discovery finds them as if they had passed the gateway."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from hauberk import operation
from hauberk.api.auth import Owner
from hauberk.api.dependencies import Plane, ZoneId, zone_of
from hauberk.api.envelope import success
from hauberk.api.limits import IMPORT_SETTING
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.api.received_files import receive_file
from hauberk.capture_imports import Sent
from hauberk.errors import InvalidRequest
from hauberk.operation import is_in_zone
from hauberk.pipeline import ControlPlane
from hauberk.storage.capture_imports import find_import, import_json, imports_of
from hauberk.traffic.files import FORMATS

own = APIRouter(tags=["traffic"], dependencies=[Owner])

MAX_NAME_CHARACTERS = 255
UNNAMED = "capture"

Name = Annotated[str | None, Query(max_length=MAX_NAME_CHARACTERS, description="The file's name, for people")]
FormatName = Annotated[str | None, Query(alias="format", description=f"{', '.join(FORMATS)}; left out: told from the content")]
DefaultHost = Annotated[
    str | None,
    Query(max_length=operation.MAX_HOST_CHARACTERS, description="Host of transactions whose log does not tell it; it must be of the zone"),
]
CAPTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "format": {"type": "string"},
                        "default_host": {"type": "string"},
                    },
                }
            },
        },
    }
}


@own.post("/zones/{zone_id}/traffic/imports", status_code=202, openapi_extra=CAPTURE_BODY)
async def create_import(
    plane: Plane,
    zone_id: ZoneId,
    request: Request,
    name: Name = None,
    format_name: FormatName = None,
    default_host: DefaultHost = None,
) -> JSONResponse:
    """Take a capture, as the body or as the field `file` of a form, and import it in the background; the answer tells its id."""
    await run_in_threadpool(_checked, plane, zone_id, name, format_name, default_host)
    import_id, path = await run_in_threadpool(plane.imports.new_file)
    told = None
    try:
        with path.open("wb") as file:
            received = await receive_file(request, file, plane.settings.traffic.max_import_bytes, IMPORT_SETTING)
        fields = received.fields
        host = default_host or fields.get("default_host") or None
        sent = await run_in_threadpool(_checked, plane, zone_id, name or received.name, format_name or fields.get("format") or None, host)
        told = await run_in_threadpool(plane.imports.submit, import_id, sent)
    finally:
        if told is None:
            plane.imports.discard(import_id)
    return success(told, status=202)


@own.get("/zones/{zone_id}/traffic/imports")
def list_imports(plane: Plane, zone_id: ZoneId, page: PageQuery) -> JSONResponse:
    """List the zone's imports, the newest first; the last hundred are remembered."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return paged_rows(session, imports_of(zone_id), page, import_json)


@own.get("/zones/{zone_id}/traffic/imports/{import_id}")
def get_import(plane: Plane, zone_id: ZoneId, import_id: str) -> JSONResponse:
    """Tell how far an import is, or what it came to: rows kept, rows left out and why, hosts that are not of the zone."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
        return success(import_json(find_import(session, zone_id, import_id)))


@own.delete("/zones/{zone_id}/traffic/imports/{import_id}")
def cancel_import(plane: Plane, zone_id: ZoneId, import_id: str) -> JSONResponse:
    """Cancel an import that waits or is being read; nothing of it will be in the traffic store."""
    with plane.database.read() as session:
        zone_of(session, zone_id)
    return success(plane.imports.cancel(zone_id, import_id))


def _checked(plane: ControlPlane, zone_id: str, name: str | None, format_name: str | None, default_host: str | None) -> Sent:
    """Check what does not depend on the capture's content."""
    with plane.database.read() as session:
        zone = zone_of(session, zone_id)
    if format_name is not None and format_name not in FORMATS:
        raise InvalidRequest(f"format must be one of {', '.join(FORMATS)}, or left out: then it is told from the content")
    sent = Sent(zone.id, (name or UNNAMED)[:MAX_NAME_CHARACTERS], format_name)
    if default_host is None:
        return sent
    try:
        host = operation.normalise_host(default_host)
    except ValueError as error:
        raise InvalidRequest(f"default_host {error}") from None
    if not is_in_zone(host, zone.name):
        raise InvalidRequest(f"default_host must be a name at or below the zone '{zone.name}'")
    return replace(sent, default_host=host)
