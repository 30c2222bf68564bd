"""Learned schemas: how far learning is, what is ready to be put in force, and on which hosts that happens by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.page import Page, PageOf, Undo
from hauberk.dashboard.rest import RestError
from hauberk.dashboard.schemas import ROOT, batches, part, tab_counts
from hauberk.dashboard.text import number

routes = APIRouter()

STATES = {
    "ready": "Ready to apply",
    "schema_learned": "Learned",
    "learning": "Learning",
    "no_usable_traffic": "No traffic",
    "learning_failed": "Failed",
    "no_result": "Not looked at yet",
}
# What applying does about the action of an operation; empty: an operation without one of its own starts with log.
APPLY_ACTIONS = ("", "log", "block", "keep")
MAX_PAGES = 100


@routes.get(ROOT + "/learned")
async def list_learned(page: PageOf) -> Response:
    """Show how learning stands, for the zone and for each operation."""
    status, listed, hosts, relaxed, tabs = await asyncio.gather(
        page.rest.get(page.own("learning")),
        page.rest.get(page.own("learning/operations"), **_filters(page), page=page.number, per_page=page.per_page),
        page.rest.get(page.own("learning/hosts"), per_page=5000),
        page.rest.get(page.own("learning/relaxed"), per_page=200),
        tab_counts(page),
    )
    return page.render(
        "learning/list.html",
        run=status.result,
        operations=listed.result,
        info=listed.info,
        hosts=hosts.result,
        relaxed=relaxed.result,
        relaxed_total=relaxed.info["total_count"],
        tabs=tabs,
        states=STATES,
        filters={name: page.query.get(name, "") for name in ("state", "host", "method", "endpoint")},
    )


@routes.get(ROOT + "/learned/run")
async def show_run(page: PageOf) -> Response:
    """Tell how far the run is: a part of the page, which asks for it while one is under way."""
    return page.render("learning/run.html", run=(await page.rest.get(page.own("learning"))).result)


@routes.post(ROOT + "/learned/run")
async def learn_now(page: PageOf) -> Response:
    """Ask for a run."""
    try:
        await page.rest.post(page.own("learning/run"))
    except RestError as error:
        return page.moved(page.link("schemas", "learned"), done=error.message, kind="bad")
    return page.moved(page.link("schemas", "learned"))


@routes.post(ROOT + "/learned/cancel")
async def cancel(page: PageOf) -> Response:
    """Cancel the run."""
    try:
        await page.rest.delete(page.own("learning/run"))
    except RestError as error:
        return page.moved(page.link("schemas", "learned"), done=error.message, kind="warn")
    done = "The run is being cancelled. What it has learned in whole steps stays; the next one goes on from there."
    return page.moved(page.link("schemas", "learned"), done=done)


@routes.post(ROOT + "/learned/apply")
async def apply(page: PageOf) -> Response:
    """Put the newest learned schemas of the chosen operations in force, or of all that are ready."""
    chosen = [str(value) for value in page.form.getlist("operation_id")]
    ids = await _ready_ids(page) if page.form.get("all") == "1" else [str(page.form["one"])] if "one" in page.form else chosen
    address = page.link("schemas", "learned", **{name: str(page.form.get(f"filter_{name}", "")) for name in ("state", "host", "endpoint")})
    if not ids:
        return page.moved(address, done="Nothing was applied: no operation was chosen.", kind="warn")
    action = str(page.form.get("action", ""))
    asked = {"mitigation_action": action} if action in APPLY_ACTIONS[1:] else {}
    applied: list[dict[str, Any]] = []
    said: list[str] = []

    async def put_in_force() -> Any:
        answer = None
        for some in batches(ids):
            answer = await page.rest.post(page.own("learning/apply"), {"operation_ids": some, **asked})
            applied.extend(answer.result)
            said.extend(str(message["message"]) for message in answer.messages)
        return answer

    try:
        change = await page.change(put_in_force)
    except RestError as error:
        return page.moved(address, done=f"Not applied: {error.message}", kind="bad")
    count = sum(one["outcome"] == "applied" for one in applied)
    done = f"{number(count)} learned schema{'s are' if count != 1 else ' is'} in force now."
    if said:
        done += " " + " ".join(f"{text[:1].upper()}{text[1:]}." for text in said[:4])
    before = {one["operation_id"]: one["before"] for one in applied if one["outcome"] in {"applied", "unchanged"}}
    undo = Undo.call("PUT", page.own("learning/in_force"), before) if before else None
    return page.moved(address, done=done, kind="ok" if count else "warn", change=change, undo=undo)


@routes.post(ROOT + "/learned/automatic")
async def set_automatic(page: PageOf) -> Response:
    """Say whether learned schemas of a host are applied by themselves."""
    host, wanted = str(page.form.get("host", "")), page.form.get("automatic") == "1"
    path = page.own(f"learning/hosts/{part(host)}")
    change = await page.change(lambda: page.rest.put(path, {"auto_apply": wanted}))
    applied = change.answer.result["applied"]
    done = f"What is learned of {host} is applied by itself from now on, {number(len(applied))} at once." if wanted else None
    calls: list[tuple[str, str, Any]] = [("PUT", path, {"auto_apply": not wanted})]
    if applied:
        calls.append(("PUT", page.own("learning/in_force"), {one["operation_id"]: one["before"] for one in applied}))
    return page.moved(
        page.link("schemas", "learned"),
        done=done or f"What is learned of {host} waits until it is applied; what is in force stays.",
        change=change,
        undo=Undo(tuple(calls)),
    )


@routes.post(ROOT + "/learned/restore")
async def restore(page: PageOf) -> Response:
    """Take it back that a rule was relaxed."""
    operation_id, rule = str(page.form.get("operation_id", "")), str(page.form.get("rule", ""))
    path = page.own(f"learning/operations/{part(operation_id)}/relaxed")
    change = await page.change(lambda: page.rest.call("DELETE", path, query={"rule": rule}))
    done = f"The rule {rule} may be learned again; what is in force stays until a schema with it is applied."
    undo = Undo.call("POST", path, {"rules": [rule]}, "Relax it again")
    return page.moved(page.link("schemas", "learned"), done=done, change=change, undo=undo)


def _filters(page: Page) -> dict[str, Any]:
    state = page.query.get("state", "")
    return {
        "state": state if state in STATES and state != "ready" else None,
        "ready": True if state == "ready" else None,
        **{name: page.query.get(name) or None for name in ("host", "method", "endpoint")},
    }


async def _ready_ids(page: Page) -> list[str]:
    ids: list[str] = []
    for at in range(1, MAX_PAGES + 1):
        answer = await page.rest.get(page.own("learning/operations"), ready=True, page=at, per_page=5000)
        ids += [one["operation_id"] for one in answer.result]
        if len(ids) >= answer.info["total_count"]:
            break
    return ids
