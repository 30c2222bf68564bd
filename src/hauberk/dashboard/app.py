"""The site: the REST application at its own paths, pages for people at all others."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
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
    problems,
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
from hauberk.dashboard.notices import Notices
from hauberk.dashboard.rendering import STATIC
from hauberk.entrance import Entrance

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


def create_site(rest: ASGIApp, entrance: Entrance, public_url: str, max_form_bytes: int) -> ASGIApp:
    """
    Make the site.

    Args:
        rest: The REST application.

        entrance: The way in for people.

        public_url: How browsers reach the site, if that is known to be otherwise than the server is reached.

        max_form_bytes: How much a form may hold; captures, which are not held, have the limit that the REST application has for them.
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
    pages.state.max_form_bytes = max_form_bytes
    pages.state.notices = Notices()
    pages.mount("/static", _Static(directory=STATIC), name="static")
    for module in PAGES:
        pages.include_router(module.routes)
    problems.install(pages)

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        inner = rest if scope["type"] != "http" or scope["path"].startswith(REST_PREFIXES) else pages
        await inner(scope, receive, send)

    return site


def add_security_headers(headers: MutableHeaders, scheme: str) -> None:
    """Say what browsers may do with an answer that they were sent over `http` or `https`."""
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Frame-Options"] = "DENY"
    headers.setdefault("Cache-Control", "no-store")
    if scheme == "https":
        headers["Strict-Transport-Security"] = "max-age=31536000"


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
                add_security_headers(MutableHeaders(scope=message), scope.get("scheme", "http"))
            await send(message)

        await self.app(scope, receive, with_headers)


class _Static(StaticFiles):
    """Files whose address changes with their content."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
