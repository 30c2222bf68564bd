"""Alerts on drift: requests show what the learned schema in force does not say."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.page import PageOf, Undo
from hauberk.dashboard.rest import RestError
from hauberk.dashboard.schemas import ROOT, batches, part, tab_counts
from hauberk.dashboard.text import number

routes = APIRouter()

KINDS = {
    "new_parameter": "New parameter",
    "new_member": "New member",
    "new_media_type": "New content type",
    "new_type": "Another type",
    "new_value": "New value",
    "outside": "Beyond a bound",
    "missing": "Something is missing",
    "disappeared": "Not called any more",
}
STATES: dict[str, bool | None] = {"open": False, "acknowledged": True, "all": None}


@routes.get(ROOT + "/alerts")
async def list_alerts(page: PageOf, state: str = "open", kind: str = "", breaking: str = "", operation_id: str = "") -> Response:
    """List alerts."""
    state = state if state in STATES else "open"
    path = page.own("alerts")
    of_operation = operation_id[:36] or None
    filters = {"kind": kind if kind in KINDS else None, "breaking": True if breaking == "1" else None, "operation_id": of_operation}
    listed, acknowledged, tabs = await asyncio.gather(
        page.rest.get(path, acknowledged=STATES[state], **filters, page=page.number, per_page=page.per_page),
        page.rest.get(path, acknowledged=True, per_page=1),
        tab_counts(page),
    )
    return page.render(
        "alerts/list.html",
        alerts=listed.result,
        info=listed.info,
        acknowledged=acknowledged.info["total_count"],
        filters={"state": state, **{name: "" if value is None else "1" if value is True else value for name, value in filters.items()}},
        kinds=KINDS,
        tabs=tabs,
    )


@routes.get(ROOT + "/alerts/{alert_id}")
async def show(page: PageOf, alert_id: str) -> Response:
    """Show an alert with how the newest learned schema differs."""
    alert, tabs = await asyncio.gather(page.rest.get(page.own(f"alerts/{part(alert_id)}")), tab_counts(page))
    there = True
    try:
        await page.rest.get(page.v4(f"api_gateway/operations/{part(alert.result['operation_id'])}"))
    except RestError as error:
        if error.status != 404:
            raise
        there = False
    return page.render("alerts/show.html", alert=alert.result, kinds=KINDS, operation_is_there=there, tabs=tabs)


@routes.post(ROOT + "/alerts/acknowledge")
async def acknowledge(page: PageOf) -> Response:
    """Note that alerts were seen: those chosen, or all that are open."""
    path = page.own("alerts/acknowledge")
    chosen = [str(value) for value in page.form.getlist("id")]
    address = page.link("schemas", "alerts")
    if page.form.get("all") == "1":
        changed: list[dict[str, Any]] = (await page.rest.post(path, {"all": True})).result
    elif chosen:
        changed = (await page.rest.post(path, {"ids": chosen[:1000]})).result
    else:
        return page.moved(address, done="Nothing was changed: no alert was chosen.", kind="warn")
    calls = [("POST", path, {"ids": [one["id"] for one in some], "acknowledged": False}) for some in batches(changed, 1000)]
    done = f"{number(len(changed))} alert{'s are' if len(changed) != 1 else ' is'} acknowledged."
    return page.moved(address, done=done, undo=Undo(tuple(calls), "Open again") if calls else None)


@routes.post(ROOT + "/alerts/{alert_id}/acknowledge")
async def acknowledge_one(page: PageOf, alert_id: str) -> Response:
    """Note that an alert was seen."""
    path = page.own(f"alerts/{part(alert_id)}/acknowledge")
    await page.rest.post(path)
    address = page.link("schemas", "alerts", alert_id)
    return page.moved(address, done="The alert is acknowledged.", undo=Undo.call("DELETE", path, label="Open it again"))


@routes.post(ROOT + "/alerts/{alert_id}/open")
async def open_again(page: PageOf, alert_id: str) -> Response:
    """Take it back that an alert was seen."""
    path = page.own(f"alerts/{part(alert_id)}/acknowledge")
    await page.rest.delete(path)
    address = page.link("schemas", "alerts", alert_id)
    return page.moved(address, done="The alert is open again.", undo=Undo.call("POST", path, label="Acknowledge it"))
