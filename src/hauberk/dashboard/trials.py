"""Trials: what schemas would have refused of recorded requests; rules relaxed, and operations switched to block, on that word."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.page import Page, PageOf, Undo
from hauberk.dashboard.rest import RestError
from hauberk.dashboard.schemas import ROOT, part, tab_counts
from hauberk.dashboard.text import number

routes = APIRouter()

SHOWN_OPERATIONS = 500
DOCUMENTS = {
    "next": "Uploaded, else newest learned",
    "learned": "Newest learned alone",
    "in_force": "What is in force now",
}
REQUESTS = ("10000", "100000", "1000000")


@routes.get(ROOT + "/trial")
async def new(page: PageOf) -> Response:
    """Show the form and the last trials."""
    return await _form(page)


@routes.post(ROOT + "/trial")
async def start(page: PageOf) -> Response:
    """Begin a trial."""
    form = {name: str(page.form.get(name, "")) for name in ("host", "operation_id", "document", "most")}
    body: dict[str, Any] = {
        "everything": page.form.get("everything") == "1",
        "most": int(form["most"]) if form["most"] in REQUESTS else 100_000,
    }
    if form["operation_id"]:
        body["operation_ids"] = [form["operation_id"]]
    elif form["host"]:
        body["hosts"] = [form["host"]]
    body |= {"schemas": form["document"]} if form["document"] in DOCUMENTS else {"schema_id": form["document"]}
    try:
        begun = (await page.rest.post(page.own("learning/trials"), body)).result
    except RestError as error:
        return await _form(page, error)
    return page.moved(page.link("schemas", "trial", begun["id"]))


@routes.get(ROOT + "/trial/{trial_id}")
async def show(page: PageOf, trial_id: str) -> Response:
    """Show how far a trial is, and what came of it."""
    trial, tabs = await asyncio.gather(page.rest.get(page.own(f"learning/trials/{part(trial_id)}")), tab_counts(page))
    result = trial.result["result"]
    operations = {one["operation_id"]: one for one in result["operations"]} if result else {}
    relaxed = await page.rest.get(page.own("learning/relaxed"), per_page=5000) if result else None
    return page.render(
        "trials/show.html",
        trial=trial.result,
        result=result,
        operations=operations,
        clean=[one for one in operations.values() if one["requests"] and not one["refused"] and one["schema"] != "given"][
            :SHOWN_OPERATIONS
        ],
        relaxed={(one["operation_id"], one["rule"]) for one in relaxed.result} if relaxed is not None else set(),
        documents=DOCUMENTS,
        tabs=tabs,
    )


@routes.post(ROOT + "/trial/{trial_id}/cancel")
async def cancel(page: PageOf, trial_id: str) -> Response:
    """Cancel a trial."""
    address = page.link("schemas", "trial", trial_id)
    try:
        await page.rest.delete(page.own(f"learning/trials/{part(trial_id)}"))
    except RestError as error:
        return page.moved(address, done=error.message, kind="warn")
    return page.moved(address)


@routes.post(ROOT + "/trial/{trial_id}/relax")
async def relax(page: PageOf, trial_id: str) -> Response:
    """Relax a rule that the trial has seen broken."""
    address = page.link("schemas", "trial", trial_id)
    operation_id, rule = str(page.form.get("operation_id", "")), str(page.form.get("rule", ""))
    operation = page.own(f"learning/operations/{part(operation_id)}")
    try:
        before = (await page.rest.get(operation)).result
        change = await page.change(lambda: page.rest.post(f"{operation}/relaxed", {"rules": [rule]}))
    except RestError as error:
        return page.moved(address, done=f"Not relaxed: {error.message}", kind="bad")
    told = change.answer.result
    calls: list[tuple[str, str, Any]] = []
    if told["in_force"] and before["applied_version"] is not None:
        now = (await page.rest.get(operation)).result
        standing, instead_of = (
            {"version": one["applied_version"], "mitigation_action": one["mitigation_action"], "rolled_back": one["rolled_back"]}
            for one in (before, now | {"applied_version": told["version"]})
        )
        calls.append(("PUT", page.own("learning/in_force"), {operation_id: standing | {"instead_of": instead_of}}))
    calls.append(("DELETE", f"{operation}/relaxed?rule={part(rule)}", None))
    where = "in force at once" if told["in_force"] else "ready to be applied"
    done = f"Relaxed {rule} of {before['method']} {before['host']}{before['endpoint']}: version {told['version']} without it is {where}."
    return page.moved(address, done=done, change=change, undo=Undo(tuple(calls), "Restore the rule"))


@routes.post(ROOT + "/trial/{trial_id}/block")
async def block(page: PageOf, trial_id: str) -> Response:
    """Put the schemas that were tried in force for the chosen operations, and refuse what breaks them."""
    address = page.link("schemas", "trial", trial_id)
    result = (await page.rest.get(page.own(f"learning/trials/{part(trial_id)}"))).result["result"]
    chosen = {str(value) for value in page.form.getlist("operation_id")}
    tried = [one for one in (result or {"operations": []})["operations"] if one["operation_id"] in chosen and not one["refused"]]
    wanted = {
        one["operation_id"]: {"mitigation_action": "block"} | ({"version": one["version"]} if one["schema"] == "learned" else {})
        for one in tried
        if one["schema"] != "given"
    }
    if not wanted:
        return page.moved(address, done="Nothing was changed: no operation was chosen.", kind="warn")
    path = page.own("learning/in_force")
    try:
        change = await page.change(lambda: page.rest.put(path, wanted))
    except RestError as error:
        return page.moved(address, done=f"Nothing was changed: {error.message}", kind="bad")
    count = len(wanted)
    done = f"{number(count)} operation{'s refuse' if count != 1 else ' refuses'} requests that break the schema that was tried."
    return page.moved(address, done=done, change=change, undo=Undo.call("PUT", path, change.answer.result["before"]))


async def _form(page: Page, error: RestError | None = None) -> Response:
    trials, hosts, uploads, tabs = await asyncio.gather(
        page.rest.get(page.own("learning/trials"), per_page=50),
        page.rest.get(page.own("learning/hosts"), per_page=5000),
        page.rest.get(page.own("schemas"), per_page=200),
        tab_counts(page),
    )
    names = ("host", "operation_id", "document", "most")
    values = {name: str(page.form.get(name, page.query.get(name, ""))) for name in names} | {
        "everything": page.form.get("everything") == "1"
    }
    operation = None
    if values["operation_id"]:
        try:
            operation = (await page.rest.get(page.own(f"learning/operations/{part(str(values['operation_id']))}"))).result
        except RestError as missing:
            error = error or missing
    return page.render(
        "trials/new.html",
        200 if error is None else error.status,
        trials=trials.result,
        hosts=[one["host"] for one in hosts.result],
        documents=list(DOCUMENTS.items()) + [(one["schema_id"], f"Uploaded: {one['name']}") for one in uploads.result],
        sizes=[(count, number(int(count))) for count in REQUESTS],
        values=values,
        operation=operation,
        error=error,
        tabs=tabs,
    )
