"""One saved operation: what is called, what its schemas say and how they differ, what was learned, and what happens to violations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard import charts
from hauberk.dashboard.document_difference import SideBySide, side_by_side
from hauberk.dashboard.notices import Undo
from hauberk.dashboard.page import Page, PageOf
from hauberk.dashboard.rest import Answer, RestError
from hauberk.dashboard.schema_members import Members, declared_members, learned_members
from hauberk.dashboard.text import moment

routes = APIRouter()

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WINDOWS = {"day": DAY, "week": 7 * DAY}
PAIRS = (("running", "learned"), ("running", "uploaded"), ("uploaded", "learned"))
EVENTS_SHOWN = 8
ALERTS_SHOWN = 5
VERSIONS_SHOWN = 100

MAX_HEADING = 200
"""Characters of a path in a heading; one may have 4096."""


@routes.get("/zones/{zone_name}/endpoints/{operation_id}")
async def show(page: PageOf, operation_id: str) -> Response:
    """Show requests, errors, latency, the action and the last events."""
    window = "week" if page.query.get("window") == "week" else "day"
    since = (datetime.now(UTC) - WINDOWS[window]).isoformat()
    try:
        endpoint, metrics, events, alerts = await asyncio.gather(
            page.rest.get(page.own(f"endpoints/{_quoted(operation_id)}"), since=since),
            page.rest.get(page.own(f"operations/{_quoted(operation_id)}/metrics"), since=since),
            page.rest.get(page.v4("security_events"), operation_id=operation_id, per_page=EVENTS_SHOWN),
            page.rest.get(page.own("alerts"), operation_id=operation_id, acknowledged=False, per_page=ALERTS_SHOWN),
        )
    except RestError as error:
        return _gone(page, error)
    return _render(
        page,
        "endpoints/overview.html",
        endpoint.result,
        window=window,
        events=events.result,
        alerts=alerts.result,
        event_count=events.info["total_count"],
        names={},  # of rules: an event's own page tells it
        **_charts(metrics.result, window),
    )


@routes.get("/zones/{zone_name}/endpoints/{operation_id}/schema")
async def show_schema(page: PageOf, operation_id: str) -> Response:
    """Show parameters and members of bodies, with what was learned of each and what that rests on."""
    try:
        endpoint, sides, version = await asyncio.gather(
            page.rest.get(page.own(f"endpoints/{_quoted(operation_id)}")),
            page.rest.get(page.own(f"endpoints/{_quoted(operation_id)}/schemas")),
            _newest(page, operation_id),
        )
    except RestError as error:
        return _gone(page, error)
    there = [side for side in ("learned", "uploaded") if sides.result[side] is not None]
    asked = page.query.get("of", "")
    side = asked if asked in there else there[0] if there else None
    members: Members | None = None
    if side == "learned" and version is not None:
        members = await asyncio.to_thread(learned_members, version["statement_list"])
    elif side is not None:
        members = await asyncio.to_thread(declared_members, sides.result[side]["document"])
    return _render(
        page, "endpoints/schema.html", endpoint.result, there=there, side=side, sides=sides.result, version=version, members=members
    )


@routes.get("/zones/{zone_name}/endpoints/{operation_id}/difference")
async def show_difference(page: PageOf, operation_id: str) -> Response:
    """Show two of the learned, the uploaded and the running schema side by side."""
    try:
        endpoint, sides = await asyncio.gather(
            page.rest.get(page.own(f"endpoints/{_quoted(operation_id)}")),
            page.rest.get(page.own(f"endpoints/{_quoted(operation_id)}/schemas")),
        )
    except RestError as error:
        return _gone(page, error)
    known: Mapping[str, Any] = sides.result
    possible = [pair for pair in PAIRS if all(known[side] is not None for side in pair)]
    asked = (page.query.get("before", ""), page.query.get("after", ""))
    # What differs is more worth a look than a schema beside itself.
    telling = [pair for pair in possible if known[pair[0]]["schema_id"] != known[pair[1]]["schema_id"]]
    pair = asked if asked in PAIRS else (telling or possible or PAIRS)[0]
    compared: SideBySide | None = None
    words, trouble = None, None
    if pair in possible:
        compared = await asyncio.to_thread(side_by_side, known[pair[0]]["document"], known[pair[1]]["document"])
        try:
            words = (await page.rest.get(page.own(f"endpoints/{_quoted(operation_id)}/difference"), before=pair[0], after=pair[1])).result
        except RestError as error:
            trouble = error
    return _render(
        page,
        "endpoints/difference.html",
        endpoint.result,
        sides=known,
        pairs=PAIRS,
        possible=possible,
        pair=pair,
        compared=compared,
        words=words,
        trouble=trouble,
    )


@routes.get("/zones/{zone_name}/endpoints/{operation_id}/learning")
async def show_learning(page: PageOf, operation_id: str) -> Response:
    """Show how learning stands, the versions with ways to apply and go back, and what is relaxed."""
    try:
        endpoint, learning, versions, relaxed = await asyncio.gather(
            page.rest.get(page.own(f"endpoints/{_quoted(operation_id)}")),
            page.rest.get(_learning(page, operation_id)),
            page.rest.get(_learning(page, operation_id, "versions"), per_page=VERSIONS_SHOWN),
            page.rest.get(page.own("learning/relaxed"), operation_id=operation_id, per_page=1000),
        )
    except RestError as error:
        return _gone(page, error)
    return _render(
        page, "endpoints/learning.html", endpoint.result, learning=learning.result, versions=versions.result, relaxed=relaxed.result
    )


# --- Changes ------------------------------------------------------------------------------------------------------------------------------


@routes.post("/zones/{zone_name}/endpoints/{operation_id}/action")
async def set_action(page: PageOf, operation_id: str) -> Response:
    """Set what happens to requests that break the schema."""
    action = _text(page, "action")
    wanted = {"changes": [{"mitigation_action": action or None, "operation_ids": [operation_id]}]}
    change = await page.change(lambda: page.rest.post(page.own("endpoints/actions"), wanted))
    before = change.answer.result["before"]
    undo = Undo.call("POST", page.own("endpoints/actions"), before) if before else None
    words = {"none": "pass and are not judged", "log": "pass and are logged", "block": "are refused"}
    done = f"Requests that break the schema {words[action]}." if action in words else "The zone's default holds for this endpoint."
    return page.moved(page.link("endpoints", operation_id), done=done, change=change, undo=undo)


@routes.post("/zones/{zone_name}/endpoints/{operation_id}/delete")
async def delete(page: PageOf, operation_id: str) -> Response:
    """Delete the operation."""
    change = await page.change(lambda: page.rest.post(page.own("endpoints/delete"), {"operation_ids": [operation_id]}))
    before = change.answer.result["before"]
    one = before["operations"][0]
    undo = Undo.call("POST", page.own("endpoints"), before, "Save it again")
    return page.moved(
        page.link("endpoints"), done=f"Deleted {one['method']} {one['host']}{_short(one['endpoint'])}.", change=change, undo=undo
    )


@routes.post("/zones/{zone_name}/endpoints/{operation_id}/apply")
async def apply(page: PageOf, operation_id: str) -> Response:
    """Put a learned version in force."""
    version = _version(page)
    return await _applied(page, operation_id, lambda: page.rest.post(_learning(page, operation_id, "apply"), {"version": version}))


@routes.post("/zones/{zone_name}/endpoints/{operation_id}/rollback")
async def roll_back(page: PageOf, operation_id: str) -> Response:
    """Go back to an older version, which newer ones do not replace by themselves."""
    version = _version(page)
    return await _applied(page, operation_id, lambda: page.rest.post(_learning(page, operation_id, "rollback"), {"version": version}))


@routes.post("/zones/{zone_name}/endpoints/{operation_id}/withdraw")
async def withdraw(page: PageOf, operation_id: str) -> Response:
    """Take the learned schema out of force."""
    before = (await page.rest.get(_learning(page, operation_id))).result
    change = await page.change(lambda: page.rest.delete(_learning(page, operation_id, "applied")))
    done = f"Version {before['applied_version']} is not in force any more."
    now = {"version": None, "mitigation_action": before["mitigation_action"]}
    back = now | {"version": before["applied_version"], "rolled_back": before["rolled_back"], "instead_of": now}
    undo = Undo.call("PUT", page.own("learning/in_force"), {operation_id: back})
    return page.moved(page.link("endpoints", operation_id, "learning"), done=done, change=change, undo=undo)


@routes.post("/zones/{zone_name}/endpoints/{operation_id}/relearn")
async def relearn(page: PageOf, operation_id: str) -> Response:
    """Forget what requests have shown until now."""
    await page.rest.post(_learning(page, operation_id, "relearn"))
    done = "What requests have shown is forgotten: learning begins anew with this hour. What is in force stays."
    return page.moved(page.link("endpoints", operation_id, "learning"), done=done)


@routes.post("/zones/{zone_name}/endpoints/{operation_id}/restore-rule")
async def restore_rule(page: PageOf, operation_id: str) -> Response:
    """Take it back that a rule was relaxed."""
    # As it was sent: a rule may begin or end with blanks.
    rule = str(page.form.get("rule") or "")
    path = _learning(page, operation_id, "relaxed")
    await page.rest.call("DELETE", path, query={"rule": rule})
    done = "The next run, which is asked for, learns the rule again; what is in force stays until then."
    return page.moved(page.link("endpoints", operation_id, "learning"), done=done)


@routes.post("/zones/{zone_name}/endpoints/{operation_id}/auto-apply")
async def auto_apply(page: PageOf, operation_id: str) -> Response:
    """Say whether learned schemas of the operation's host are applied by themselves."""
    host, wanted = _text(page, "host"), _text(page, "auto_apply") == "true"
    path = page.own(f"learning/hosts/{_quoted(host)}")
    change = await page.change(lambda: page.rest.put(path, {"auto_apply": wanted}))
    count = len(change.answer.result["applied"])
    if wanted:
        done = f"Learned schemas of {host} are applied by themselves from now on; {count} that were at hand are in force."
    else:
        done = f"Learned schemas of {host} are applied by you alone; what is in force stays."
    undo = Undo.call("PUT", path, {"auto_apply": not wanted}) if not count else None
    return page.moved(page.link("endpoints", operation_id, "learning"), done=done, change=change, undo=undo)


