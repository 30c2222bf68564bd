"""Certificate authorities: the managed one, and those the owner uploaded."""

from __future__ import annotations

import asyncio
from uuid import UUID

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from hauberk.dashboard.page import COMPATIBLE, OWN, Page, PageOf, Undo
from hauberk.dashboard.rest import Answer, RestError

routes = APIRouter()


@routes.get("/zones/{zone_name}/certificates/authorities")
async def list_authorities(page: PageOf) -> Response:
    """Show the authorities."""
    return await _list(page)


@routes.get("/zones/{zone_name}/certificates/authorities/managed.pem")
async def download_managed(page: PageOf) -> Response:
    """Give the managed authority's certificate as a file."""
    return _file(await page.rest.get(f"{OWN}/authority/certificate.pem"), "authority.pem")


@routes.get("/zones/{zone_name}/certificates/authorities/managed.crl")
async def download_revocations(page: PageOf) -> Response:
    """Give the managed authority's revocation list as a file."""
    return _file(await page.rest.get(f"{OWN}/authority/crl"), "authority.crl")


@routes.post("/zones/{zone_name}/certificates/authorities")
async def upload(page: PageOf) -> Response:
    """Upload an authority."""
    file = page.form.get("file")
    text = str(page.form.get("certificates", ""))
    if isinstance(file, UploadFile) and file.size:
        text = (await file.read()).decode("ascii", "replace")
    body = {"ca": True, "certificates": text, "name": str(page.form.get("name", "")).strip()}
    try:
        change = await page.change(lambda: page.rest.post(_uploaded(page), body))
    except RestError as error:
        return await _list(page, error)
    uploaded = change.answer.result
    undo = Undo.call("DELETE", f"{_uploaded(page)}/{uploaded['id']}", label="Delete it again")
    done = f"The authority {uploaded['name'] or uploaded['issuer']} is uploaded. Associate hosts with it under Hosts."
    return page.moved(page.link("certificates", "authorities"), done=done, change=change, undo=undo)


@routes.post("/zones/{zone_name}/certificates/authorities/{authority_id:uuid}/delete")
async def delete(page: PageOf, authority_id: UUID) -> Response:
    """Delete an uploaded authority."""
    try:
        change = await page.change(lambda: page.rest.delete(f"{_uploaded(page)}/{authority_id}"))
    except RestError as error:
        return await _list(page, error)
    gone = change.answer.result
    undo = Undo.call("POST", _uploaded(page), {"ca": True, "certificates": gone["certificates"], "name": gone["name"]}, "Upload it again")
    return page.moved(
        page.link("certificates", "authorities"),
        done=f"The authority {gone['name'] or gone['issuer']} is deleted.",
        change=change,
        undo=undo,
    )


def _uploaded(page: Page) -> str:
    return f"{COMPATIBLE}/accounts/{page.zone['account']['id']}/mtls_certificates"


async def _list(page: Page, error: RestError | None = None) -> Response:
    managed, uploaded = await asyncio.gather(page.rest.get(f"{OWN}/authority"), page.rest.get(_uploaded(page)))
    associations = await asyncio.gather(*(page.rest.get(f"{_uploaded(page)}/{one['id']}/associations") for one in uploaded.result))
    hosts = {
        one["id"]: [name for service in answer.result for name in service["hostnames"]]
        for one, answer in zip(uploaded.result, associations, strict=True)
    }
    values = {name: str(page.form.get(name, "")) for name in ("name", "certificates")}
    context = {"managed": managed.result, "uploaded": uploaded.result, "hosts": hosts, "values": values, "error": error}
    return page.render("certificates/authorities.html", error.status if error is not None else 200, **context)


def _file(answer: Answer, name: str) -> Response:
    response = answer.response
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(response.content, media_type=response.headers["content-type"], headers=headers)
