"""Settings, sampling and retention: what is tuned while hauberk runs, where each value comes from, and when a change is in force."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import groupby
from math import isfinite
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.notices import Left, Undo
from hauberk.dashboard.page import OWN, Page, PageOf
from hauberk.dashboard.rest import RestError

routes = APIRouter()

TUNING = "/zones/{zone_name}/settings/tuning"
TITLES = {
    "traffic": ("Recorded traffic", "What gateways sample, and how long it is kept."),
    "events": ("Events", "How long the control plane keeps security events."),
    "discovery": ("Discovery", "What it takes to be shown as an operation."),
    "learning": ("Learning", "What it takes to be learned."),
    "alerts": ("Alerts on drift", "How much has to show a change before you are told."),
}
EFFECTS = {
    "at_once": "at once",
    "next_run": "with the next run",
}


@routes.get(TUNING)
async def show(page: PageOf) -> Response:
    """Show all settings that can be tuned."""
    return _render(page, (await page.rest.get(f"{OWN}/settings")).result)


@routes.post(TUNING)
async def change(page: PageOf) -> Response:
    """Change what differs from what is; the whole form is sent."""
    listed = (await page.rest.get(f"{OWN}/settings")).result
    wanted: dict[str, Any] = {}
    for one in listed:
        if one["changeable"] and one["key"] in page.form:
            value = _value(one, str(page.form[one["key"]]))
            if value != one["value"]:
                wanted[one["key"]] = value
    return await _patch(page, listed, wanted)


@routes.post(TUNING + "/unset")
async def unset(page: PageOf) -> Response:
    """Go back to the default of one setting."""
    listed = (await page.rest.get(f"{OWN}/settings")).result
    return await _patch(page, listed, {str(page.form.get("key", "")): None})


async def _patch(page: Page, listed: list[dict[str, Any]], wanted: Mapping[str, Any]) -> Response:
    address = page.link("settings", "tuning")
    if not wanted:
        return page.moved(address, done="Nothing was changed.", kind="warn")
    try:
        changed = await page.change(lambda: page.rest.patch(f"{OWN}/settings", dict(wanted)))
    except RestError as error:
        return _render(page, listed, error)
    now = {one["key"]: one for one in changed.answer.result}
    before = {one["key"]: one["value"] if one["source"] == "changed" else None for one in listed if one["key"] in wanted}
    told = "; ".join(f"{key} is {_shown(now[key]['value'])}, in force {EFFECTS[now[key]['effect']]}" for key in wanted)
    left = Left(f"{OWN}/settings", lambda listed: _values(listed, before), _values(changed.answer.result, before))
    return page.moved(address, done=told + ".", change=changed, undo=Undo.call("PATCH", f"{OWN}/settings", before, left=left))


def _values(listed: list[dict[str, Any]], keys: Collection[str]) -> dict[str, Any]:
    return {one["key"]: (one["value"], one["source"]) for one in listed if one["key"] in keys}


def _render(page: Page, listed: list[dict[str, Any]], error: RestError | None = None) -> Response:
    # A value that was refused stands in its field again.
    sent = {key: str(value) for key, value in page.form.items()} if error is not None else {}
    groups = [(*TITLES[table], list(some)) for table, some in groupby(listed, key=lambda one: str(one["key"]).partition(".")[0])]
    status = error.status if error is not None else 200
    return page.render("settings/tuning.html", status, groups=groups, sent=sent, error=error, effects=EFFECTS, shown=_shown)


def _value(one: Mapping[str, Any], text: str) -> Any:
    """Read a field; what is no number is left as it is, for REST to say what it should be."""
    text = text.strip()
    if not text:
        return None
    if one["kind"] == "boolean":
        return text == "true"
    try:
        value: Any = int(text) if one["kind"] == "integer" else float(text) if one["kind"] == "number" else text
    except ValueError:
        return text
    return value if not isinstance(value, float) or isfinite(value) else text


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return "the model's own" if value is None else str(value)