async def _applied(page: Page, operation_id: str, call: Callable[[], Any]) -> Response:
    change = await page.change(call)
    result, messages = change.answer.result, change.answer.messages
    told = " ".join(f"{message['message'].partition(': ')[2].capitalize()}." for message in messages)
    done = f"Version {result['version']} is in force. {told}" if result["outcome"] == "applied" else told
    back = {operation_id: result["before"]}
    undo = Undo.call("PUT", page.own("learning/in_force"), back) if result["outcome"] == "applied" else None
    kind = "ok" if result["outcome"] == "applied" else "warn"
    return page.moved(page.link("endpoints", operation_id, "learning"), done=done.strip(), kind=kind, change=change, undo=undo)


# --- What pages are made of ---------------------------------------------------------------------------------------------------------------


def _render(page: Page, template: str, endpoint: Mapping[str, Any], **context: Any) -> Response:
    return page.render(template, endpoint=endpoint, short=_short(endpoint["endpoint"]), **context)


def _gone(page: Page, error: RestError) -> Response:
    if error.status != 404:
        raise error
    return page.render("endpoints/gone.html", 404)


async def _newest(page: Page, operation_id: str) -> dict[str, Any] | None:
    """Give the newest learned version with its statements; `None` if none was learned, or the operation is gone."""
    try:
        answer: Answer = await page.rest.get(_learning(page, operation_id, "versions/newest"))
    except RestError as error:
        if error.status != 404:
            raise
        return None
    version: dict[str, Any] = answer.result
    return version


