"""Issuing client certificates: from a request that is pasted or dropped, or with a key that is made here and shown once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.certificate import SUBJECT_FIELDS, file_name
from hauberk.dashboard.certificates import called
from hauberk.dashboard.page import Page, PageOf
from hauberk.dashboard.rest import RestError

routes = APIRouter()

DEFAULT_DAYS = 365
_BUNDLES = ("pkcs12", "legacy")


@routes.get("/zones/{zone_name}/certificates/issue")
async def forms(page: PageOf) -> Response:
    """Show both ways."""
    return _forms(page)


@routes.post("/zones/{zone_name}/certificates/issue/inspect")
async def inspect(page: PageOf) -> Response:
    """Show what a request says; nothing is issued."""
    if not _text(page, "csr").strip():
        return _forms(page)
    try:
        said = await page.rest.post(page.own("client_certificates/inspect"), _request(page))
    except RestError as error:
        return _forms(page, csr_error=error)
    return _forms(page, said=said.result)


@routes.post("/zones/{zone_name}/certificates/issue")
async def issue(page: PageOf) -> Response:
    """Issue a certificate from a request."""
    try:
        answer = await page.rest.post(page.v4("client_certificates"), _request(page))
    except RestError as error:
        return _forms(page, csr_error=error)
    return page.moved(page.link("certificates", answer.result["id"]), done=f"{called(answer.result)} is issued. Bring it to its device.")


@routes.post("/zones/{zone_name}/certificates/generate")
async def generate(page: PageOf) -> Response:
    """
    Make a key and its certificate, and show both on the page that answers: the key is kept nowhere.

    The form carries the certificate's id, so a page that is loaded again issues nothing.
    """
    kind, password = _text(page, "format"), _text(page, "password")
    body: dict[str, Any] = {
        "id": _text(page, "id"),
        "subject": {field: _text(page, field).strip() or None for field in SUBJECT_FIELDS},
        "validity_days": _days(page),
        "key_type": _text(page, "key_type"),
    }
    if kind in _BUNDLES:
        body["pkcs12"] = {"password": password, "legacy": kind == "legacy"}
    if kind in _BUNDLES and password != _text(page, "repeated"):
        return _forms(page, key_error=RestError(400, [{"message": "The two passwords are not the same: type them again."}]))
    try:
        answer = await page.rest.post(page.own("client_certificates/generate"), body)
    except RestError as error:
        if error.status == 409 and any(one.get("source", {}).get("pointer") == "/id" for one in error.errors):
            text = "This certificate was issued already, and no second one was made. Its key was shown once; it is kept nowhere."
            return page.moved(page.link("certificates", body["id"]), done=text, kind="warn")
        return _forms(page, key_error=error)
    return page.render("certificates/made.html", made=answer.result, file_name=file_name(answer.result["common_name"]))


def _forms(
    page: Page, *, said: dict[str, Any] | None = None, csr_error: RestError | None = None, key_error: RestError | None = None
) -> Response:
    values = {name: _text(page, name) for name in ("csr", "key_type", "format", *SUBJECT_FIELDS)}
    is_preview = "x-hauberk-part" in page.request.headers
    error = csr_error or key_error
    return page.render(
        "certificates/issue.html",
        error.status if error is not None and not is_preview else 200,
        values=values,
        days=_text(page, "validity_days") or DEFAULT_DAYS,
        certificate_id=_text(page, "id") or str(uuid4()),
        said=said,
        csr_error=csr_error,
        key_error=key_error,
    )


def _request(page: Page) -> dict[str, Any]:
    return {"csr": _text(page, "csr").strip() + "\n", "validity_days": _days(page)}


def _days(page: Page) -> int | str:
    text = _text(page, "validity_days").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text


def _text(page: Page, name: str) -> str:
    value = page.form.get(name, "")
    return value if isinstance(value, str) else ""
