"""Saved operations as a table: found, ordered, given an action or deleted, some or all that match."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.certificate import file_name
from hauberk.dashboard.notices import Undo
from hauberk.dashboard.page import Page, PageOf
from hauberk.dashboard.rest import RestError
from hauberk.dashboard.text import number
from hauberk.operation import METHODS

routes = APIRouter()

FILTERS = ("search", "host", "method", "state", "action", "schema")
STATES = {
    "uploaded": "uploaded schema",
    "drift": "drift",
    "learned": "learned schema",
    "not_applied": "learned, not applied",
    "learning": "learning",
    "none": "no schema",
}
ACTIONS = {"none": "off", "log": "log", "block": "block"}
WEEK = timedelta(days=7)
NOTHING: dict[str, Any] = {"operation_ids": []}


@routes.get("/zones/{zone_name}/endpoints")
async def list_endpoints(page: PageOf) -> Response:
    """List saved operations."""
    wanted = _filter(page.query)
    order, direction = page.query.get("order") or "requests", page.query.get("direction") or ("asc" if page.query.get("order") else "desc")
    # Latency is put together for the last day alone.
    week = page.query.get("window") == "week" and order not in {"p50", "p95", "p99"}
    since = (datetime.now(UTC) - WEEK).isoformat() if week else None
    try:
        listed, counts = await asyncio.gather(
            page.rest.get(
                page.own("endpoints"), **wanted, order=order, direction=direction, since=since, page=page.number, per_page=page.per_page
            ),
            page.rest.get(page.own("endpoints/counts"), **wanted),
        )
    except RestError as error:
        if error.status != 400:
            raise
        return page.render("endpoints/list.html", 400, error=error, rows=[], info={}, counts=None, **_shown(wanted, week))
    return page.render(
        "endpoints/list.html", error=None, rows=listed.result, info=listed.info, counts=counts.result, **_shown(wanted, week)
    )


@routes.get("/zones/{zone_name}/endpoints/add")
async def add_form(page: PageOf) -> Response:
    """Show the form for an operation that nobody has discovered."""
    return await _add_form(page, {"method": "GET", "host": page.query.get("host", ""), "endpoint": ""})


@routes.post("/zones/{zone_name}/endpoints/add")
async def add(page: PageOf) -> Response:
    """Save one operation."""
    values = {name: _text(page, name) for name in ("method", "host", "endpoint")}
    try:
        change = await page.change(lambda: page.rest.post(page.v4("api_gateway/operations/item"), values))
    except RestError as error:
        return await _add_form(page, values, error)
    saved = change.answer.result
    told = " ".join(str(message["message"]) for message in change.answer.messages)
    # One that was saved already stays, whatever is taken back.
    back = {"operation_ids": [saved["operation_id"]], "instead_of": None}
    undo = Undo.call("POST", page.own("endpoints/delete"), back) if change.version is not None else None
    done = f"Saved {saved['method']} {saved['host']}{saved['endpoint']}." + (f" But {told}." if told else "")
    # Back to the list, where nothing is missing once it is taken back.
    return page.moved(page.link("endpoints", search=saved["endpoint"]), done=done, kind="warn" if told else "ok", change=change, undo=undo)


@routes.post("/zones/{zone_name}/endpoints/actions")
async def set_actions(page: PageOf) -> Response:
    """Set the action of the operations that are selected, or of all that match."""
    everything = "everything" in page.form
    action = _text(page, "everything" if everything else "action")
    chosen = _selection(page, everything=everything)
    if chosen == NOTHING:
        return page.moved(_back(page), done="Nothing was selected, so nothing was changed.", kind="warn")
    chosen |= {"mitigation_action": action if action in ACTIONS else None}
    change = await page.change(lambda: page.rest.post(page.own("endpoints/actions"), {"changes": [chosen]}))
    result = change.answer.result
    what = {"none": "off", "log": "log", "block": "block"}.get(action, "the zone's default")
    done = f"{_operations(result['changed'])} set to {what}."
    if result["unchanged"]:
        done += f" {_operations(result['unchanged'])} had it already."
    undo = Undo.call("POST", page.own("endpoints/actions"), result["before"]) if result["before"] else None
    return page.moved(_back(page), done=done, change=change, undo=undo)


@routes.post("/zones/{zone_name}/endpoints/delete")
async def delete(page: PageOf) -> Response:
    """Delete the operations that are selected, or all that match."""
    chosen = _selection(page, everything="everything" in page.form)
    if chosen == NOTHING:
        return page.moved(_back(page), done="Nothing was selected, so nothing was deleted.", kind="warn")
    change = await page.change(lambda: page.rest.post(page.own("endpoints/delete"), chosen))
    result = change.answer.result
    undo = Undo.call("POST", page.own("endpoints"), result["before"], "Save again") if result["before"] else None
    return page.moved(_back(page), done=f"{_operations(result['deleted'])} deleted.", change=change, undo=undo)


@routes.get("/zones/{zone_name}/endpoints/openapi.json")
async def export(page: PageOf, host: str = "") -> Response:
    """Give the operations of a host as an OpenAPI document, with what was learned of them."""
    answer = await page.rest.get(page.v4("api_gateway/schemas"), host=host, include_schema_kind="learned")
    documents = answer.result["schemas"]
    if not documents:
        return page.moved(page.link("endpoints"), done="No operation is saved on this host, so there is nothing to export.", kind="warn")
    return Response(
        json.dumps(documents[0], indent=2, ensure_ascii=False),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{file_name(host)}.openapi.json"'},
    )


async def _add_form(page: Page, values: Mapping[str, str], error: RestError | None = None) -> Response:
    hosts = (await page.rest.get(page.own("endpoints/counts"))).result["hosts"]
    status = error.status if error is not None else 200
    return page.render(
        "endpoints/add.html", status, values=values, methods=[(name, name) for name in METHODS], hosts=list(hosts), error=error
    )


def _filter(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in FILTERS if query.get(name)}


def _shown(wanted: Mapping[str, str], week: bool) -> dict[str, Any]:
    whole = {name: wanted.get(name, "") for name in FILTERS}
    return {"wanted": whole, "is_filtered": bool(wanted), "week": week, "states": STATES, "actions": ACTIONS}


def _selection(page: Page, *, everything: bool) -> dict[str, Any]:
    if not everything:
        return {"operation_ids": [str(id_) for id_ in page.form.getlist("id")]}
    wanted = _filter(page.query)
    lists = {name: [wanted[name]] for name in ("host", "method", "state", "action") if name in wanted}
    return {"matching": {**{name: wanted[name] for name in ("search", "schema") if name in wanted}, **lists}}


def _back(page: Page) -> str:
    """Give the address of the table as it was before the form on it was sent."""
    kept = (*FILTERS, "order", "direction", "window", "page", "per_page")
    return page.link("endpoints", **{name: page.query.get(name) for name in kept})


def _text(page: Page, name: str) -> str:
    value = page.form.get(name)
    return value.strip() if isinstance(value, str) else ""


def _operations(count: int) -> str:
    return f"{number(count)} operation{'' if count == 1 else 's'}"
