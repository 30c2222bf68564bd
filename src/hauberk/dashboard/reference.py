"""
The REST API's own reference at `/docs`: what its OpenAPI document says, as a page without a script and without another host.

It may be read without signing in: it says what the public source says, and nothing of this installation.
"""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

import hauberk
from hauberk.caller import Caller
from hauberk.dashboard.openapi import Section, sections
from hauberk.dashboard.rendering import TEMPLATES
from hauberk.dashboard.rest import Rest
from hauberk.dashboard.sessions import SESSION, secret_of

routes = APIRouter()

# The document needs no rights.
NOBODY = Caller("", "", "")


@routes.get("/docs")
async def show(request: Request) -> Response:
    """Show the reference."""
    base = str(request.app.state.public_url) or f"{request.url.scheme}://{request.url.netloc}"
    context = {
        "theme": request.cookies.get("hauberk_theme", ""),
        "sections": await _sections(request),
        "base": base.rstrip("/"),
        "is_signed_in": secret_of(request, SESSION) is not None,
        "version": hauberk.__version__,
        "prose": _prose,
    }
    return HTMLResponse(TEMPLATES.get_template("reference/reference.html").render(context))


def _prose(text: str) -> Markup:
    """Write names between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it was escaped


async def _sections(request: Request) -> list[Section]:
    """Read the document once: it does not change while the process runs."""
    known: list[Section] | None = getattr(request.app.state, "reference", None)
    if known is None:
        rest = Rest(request.app.state.rest, NOBODY)
        try:
            answer = await rest.get("/openapi.json")
        finally:
            await rest.close()
        known = request.app.state.reference = sections(answer.response.json())
    return known
