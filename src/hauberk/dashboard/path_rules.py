"""Rules on path templates: merge, split, rename, pin; each is shown with what it would do before it is added."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.page import Page, PageOf, Undo
from hauberk.dashboard.rest import RestError
from hauberk.operation import METHODS

routes = APIRouter()

MEMBERS = {"pin": ("endpoint",), "split": ("endpoint", "segment"), "merge": ("endpoints",), "rename": ("endpoint", "to")}
MAX_MERGED = 100


@routes.get("/zones/{zone_name}/discovery/templates")
async def list_rules(page: PageOf) -> Response:
    """List the owner's rules."""
    return await _list(page)


@routes.post("/zones/{zone_name}/discovery/templates/preview")
async def preview(page: PageOf) -> Response:
    """Show what a rule would change."""
    try:
        rule = await _selected(page) if page.form.get("which") == "selected" else _rule(page)
        told = (await page.rest.post(page.own("discovery/templates/preview"), rule)).result
    except RestError as error:
        return await _list(page, error, error.status)
    return page.render("discovery/rule_preview.html", rule=rule, told=told)


@routes.post("/zones/{zone_name}/discovery/templates")
async def add(page: PageOf) -> Response:
    """Add a rule, and ask for a look at the traffic, which applies it."""
    try:
        made = (await page.rest.post(page.own("discovery/templates"), _rule(page))).result
    except RestError as error:
        return await _list(page, error, error.status)
    await _look(page)
    undo = Undo.call("DELETE", page.own(f"discovery/templates/{made['id']}"))
    return page.moved(page.link("discovery"), done="The rule was added; the traffic is looked at again with it.", undo=undo)


@routes.post("/zones/{zone_name}/discovery/templates/{rule_id}/delete")
async def delete(page: PageOf, rule_id: str) -> Response:
    """Delete a rule, and ask for a look at the traffic."""
    gone = (await page.rest.delete(page.own(f"discovery/templates/{quote(rule_id, safe='')}"))).result
    await _look(page)
    again = {name: gone[name] for name in ("kind", "host", "method", "endpoint", "segment") if gone[name] is not None}
    undo = Undo.call("POST", page.own("discovery/templates"), again, "Put it back")
    return page.moved(page.link("discovery", "templates"), done="The rule was deleted; discovery decides again.", undo=undo)


async def _list(page: Page, error: RestError | None = None, status: int = 200) -> Response:
    rules, summary = await asyncio.gather(
        page.rest.get(page.own("discovery/templates"), page=page.number, per_page=page.per_page),
        page.rest.get(page.own("discovery/summary")),
    )
    methods = [("", "All methods"), *((name, name) for name in METHODS)]
    given = {name: str(page.form.get(name) or "") for name in ("host", "method", "endpoint")}
    return page.render(
        "discovery/rules.html",
        status,
        rules=rules.result,
        info=rules.info,
        hosts=summary.result["hosts"],
        methods=methods,
        error=error,
        given=given,
    )


async def _look(page: Page) -> None:
    try:
        await page.rest.post(page.own("discovery/refresh"))
    except RestError as error:
        if error.status != 409:  # no traffic to look at: the next look will find the rule
            raise


def _rule(page: Page) -> dict[str, Any]:
    """Read a rule from a form; the REST API tells what is wrong with it."""
    form = page.form
    kind = str(form.get("kind") or "")
    rule: dict[str, Any] = {"kind": kind, "host": str(form.get("host") or "")}
    if form.get("method"):
        rule["method"] = str(form["method"])
    for name in MEMBERS.get(kind, ()):
        if name == "endpoints":
            rule[name] = list(dict.fromkeys(str(endpoint) for endpoint in form.getlist("endpoints")))
        elif name == "segment":
            text = str(form.get("segment") or "")
            rule[name] = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
        else:
            rule[name] = str(form.get(name) or "")
    return rule


async def _selected(page: Page) -> dict[str, Any]:
    """Make a merge of the candidates that were selected in the list."""
    ids = [str(id_) for id_ in page.form.getlist("id")][:MAX_MERGED]
    rows = [(await page.rest.get(page.own(f"discovery/candidates/{quote(id_, safe='')}"))).result for id_ in ids]
    if len(rows) < 2 or len({row["host"] for row in rows}) > 1:
        raise RestError(400, [{"message": "select two operations or more of one host to merge them"}])
    methods = {row["method"] for row in rows}
    rule = {"kind": "merge", "host": rows[0]["host"], "endpoints": list(dict.fromkeys(row["endpoint"] for row in rows))}
    return rule | ({"method": methods.pop()} if len(methods) == 1 else {})
