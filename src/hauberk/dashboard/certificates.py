"""Client certificates: the list, one certificate, and revoking and restoring one or several."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.certificate import file_name
from hauberk.dashboard.page import Page, PageOf, Undo

routes = APIRouter()

SOON_DAYS = 30

SHOWN = ("all", "active", "ending", "ended", "revoked")
"""What the list may be narrowed to; `ending` and `ended` are active ones."""

_LIST_QUERY = ("show", "search", "order", "direction", "page", "per_page")


@routes.get("/zones/{zone_name}/certificates")
async def list_certificates(page: PageOf) -> Response:
    """List the zone's client certificates."""
    show = page.query.get("show", "all")
    show = show if show in SHOWN else "all"
    order = page.query.get("order", "issued_on")
    search = page.query.get("search", "").strip()[:255]
    certificates, counts = await asyncio.gather(
        page.rest.get(
            page.own("client_certificates"),
            search=search or None,
            order=order if order in {"issued_on", "expires_on", "common_name"} else None,
            direction=page.query.get("direction") if page.query.get("direction") in {"asc", "desc"} else None,
            page=page.number,
            per_page=page.per_page,
            **_narrowed(show),
        ),
        page.rest.get(page.own("client_certificates/counts"), days=SOON_DAYS),
    )
    return page.render(
        "certificates/list.html",
        certificates=certificates.result,
        info=certificates.info,
        counts=counts.result,
        total=sum(counts.result[status] for status in ("active", "revoked", "pending_revocation", "pending_reactivation")),
        show=show,
        search=search,
        list_query=_list_query(page),
        **_soon(),
    )


@routes.post("/zones/{zone_name}/certificates/change")
async def change_several(page: PageOf) -> Response:
    """Revoke or restore the certificates that were chosen, all in one change."""
    ids = [str(value) for value in page.form.getlist("id")]
    to, back = ("restore", "revoke") if page.form.get("do") == "restore" else ("revoke", "restore")
    address = page.link("certificates", **_list_query(page))
    if not ids:
        return page.moved(address, done="Nothing was selected.", kind="warn")
    change = await page.change(lambda: page.rest.post(page.own(f"client_certificates/{to}"), {"ids": ids}))
    changed = change.answer.result["ids"]
    verb = "revoked" if to == "revoke" else "restored"
    if not changed:
        return page.moved(address, done=f"All of them were {verb} before.", kind="warn")
    done = f"{len(changed)} certificate{'s' if len(changed) != 1 else ''} {verb}."
    undo = Undo.call("POST", page.own(f"client_certificates/{back}"), {"ids": changed})
    return page.moved(address, done=done, change=change, undo=undo)


@routes.get("/zones/{zone_name}/certificates/{certificate_id:uuid}")
async def show_certificate(page: PageOf, certificate_id: UUID) -> Response:
    """Show one certificate."""
    certificate = (await page.rest.get(page.own(f"client_certificates/{certificate_id}"))).result
    events = await page.rest.get(page.v4("security_events"), fingerprint=certificate["fingerprint_sha256"], per_page=5)
    return page.render("certificates/certificate.html", certificate=certificate, events=events.result, events_info=events.info, **_soon())


@routes.post("/zones/{zone_name}/certificates/{certificate_id:uuid}/revoke")
async def revoke(page: PageOf, certificate_id: UUID) -> Response:
    """Revoke a certificate."""
    path = page.v4(f"client_certificates/{certificate_id}")
    change = await page.change(lambda: page.rest.delete(path))
    undo = Undo.call("PATCH", path, {"reactivate": True}, "Restore it")
    return page.moved(
        page.link("certificates", certificate_id), done=f"{called(change.answer.result)} is revoked.", change=change, undo=undo
    )


@routes.post("/zones/{zone_name}/certificates/{certificate_id:uuid}/restore")
async def restore(page: PageOf, certificate_id: UUID) -> Response:
    """Restore a certificate."""
    path = page.v4(f"client_certificates/{certificate_id}")
    change = await page.change(lambda: page.rest.patch(path, {"reactivate": True}))
    undo = Undo.call("DELETE", path, label="Revoke it again")
    return page.moved(
        page.link("certificates", certificate_id), done=f"{called(change.answer.result)} is accepted again.", change=change, undo=undo
    )


@routes.get("/zones/{zone_name}/certificates/{certificate_id:uuid}/{part}.pem")
async def download(page: PageOf, certificate_id: UUID, part: str) -> Response:
    """Give the certificate as a file, alone or with its authority's."""
    certificate = (await page.rest.get(page.own(f"client_certificates/{certificate_id}"))).result
    text = certificate["chain"] if part == "chain" else certificate["certificate"]
    name = file_name(certificate["common_name"]) + ("-chain" if part == "chain" else "")
    return Response(text, media_type="application/x-pem-file", headers={"Content-Disposition": f'attachment; filename="{name}.pem"'})


def called(certificate: dict[str, Any]) -> str:
    """Name a certificate in a sentence."""
    name = certificate["common_name"] or certificate["organization"]
    return f"The certificate of {name}" if name else f"The certificate {certificate['serial_number']}"


def _list_query(page: Page) -> dict[str, str]:
    return {name: page.query[name] for name in _LIST_QUERY if page.query.get(name)}


def _narrowed(show: str) -> dict[str, str]:
    at = datetime.now(UTC)
    match show:
        case "ending":
            return {"status": "active", "expires_after": at.isoformat(), "expires_before": (at + timedelta(days=SOON_DAYS)).isoformat()}
        case "ended":
            return {"status": "active", "expires_before": at.isoformat()}
        case _:
            return {"status": show}


def _soon() -> dict[str, Any]:
    """When an end is soon, as REST writes times: texts of that form are in the order of the times."""
    return {"soon": (datetime.now(UTC) + timedelta(days=SOON_DAYS)).strftime("%Y-%m-%dT%H:%M:%SZ"), "soon_days": SOON_DAYS}
