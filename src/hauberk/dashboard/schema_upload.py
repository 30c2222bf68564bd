"""Uploading a schema: a file or pasted text is looked at first, then saved with what is to be done about requests that break it."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from hauberk.dashboard.page import Page, PageOf, Undo
from hauberk.dashboard.rest import RestError
from hauberk.dashboard.schemas import ACTIONS, ROOT, action_counts, tab_counts
from hauberk.dashboard.text import number

routes = APIRouter()

# More than this nobody reads on a page; the counts beside say the rest.
SHOWN_OPERATIONS = 300
SHOWN_PLACES = 20
ACTION_OF = "action of "


@routes.get(ROOT + "/new")
async def new(page: PageOf) -> Response:
    """Show the form."""
    return await _form(page)


@routes.post(ROOT + "/preview")
async def preview(page: PageOf) -> Response:
    """Look at the document in the form."""
    return await _form(page)


@routes.post(ROOT + "/new")
async def upload(page: PageOf) -> Response:
    """Upload the document in the form."""
    try:
        source = await _source(page, required=True)
        body = {
            "name": str(page.form.get("name", "")).strip() or None,
            "source": source,
            "validation_enabled": page.form.get("enabled") == "1",
            "save_operations": page.form.get("save") == "1",
            "mitigation_actions": {host: action for host, action in _actions(page).items() if action},
            **_host(page),
        }
        change = await page.change(lambda: page.rest.post(page.own("schemas"), body))
    except RestError as error:
        return await _form(page, error)
    schema = change.answer.result
    actions = await action_counts(page, schema["schema_id"])
    is_idle = schema["validation_enabled"] and not actions["log"] and not actions["block"]
    counts = f"{number(schema['operations'])} operations on {len(schema['hosts'])} host{'s' * (len(schema['hosts']) != 1)}"
    warned = f", {number(schema['warnings'])} warning{'s' * (schema['warnings'] != 1)} below" if schema["warnings"] else ""
    state = "is off until you switch it on" if not schema["validation_enabled"] else "refuses nothing yet" if is_idle else "judges requests"
    done = f"{schema['name']} is uploaded and {state}: {counts}{warned}."
    undo = _undo(page, schema["schema_id"], schema["changed"]["undo"])
    address = page.link("schemas", "uploaded", schema["schema_id"])
    return page.moved(address, done=done, kind="warn" if is_idle else "ok", change=change, undo=undo)


def _undo(page: Page, schema_id: str, undo: dict[str, Any]) -> Undo:
    calls: list[tuple[str, str, Any]] = [("POST", page.own("endpoints/actions"), undo["actions"])] if undo["actions"] else []
    calls += [("POST", page.own("endpoints/delete"), some) for some in undo["delete"]]
    calls.append(("DELETE", page.v4(f"schema_validation/schemas/{schema_id}"), None))
    return Undo(tuple(calls), "Undo the upload", page.link("schemas"))


async def _form(page: Page, error: RestError | None = None) -> Response:
    look: dict[str, Any] | None = None
    source = ""
    try:
        source = await _source(page)
        if source.strip():
            look = (await page.rest.post(page.own("schemas/preview"), _look(page, source))).result
    except RestError as refusal:
        error = error or refusal
    settings, tabs, hosts = await asyncio.gather(
        page.rest.get(page.v4("schema_validation/settings")), tab_counts(page), page.rest.get(page.own("hosts"), per_page=5000)
    )
    is_new = not page.form
    values = {
        "name": str(page.form.get("name", "")),
        "host": str(page.form.get("host", "")),
        # A script takes the look alone: it has the document already.
        "source": "" if page.is_part else source,
        "enabled": is_new or page.form.get("enabled") == "1",
        "save": is_new or page.form.get("save") == "1",
        "actions": _actions(page),
    }
    return page.render(
        "schemas/new.html",
        200 if error is None else error.status,
        look=look,
        error=error,
        values=values,
        hosts=[one["name"] for one in hosts.result if not one["name"].startswith("*.")],
        default_action=settings.result["validation_default_mitigation_action"],
        tabs=tabs,
        shown=SHOWN_OPERATIONS,
        shown_places=SHOWN_PLACES,
        action_of=ACTION_OF,
    )


async def _source(page: Page, *, required: bool = False) -> str:
    """Give the document: of a file if there is one, else as it was pasted."""
    file = page.form.get("file")
    if isinstance(file, UploadFile) and file.size:
        try:
            return (await file.read()).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            message = f"the document is not UTF-8: byte {error.start} cannot be read; save it as UTF-8"
            raise RestError(400, [{"message": message}]) from None
        finally:
            await file.seek(0)
    source = str(page.form.get("source", ""))
    if required and not source.strip():
        raise RestError(400, [{"message": "there is no document: choose a file, or paste its text"}])
    return source


def _host(page: Page) -> dict[str, str]:
    host = str(page.form.get("host", "")).strip()
    return {"host": host} if host else {}


def _look(page: Page, source: str) -> dict[str, str]:
    return {"source": source, **_host(page)}


def _actions(page: Page) -> dict[str, str]:
    """Give the actions that were chosen, by host; empty where each operation keeps its own."""
    chosen = {name.removeprefix(ACTION_OF): str(value) for name, value in page.form.items() if name.startswith(ACTION_OF)}
    return {host: action for host, action in chosen.items() if action in {"", *ACTIONS}}
