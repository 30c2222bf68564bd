"""Captures imported: a file is sent, read in the background, and discovery finds what is in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from hauberk.dashboard.forms import first_field
from hauberk.dashboard.page import Page, PageOf
from hauberk.dashboard.rest import Rest, RestError
from hauberk.dashboard.sessions import check_form, visitor_of
from hauberk.dashboard.text import moment

routes = APIRouter()

FORMATS = (
    ("", "Told from the content"),
    ("har", "HAR"),
    ("ndjson", "JSON lines of hauberk"),
    ("access-log", "Access log"),
    ("json-log", "Log of JSON lines"),
    ("mitmproxy", "Flows of mitmproxy"),
)


@dataclass(frozen=True)
class _Capture:
    """A form with a capture that is being sent."""

    page: Page
    body: AsyncIterator[bytes]
    """All of it."""


async def _sending(request: Request) -> AsyncIterator[_Capture]:
    """
    Give the page to which a file is sent. The body goes on to the REST API as it comes, however large it is.

    So the token is the form's first field, and looked at before anything else of the body is: without it nothing goes anywhere.
    """
    visitor = await visitor_of(request)
    token, body = await first_field(request, "csrf")
    check_form(visitor, token)
    rest = Rest(request.app.state.rest, visitor.caller)
    try:
        page = Page(request, visitor, rest, request.app.state.notices)
        await page.prepare()
        yield _Capture(page, body)
    finally:
        await rest.close()


Sending = Annotated[_Capture, Depends(_sending)]


@routes.get("/zones/{zone_name}/discovery/imports")
async def list_imports(page: PageOf) -> Response:
    """List imports, and take another file."""
    return await _list(page)


@routes.post("/zones/{zone_name}/discovery/imports")
async def send(capture: Sending) -> Response:
    """Pass a file on."""
    page = capture.page
    names = ("content-type", "content-length")
    headers = {name: value for name in names if (value := page.request.headers.get(name)) is not None}
    try:
        made = await page.rest.post(page.own("traffic/imports"), content=capture.body, headers=headers)
    except RestError as error:
        return await _list(page, error, error.status)
    return page.moved(page.link("discovery", "imports", made.result["id"]))


@routes.get("/zones/{zone_name}/discovery/imports/{import_id}")
async def show(page: PageOf, import_id: str) -> Response:
    """Tell how far an import is, or what came of it."""
    found, summary = await asyncio.gather(
        page.rest.get(page.own(f"traffic/imports/{quote(import_id, safe='')}")), page.rest.get(page.own("discovery/summary"))
    )
    row, thresholds = found.result, summary.result["thresholds"]
    return page.render(
        "discovery/import.html", row=row, share=share_of(row), is_old=is_old(row, thresholds["window_days"]), thresholds=thresholds
    )


@routes.post("/zones/{zone_name}/discovery/imports/{import_id}/cancel")
async def cancel(page: PageOf, import_id: str) -> Response:
    """Cancel an import."""
    address = page.link("discovery", "imports", import_id)
    try:
        await page.rest.delete(page.own(f"traffic/imports/{quote(import_id, safe='')}"))
    except RestError as error:
        if error.status != 409:
            raise
        return page.moved(address, done=error.message, kind="warn")
    return page.moved(address, done="Cancelled. Nothing of the capture was kept.")


def share_of(row: dict[str, Any]) -> float | None:
    """Tell how much of a capture was read, from 0 to 1; nobody can while it waits or is being checked."""
    if row["state"] != "running" or row["phase"] == "checking":
        return None
    return min(1.0, float(row["bytes_read"] / row["bytes"]))


def is_old(row: dict[str, Any], window_days: int) -> bool:
    """Tell whether all of an import is older than what discovery looks at."""
    last = moment(row["last_hour"])
    return last is not None and last + timedelta(hours=1) < datetime.now(UTC) - timedelta(days=window_days)


async def _list(page: Page, error: RestError | None = None, status: int = 200) -> Response:
    imports = await page.rest.get(page.own("traffic/imports"), page=page.number, per_page=page.per_page)
    under_way = any(row["state"] in {"waiting", "running"} for row in imports.result)
    return page.render(
        "discovery/imports.html",
        status,
        imports=imports.result,
        info=imports.info,
        under_way=under_way,
        share_of=share_of,
        formats=FORMATS,
        error=error,
    )
