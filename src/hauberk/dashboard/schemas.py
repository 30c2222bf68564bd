"""Uploaded schemas: listed, shown, switched on and off, deleted; what is done about requests that break any; documents to take away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.notices import Left
from hauberk.dashboard.page import Page, PageOf, Undo

routes = APIRouter()

ROOT = "/zones/{zone_name}/schemas"
ACTIONS = ("none", "log", "block")
# What an undo of a deletion would hold in memory for an hour.
MAX_KEPT_CHARACTERS = 8_000_000


@routes.get(ROOT)
async def list_schemas(page: PageOf) -> Response:
    """List uploaded schemas, and what is done about requests that break one."""
    schemas, settings, hosts, tabs = await asyncio.gather(
        page.rest.get(page.own("schemas"), page=page.number, per_page=page.per_page),
        page.rest.get(page.v4("schema_validation/settings")),
        page.rest.get(page.own("learning/hosts"), per_page=5000),
        tab_counts(page),
    )
    return page.render(
        "schemas/list.html",
        schemas=schemas.result,
        info=schemas.info,
        default_action=settings.result["validation_default_mitigation_action"],
        override=settings.result["validation_override_mitigation_action"],
        hosts=[one["host"] for one in hosts.result],
        tabs=tabs,
    )


@routes.post(ROOT + "/default-action")
async def set_default_action(page: PageOf) -> Response:
    """Set what is done about requests to operations without an action of their own."""
    action = str(page.form.get("action", ""))
    what = {"none": "off: requests that break a schema pass", "log": "log", "block": "block"}.get(action, action)
    return await _set(page, "validation_default_mitigation_action", action, f"The zone's default action is now {what}.")


@routes.post(ROOT + "/override")
async def set_override(page: PageOf) -> Response:
    """Switch all schema validation of the zone off, or on again."""
    is_off = page.form.get("override") == "none"
    done = "All schema validation of this zone is off: every request passes." if is_off else "Schema validation is on again."
    return await _set(page, "validation_override_mitigation_action", "none" if is_off else None, done, kind="warn" if is_off else "ok")


async def _set(page: Page, name: str, value: str | None, done: str, kind: str = "ok") -> Response:
    path = page.v4("schema_validation/settings")
    before = (await page.rest.get(path)).result
    change = await page.change(lambda: page.rest.patch(path, {name: value}))
    undo = Undo.call("PATCH", path, {name: before[name]}, left=Left(path, lambda now: now[name], value)) if before[name] != value else None
    return page.moved(page.link("schemas"), done=done, kind=kind, change=change, undo=undo)


@routes.get(ROOT + "/export")
async def export(page: PageOf, host: str = "", kind: str = "saved") -> Response:
    """Give the OpenAPI document of a host's operations: all that are saved, or those that were learned, as a file."""
    if kind == "learned":
        found = (await page.rest.get(page.own("learning/schemas"), host=host or None)).result
        documents = [one["document"] for one in found]
    else:
        documents = (await page.rest.get(page.v4("api_gateway/schemas"), host=host or None)).result["schemas"]
    if not documents:
        return page.moved(page.link("schemas"), done="There is nothing to export: no operation is saved or learned there.", kind="warn")
    text = json.dumps(documents[0] if len(documents) == 1 else documents, indent=2, ensure_ascii=False)
    headers = {"Content-Disposition": f'attachment; filename="{kind if kind == "learned" else "saved"}-operations.json"'}
    return Response(text.encode(errors="replace"), media_type="application/json", headers=headers)


@routes.get(ROOT + "/uploaded/{schema_id}")
async def show(page: PageOf, schema_id: str, status: str = "") -> Response:
    """Show an uploaded schema: its warnings with their places, and its operations."""
    operations = page.v4(f"api_gateway/user_schemas/{part(schema_id)}/operations")
    wanted = {"new": "new", "existing": "existing"}.get(status)
    schema, listed, tabs, actions = await asyncio.gather(
        page.rest.get(page.own(f"schemas/{part(schema_id)}")),
        page.rest.get(operations, operation_status=wanted, feature="schema_info", page=page.number, per_page=page.per_page),
        tab_counts(page),
        action_counts(page, schema_id),
    )
    return page.render(
        "schemas/show.html",
        schema=schema.result,
        operations=listed.result,
        info=listed.info,
        which=wanted,
        tabs=tabs,
        actions=actions,
    )


@routes.get(ROOT + "/uploaded/{schema_id}/source")
async def download(page: PageOf, schema_id: str) -> Response:
    """Download the text of a schema."""
    return page.rest.forward(page.own(f"schemas/{part(schema_id)}/source"))


@routes.post(ROOT + "/uploaded/{schema_id}/enabled")
async def enable(page: PageOf, schema_id: str) -> Response:
    """Switch a schema on or off."""
    path, enabled = page.v4(f"schema_validation/schemas/{part(schema_id)}"), page.form.get("enabled") == "1"
    change = await page.change(lambda: page.rest.patch(path, {"validation_enabled": enabled}))
    name = change.answer.result["name"]
    done = f"{name} is on: requests to its operations are judged by it." if enabled else f"{name} is off: it judges no request."
    undo = Undo.call("PATCH", path, {"validation_enabled": not enabled})
    return page.moved(page.link("schemas", "uploaded", schema_id), done=done, change=change, undo=undo)


@routes.post(ROOT + "/uploaded/{schema_id}/delete")
async def delete(page: PageOf, schema_id: str) -> Response:
    """Delete a schema; it can be put back as it was."""
    path = page.v4(f"schema_validation/schemas/{part(schema_id)}")
    schema, whole = await asyncio.gather(page.rest.get(path), page.rest.get(page.own(f"schemas/{part(schema_id)}")))
    before, hosts = schema.result, whole.result["hosts"]
    change = await page.change(lambda: page.rest.delete(path))
    undo = None
    if len(before["source"]) <= MAX_KEPT_CHARACTERS:
        body = {name: before[name] for name in ("name", "source", "validation_enabled", "created_at")}
        # Its servers may have named none: then the host was said at the upload.
        body |= {"host": hosts[0]["host"]} if len(hosts) == 1 and hosts[0]["in_zone"] else {}
        undo = Undo.call("PUT", page.own(f"schemas/{part(schema_id)}"), body, "Put it back")
    done = f"{before['name']} is deleted. The operations that it declares stay saved."
    return page.moved(page.link("schemas"), done=done, change=change, undo=undo)


async def tab_counts(page: Page) -> dict[str, int]:
    """Count what the tabs of these pages count: uploads, learned schemas that wait to be applied, open alerts."""
    uploads, ready, alerts = await asyncio.gather(
        page.rest.get(page.own("schemas"), per_page=1),
        page.rest.get(page.own("learning/operations"), ready=True, per_page=1),
        page.rest.get(page.own("alerts"), acknowledged=False, per_page=1),
    )
    return {"uploaded": uploads.info["total_count"], "ready": ready.info["total_count"], "alerts": alerts.info["total_count"]}


async def action_counts(page: Page, schema_id: str) -> dict[str, int]:
    """Count the saved operations that a schema declares by what happens to requests that break it."""
    counts = (await page.rest.get(page.own("endpoints/counts"), schema=schema_id)).result
    return {action: counts["actions"].get(action, 0) for action in ACTIONS}


def part(text: str) -> str:
    """Quote a part of an address that a visitor has named."""
    return quote(text, safe="")


def batches(items: Sequence[Any], size: int = 5000) -> list[Sequence[Any]]:
    """Split what one REST call takes too few of."""
    return [items[at : at + size] for at in range(0, len(items), size)]
