"""Settings, hosts and zones: the names that gateways serve, where their requests go, and by which certificate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from hauberk.certificate import file_name
from hauberk.dashboard.addresses import link
from hauberk.dashboard.notices import Left, Undo
from hauberk.dashboard.page import OWN, Page, PageOf
from hauberk.dashboard.rest import RestError

routes = APIRouter()

ZONES = "/settings/zones"
HOSTS = "/zones/{zone_name}/settings"
# A chain and its key are a few kilobytes; REST has the exact bounds.
MAX_PEM_BYTES = 2**18


@routes.get(ZONES)
async def list_zones(page: PageOf) -> Response:
    """List the zones, and offer to make one."""
    return page.render("settings/zones.html", error=None, name="")


@routes.post(ZONES)
async def make_zone(page: PageOf) -> Response:
    """Make a zone."""
    name = str(page.form.get("name", "")).strip()
    try:
        change = await page.change(lambda: page.rest.post(f"{OWN}/zones", {"name": name}))
    except RestError as error:
        return page.render("settings/zones.html", error.status, error=error, name=name)
    made = change.answer.result["name"]
    return page.moved(link(made, "settings"), done=f"The zone {made} is made. Its hosts come next.", change=change)


@routes.get(HOSTS)
async def list_hosts(page: PageOf) -> Response:
    """List the zone's hosts."""
    hosts = await page.rest.get(page.own("hosts"), page=page.number, per_page=page.per_page)
    return page.render("settings/hosts.html", hosts=hosts.result, info=hosts.info)


@routes.get(HOSTS + "/hosts/new")
async def new_host(page: PageOf) -> Response:
    """Offer to add a host."""
    return _form(page, None, {"name": "", "upstreams": ""})


@routes.post(HOSTS + "/hosts")
async def add_host(page: PageOf) -> Response:
    """Add a host."""
    name = str(page.form.get("name", "")).strip()
    try:
        body = {"name": name, **await _wanted(page)}
        change = await page.change(lambda: page.rest.post(page.own("hosts"), body))
    except RestError as error:
        return _form(page, None, {"name": name, "upstreams": str(page.form.get("upstreams", ""))}, error)
    made = change.answer.result
    path = page.own("hosts") + link(None, made["name"])
    undo = Undo.call("DELETE", path, label="Take it out again", left=Left(path, _plain, _plain(made)))
    return page.moved(page.link("settings"), done=_told(f"{made['name']} is served.", made), change=change, undo=undo, kind=_kind(made))


@routes.get(HOSTS + "/hosts/{name}")
async def show_host(page: PageOf, name: str) -> Response:
    """Show a host, and offer to change it."""
    host = await _host(page, name)
    return _form(page, host, {"name": host["name"], "upstreams": "\n".join(host["upstreams"])})


@routes.post(HOSTS + "/hosts/{name}")
async def change_host(page: PageOf, name: str) -> Response:
    """Change a host's upstreams or certificate."""
    host = await _host(page, name)
    path = page.own("hosts") + link(None, name)
    try:
        body = await _wanted(page)
        change = await page.change(lambda: page.rest.put(path, body))
    except RestError as error:
        return _form(page, host, {"name": name, "upstreams": str(page.form.get("upstreams", ""))}, error)
    # The key of the certificate before is told by nobody, so only upstreams can be put back.
    made = change.answer.result
    left = Left(path, lambda now: now["upstreams"], made["upstreams"])
    undo = None if "certificate_pem" in body else Undo.call("PUT", path, {"upstreams": host["upstreams"]}, left=left)
    return page.moved(page.link("settings"), done=_told(f"{name} is changed.", made), change=change, undo=undo, kind=_kind(made))


@routes.post(HOSTS + "/hosts/{name}/remove")
async def remove_host(page: PageOf, name: str) -> Response:
    """Take a host out of service."""
    change = await page.change(lambda: page.rest.delete(page.own("hosts") + link(None, name)))
    return page.moved(page.link("settings"), done=f"{name} is not served any more. Its saved operations stay.", change=change)


@routes.get(HOSTS + "/hosts/{name}/certificate.pem")
async def download(page: PageOf, name: str) -> Response:
    """Give a host's certificate, for clients that have to trust it."""
    host = await _host(page, name)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(name)}.pem"'}
    return Response(host["certificate_pem"], media_type="application/x-pem-file", headers=headers)


async def _host(page: Page, name: str) -> dict[str, Any]:
    return dict((await page.rest.get(page.own("hosts") + link(None, name))).result)


def _plain(host: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what only the answer to a change tells."""
    return {name: value for name, value in host.items() if name != "warnings"}


async def _wanted(page: Page) -> dict[str, Any]:
    """Read upstreams, and certificate and key if they were given, as text or as files."""
    body: dict[str, Any] = {"upstreams": str(page.form.get("upstreams", "")).split()}
    for name in ("certificate_pem", "private_key_pem"):
        text = str(page.form.get(name, "") or "").strip()
        upload = page.form.get(f"{name}_file")
        if not text and isinstance(upload, UploadFile) and upload.filename:
            text = (await upload.read(MAX_PEM_BYTES)).decode("ascii", "replace").strip()
        if text:
            body[name] = text + "\n"
    return body


def _form(page: Page, host: dict[str, Any] | None, values: dict[str, str], error: RestError | None = None) -> Response:
    # The private key that was sent does not come back: it would stand in the page.
    return page.render("settings/host.html", error.status if error is not None else 200, host=host, values=values, error=error)


def _told(text: str, made: dict[str, Any]) -> str:
    return " ".join([text, *(f"{warning[:1].upper()}{warning[1:]}." for warning in made["warnings"])])


def _kind(made: dict[str, Any]) -> str:
    return "warn" if made["warnings"] else "ok"