def _charts(metrics: Mapping[str, Any], window: str) -> dict[str, charts.Chart]:
    """Draw all hours of the time, those without requests too."""
    known = {moment(hour["hour"]): hour for hour in metrics["hours"]}
    begun = moment(metrics["since"])
    assert begun is not None  # noqa: S101 - as the API writes it
    hours = [begun + place * HOUR for place in range(int((datetime.now(UTC) - begun) / HOUR) + 1)]
    labels = [f"{hour:%H:%M}" if window == "day" else f"{hour:%a %H:%M}" for hour in hours]
    counted = [known.get(hour, {"requests": 0, "client_errors": 0, "server_errors": 0, "latency_ms": None}) for hour in hours]
    good = [hour["requests"] - hour["client_errors"] - hour["server_errors"] for hour in counted]
    series = {
        "others": good,
        "4xx": [hour["client_errors"] for hour in counted],
        "5xx": [hour["server_errors"] for hour in counted],
    }
    colours = {"others": "ok", "4xx": "warn", "5xx": "bad"}
    latency = {name: [(hour["latency_ms"] or {}).get(name) for hour in counted] for name in ("p50", "p95", "p99")}
    return {
        "requests": charts.bars("Requests by hour and status (UTC)", labels, series, colours=colours, width=760, height=190),
        "latency": charts.lines("Latency by hour (UTC)", labels, latency, width=760, height=190, unit="ms"),
    }


def _learning(page: Page, operation_id: str, *rest: str) -> str:
    return page.own("/".join(("learning/operations", _quoted(operation_id), *rest)))


def _quoted(part: str) -> str:
    return quote(part, safe="")


def _short(path: str) -> str:
    return path if len(path) <= MAX_HEADING else f"{path[:MAX_HEADING]}…"


def _version(page: Page) -> int:
    text = _text(page, "version")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # which the API refuses


def _text(page: Page, name: str) -> str:
    value = page.form.get(name)
    return value.strip() if isinstance(value, str) else ""
