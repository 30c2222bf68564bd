"""Signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hauberk.dashboard import sessions
from hauberk.dashboard.page import PageOf
from hauberk.dashboard.rendering import TEMPLATES

routes = APIRouter()


def _form(request: Request, problem: str | None, status: int = 200) -> HTMLResponse:
    template = TEMPLATES.get_template("sign_in/sign_in.html")
    theme = request.cookies.get("hauberk_theme", "")
    return HTMLResponse(template.render(problem=problem, next=request.query_params.get("next", "/"), theme=theme), status)


@routes.get("/sign-in")
async def ask(request: Request) -> Response:
    """Show the form."""
    return _form(request, None)


@routes.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Check a token and start a session."""
    form = await request.form()
    token = str(form.get("token", "")).strip()
    caller = await run_in_threadpool(request.app.state.identify, Headers({"authorization": f"Bearer {token}"}))
    if caller is None or caller.scope == "gateway":
        return _form(request, "This token is not known, or may not sign in.", 401)
    address = str(form.get("next", "/"))
    response = RedirectResponse(address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/", 303)
    sessions.start(request, response, name=caller.email, scope=caller.scope, token_id=caller.token_id)
    return response


@routes.post("/sign-out")
async def sign_out(_page: PageOf) -> Response:
    """End the session."""
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(sessions.COOKIE)
    return response
