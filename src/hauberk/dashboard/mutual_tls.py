"""Which hosts ask for client certificates and demand one, and the wizard that makes them do so."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.notices import Left
from hauberk.dashboard.page import COMPATIBLE, OWN, Change, Page, PageOf, Undo
from hauberk.dashboard.rest import RestError
from hauberk.operation import METHODS

routes = APIRouter()

MAX_HOSTS = 500
"""As many hosts as the wizard offers to tick; others are typed."""


@routes.get("/zones/{zone_name}/certificates/hosts")
async def hosts(page: PageOf) -> Response:
    """List the hosts, of whom they ask for certificates, and whether they demand one."""
    listed, authorities = await asyncio.gather(
        page.rest.get(page.own("mutual-tls"), page=page.number, per_page=page.per_page), _authorities(page)
    )
    return page.render("certificates/hosts.html", hosts=listed.result, info=listed.info, authorities=authorities)


@routes.post("/zones/{zone_name}/certificates/hosts")
async def change_host(page: PageOf) -> Response:
    """Associate a host with an authority, take an association away, or demand certificates no more."""
    host, do, authority = (str(page.form.get(name, "")) for name in ("host", "do", "authority"))
    [present] = (await page.rest.get(page.own("mutual-tls"), host=host)).result or [{"authorities": []}]
    ids = [one["id"] for one in present["authorities"]]
    match do:
        case "add":
            settings: dict[str, Any] = {"authorities": [*ids, authority]}
            done = f"{host} asks for certificates of this authority, too."
        case "remove":
            settings = {"authorities": [id_ for id_ in ids if id_ != authority]}
            done = f"{host} asks for certificates of this authority no more."
        case _:
            settings = {"rule": None}
            done = f"The rule by which {host} demands a certificate is deleted."
    change = await page.change(lambda: page.rest.put(page.own("mutual-tls"), {"hosts": {host: settings}}))
    return page.moved(page.link("certificates", "hosts", page=page.query.get("page")), done=done, change=change, undo=_undo(page, change))


@routes.get("/zones/{zone_name}/certificates/require")
async def wizard(page: PageOf) -> Response:
    """Ask which hosts are to demand certificates, and of which requests."""
    chosen = page.query.get("host")
    return await _wizard(page, {"hosts": [chosen] if chosen else []})


@routes.post("/zones/{zone_name}/certificates/require/preview")
async def preview(page: PageOf) -> Response:
    """Show what would be stored; nothing is changed."""
    return await _wizard(page, _wanted(page))


@routes.post("/zones/{zone_name}/certificates/require")
async def require(page: PageOf) -> Response:
    """Have hosts demand certificates: associations and rules in one change, taken back in one."""
    wanted = _wanted(page)
    try:
        change = await page.change(lambda: page.rest.post(page.own("mutual-tls/require"), wanted))
    except RestError as error:
        return await _wizard(page, wanted, error)
    names = [row["host"] for row in change.answer.result["hosts"]]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    verb = "refuses" if wanted["action"] == "block" else "logs"
    done = f"{shown}: the gateway {verb} callers without a good client certificate."
    return page.moved(page.link("certificates", "hosts"), done=done, change=change, undo=_undo(page, change))


def _undo(page: Page, change: Change) -> Undo:
    rows = change.answer.result["hosts"]
    names = [row["host"] for row in rows]
    left = Left(page.own("mutual-tls"), _demands, _demands(rows), {"host": names, "per_page": len(names)})
    return Undo.call("PUT", page.own("mutual-tls"), change.answer.result["before"], left=left)


def _demands(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Tell by host what the change is about; a host of which nothing is told has neither."""
    told = {row["host"]: ([one["id"] for one in row["authorities"]], row["rule"]) for row in rows}
    return {host: both for host, both in told.items() if both != ([], None)}


async def _wizard(page: Page, wanted: dict[str, Any], error: RestError | None = None) -> Response:
    listed, authorities = await asyncio.gather(page.rest.get(page.own("mutual-tls"), per_page=MAX_HOSTS), _authorities(page))
    would: dict[str, Any] | None = None
    would_error: RestError | None = None
    recorded: dict[str, dict[str, Any]] = {}
    if wanted["hosts"] and page.visitor.may_edit:
        try:
            would = (await page.rest.post(page.own("mutual-tls/require"), wanted, query={"dry_run": True})).result
            recorded = await _recorded(page, [row["host"] for row in would["hosts"]], wanted)
        except RestError as refused:
            would_error = refused
    offered = [row for row in listed.result if not row["host"].startswith("*.")]
    names = {row["host"] for row in offered}
    return page.render(
        "certificates/require.html",
        error.status if error is not None else 200,
        offered=offered,
        wildcards=[row["host"] for row in listed.result if row["host"].startswith("*.")],
        others=[host for host in wanted["hosts"] if host not in names],
        wanted={"action": "block", "methods": [], "paths": [], "authorities": [], **wanted},
        authorities=authorities,
        methods=METHODS,
        would=would,
        would_error=error or would_error,
        recorded=recorded,
        now={row["host"]: row for row in listed.result},
    )


async def _recorded(page: Page, hosts: list[str], wanted: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Count by host what was recorded of the requests that are meant."""
    query = {"host": hosts, "method": wanted.get("methods") or None, "path": wanted.get("paths") or None}
    return {row["host"]: row for row in (await page.rest.call("GET", page.own("mutual-tls/recorded"), query=query)).result}


def _wanted(page: Page) -> dict[str, Any]:
    lists = {name: [str(value) for value in page.form.getlist(name)] for name in ("host", "method", "authority")}
    others = str(page.form.get("others", "")).split()
    wanted: dict[str, Any] = {
        "hosts": list(dict.fromkeys([*lists["host"], *others])),
        "action": str(page.form.get("action", "block")),
        "methods": lists["method"],
        "paths": [line.strip() for line in str(page.form.get("paths", "")).splitlines() if line.strip()],
    }
    return wanted | ({"authorities": lists["authority"]} if lists["authority"] else {})


async def _authorities(page: Page) -> list[dict[str, Any]]:
    uploaded = f"{COMPATIBLE}/accounts/{page.zone['account']['id']}/mtls_certificates"
    managed, others = await asyncio.gather(page.rest.get(f"{OWN}/authority"), page.rest.get(uploaded))
    return [
        {"id": managed.result["id"], "name": managed.result["name"], "managed": True},
        *({"id": one["id"], "name": one["name"] or one["issuer"], "managed": False} for one in others.result),
    ]
