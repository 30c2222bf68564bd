"""The site: the REST application at its own paths, pages for people at all others."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import hauberk
from hauberk.dashboard import (
    account,
    alerts,
    authorities,
    certificates,
    common,
    discovery,
    endpoint,
    endpoints,
    events,
    hosts,
    imports,
    issuing,
    learning,
    mutual_tls,
    overview,
    path_rules,
    reference,
    rule_editor,
    rules,
    schema_upload,
    schemas,
    session_identifiers,
    settings,
    sign_in,
    tokens,
    trials,
    users,
)
from hauberk.dashboard.addresses import link
from hauberk.dashboard.notices import Notices
from hauberk.dashboard.page import NoSuchZone
from hauberk.dashboard.rendering import STATIC, TEMPLATES
from hauberk.dashboard.rest import RestError
from hauberk.dashboard.sessions import ForgedForm, MayNotChange, SignInNeeded
from hauberk.entrance import Entrance

log = logging.getLogger(__name__)

REST_PREFIXES = ("/client/", "/hauberk/", "/crl/", "/healthz", "/readyz", "/metrics", "/openapi.json")

PAGES = (
    common,
    sign_in,
    overview,
    discovery,
    imports,
    path_rules,
    issuing,
    mutual_tls,
    authorities,
    certificates,
    rules,
    rule_editor,
    endpoints,
    endpoint,
    schemas,
    schema_upload,
    learning,
    trials,
    alerts,
    hosts,
    session_identifiers,
    settings,
    events,
    users,
    tokens,
    account,
    reference,
)
"""Modules of pages, each with `routes`."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


def create_site(rest: ASGIApp, entrance: Entrance, public_url: str) -> ASGIApp:
    """
    Make the site.

    Args:
        rest: The REST application.

        entrance: The way in for people.

        public_url: How browsers reach the site, if that is known to be otherwise than the server is reached.
    """
    pages = FastAPI(
        title="hauberk dashboard",
        version=hauberk.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # to whatever host the request names
    )
    pages.state.rest = rest
    pages.state.entrance = entrance
    pages.state.public_url = public_url
    pages.state.notices = Notices()
    pages.mount("/static", _Static(directory=STATIC), name="static")
    for module in PAGES:
        pages.include_router(module.routes)
    pages.add_exception_handler(SignInNeeded, _ask_to_sign_in)
    pages.add_exception_handler(ForgedForm, _forged)
    pages.add_exception_handler(MayNotChange, _viewer)
    pages.add_exception_handler(NoSuchZone, _no_such_zone)
    pages.add_exception_handler(RestError, _refused)
    pages.add_exception_handler(HTTPException, _no_page)
    pages.add_exception_handler(RequestValidationError, _no_page)
    pages.add_exception_handler(Exception, _bug)

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        inner = rest if scope["type"] != "http" or scope["path"].startswith(REST_PREFIXES) else pages
        await inner(scope, receive, send)

    return site


class SecurityHeaders:
    """
    ASGI middleware: what browsers may do with what we answer, page, file, refusal or REST.

    Args:
        app: The site.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers added."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers["X-Frame-Options"] = "DENY"
                headers.setdefault("Cache-Control", "no-store")
                if scope.get("scheme") == "https":
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, with_headers)


class _Static(StaticFiles):
    """Files whose address changes with their content."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _problem(request: Request, status: int, title: str, text: str) -> HTMLResponse:
    template = TEMPLATES.get_template("error.html")
    theme = request.cookies.get("hauberk_theme", "")
    return HTMLResponse(template.render(status=status, title=title, text=text, theme=theme), status)


async def _ask_to_sign_in(request: Request, _error: Exception) -> Response:
    if request.method != "GET":
        return RedirectResponse("/sign-in", 303)
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(link(None, "sign-in", next=address if address != "/" else None), 303)


async def _forged(request: Request, _error: Exception) -> Response:
    return _problem(
        request,
        403,
        "This form is not one of ours",
        "It was sent by another site, by a page from before you signed in, or by a browser that keeps no cookies. Nothing was changed. "
        "Go back, load the page again, then try once more.",
    )


async def _viewer(request: Request, _error: Exception) -> Response:
    text = "You are signed in as a viewer, who may look at everything and change nothing. An editor can do this, or make you one."
    return _problem(request, 403, "You may not do this", text)


async def _no_such_zone(request: Request, error: Exception) -> Response:
    return _problem(request, 404, "No such zone", f"There is no zone named {error}.")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RestError)  # noqa: S101 - registered for this class alone
    titles = {403: "You may not do this", 404: "Not found", 409: "It has changed meanwhile"}
    return _problem(request, error.status, titles.get(error.status, "This did not work"), error.message)


async def _no_page(request: Request, error: Exception) -> Response:
    # A part of an address that should be a number and is none leads nowhere, too.
    if not isinstance(error, HTTPException) or error.status_code == 404:
        return _problem(request, 404, "No such page", "Nothing is at this address. It may have been deleted.")
    return _problem(request, error.status_code, "This did not work", str(error.detail))


async def _bug(request: Request, error: Exception) -> Response:
    # By its route: an address may hold the secret of a link.
    log.error("page failed", extra={"route": getattr(request.scope.get("route"), "path", "")}, exc_info=error)
    return _problem(request, 500, "An error inside hauberk", "Its log has the details. Nothing you entered was lost on the server's side.")
