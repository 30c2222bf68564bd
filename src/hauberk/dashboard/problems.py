"""What people see in place of a page: who has to sign in, what was refused, what is not there, what is too large, what broke."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hauberk.dashboard.addresses import link
from hauberk.dashboard.forms import FormTooLarge
from hauberk.dashboard.page import NoSuchZone, frame_of
from hauberk.dashboard.rendering import TEMPLATES
from hauberk.dashboard.rest import RestError
from hauberk.dashboard.sessions import ForgedForm, MayNotChange, SignInNeeded
from hauberk.dashboard.text import size
from hauberk.errors import HauberkError

log = logging.getLogger(__name__)

TITLES = {
    400: "This was not understood",
    403: "You may not do this",
    404: "Not found",
    409: "It has changed meanwhile",
    413: "This is too large",
    414: "This address is too long",
    429: "Too much at once",
}


def install(pages: FastAPI) -> None:
    """Make every error of the pages a page, whoever raised it."""
    pages.add_exception_handler(SignInNeeded, _ask_to_sign_in)
    pages.add_exception_handler(ForgedForm, _forged)
    pages.add_exception_handler(MayNotChange, _viewer)
    pages.add_exception_handler(NoSuchZone, _no_such_zone)
    pages.add_exception_handler(FormTooLarge, _too_large)
    pages.add_exception_handler(RestError, _refused)
    pages.add_exception_handler(HauberkError, _not_done)
    pages.add_exception_handler(HTTPException, _no_page)
    pages.add_exception_handler(RequestValidationError, _no_page)
    pages.add_exception_handler(ClientDisconnect, _gone)
    pages.add_exception_handler(Exception, _bug)


async def _problem(request: Request, status: int, title: str, text: str) -> HTMLResponse:
    """Tell it in the frame of all pages, with its menu, if somebody is signed in and the frame can be made."""
    page = await frame_of(request)
    return (
        _bare(request, status, title, text)
        if page is None
        else page.render("error.html", status, code=status, title=title, text=text, framed=True)
    )


def _bare(request: Request, status: int, title: str, text: str) -> HTMLResponse:
    return _alone(status, title, text, request.cookies.get("hauberk_theme", ""))


def _alone(status: int, title: str, text: str, theme: str = "") -> HTMLResponse:
    template = TEMPLATES.get_template("error.html")
    return HTMLResponse(template.render(code=status, title=title, text=text, framed=False, theme=theme), status)


def head_too_long() -> HTMLResponse:
    """Give the page for a request that was not read to its end, because its head goes on and on."""
    text = (
        "The address, or the cookies that the browser keeps for this host, are longer than is taken here. Take away some of the filters in "
        "the address, or have the browser forget the cookies of this host."
    )
    return _alone(431, "This request is too long", text)


async def _ask_to_sign_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeeded)  # noqa: S101 - registered for this class alone
    if request.method == "GET":
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(link(None, "sign-in", next=address if address != "/" else None), 303)
    if not error.has_ended:
        return RedirectResponse("/sign-in", 303)
    # What was sent is lost; the page it was written on is the place to write it again.
    before = urlsplit(request.headers.get("referer", ""))
    address = before.path + (f"?{before.query}" if before.query else "")
    return RedirectResponse(link(None, "sign-in", ended="1", next=address if address not in {"", "/"} else None), 303)


async def _forged(request: Request, _error: Exception) -> Response:
    text = (
        "It was sent by another site, by a page from before you signed in, or by a browser that keeps no cookies. Nothing was changed. "
        "Go back, load the page again, then try once more."
    )
    return await _problem(request, 403, "This form is not one of ours", text)


async def _viewer(request: Request, _error: Exception) -> Response:
    text = "You are signed in as a viewer, who may look at everything and change nothing. An editor can do this, or make you one."
    return await _problem(request, 403, "You may not do this", text)


async def _no_such_zone(request: Request, error: Exception) -> Response:
    return await _problem(request, 404, "No such zone", f"There is no zone named {error}.")


async def _too_large(request: Request, error: Exception) -> Response:
    assert isinstance(error, FormTooLarge)  # noqa: S101 - registered for this class alone
    text = (
        f"A form may hold {size(error.max_bytes)} ({error.max_bytes:,} bytes), and this one holds more. Nothing was changed. "
        "Send less, or raise the setting control_plane.max_upload_bytes and start the control plane again."
    )
    return await _problem(request, 413, TITLES[413], text)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RestError)  # noqa: S101 - registered for this class alone
    return await _problem(request, error.status, _title(error.status), _sentence(error.message))


async def _not_done(request: Request, error: Exception) -> Response:
    # Of what pages do by themselves, which is to know who is signed in: without a database there is no frame either.
    assert isinstance(error, HauberkError)  # noqa: S101 - registered for this class alone
    log.error("page failed", extra={"route": _route(request), "reason": error.message})
    return _bare(request, error.status, _title(error.status), _sentence(error.message))


async def _no_page(request: Request, error: Exception) -> Response:
    # A part of an address that should be a number and is none leads nowhere, too.
    if not isinstance(error, HTTPException) or error.status_code == 404:
        return await _problem(request, 404, "No such page", "Nothing is at this address. It may have been deleted.")
    if error.status_code == 405:
        title, text = (
            "Not at this address",
            "What was asked for is done by the button of a page, or only looked at here. Nothing was changed.",
        )
    else:
        title, text = _title(error.status_code), f"{_sentence(error.detail)} Nothing was changed."
    answer = await _problem(request, error.status_code, title, text)
    answer.headers.update(error.headers or {})
    return answer


async def _bug(request: Request, error: Exception) -> Response:
    log.error("page failed", extra={"route": _route(request)}, exc_info=error)
    text = "Its log has the details. Nothing you entered was lost on the server's side."
    return _bare(request, 500, "An error inside hauberk", text)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody reads it: the sender went away before all was sent


def _title(status: int) -> str:
    return TITLES.get(status, "This did not work")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _route(request: Request) -> str:
    # Not the address, which may hold the secret of a link.
    return getattr(request.scope.get("route"), "path", "")
