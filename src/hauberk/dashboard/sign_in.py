"""Signing in, by name and password, by token or by a link that is good once; and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hauberk.access.seal import new_secret
from hauberk.dashboard import sessions
from hauberk.dashboard.addresses import own_address
from hauberk.dashboard.forms import FormTooLarge, chunks_of
from hauberk.dashboard.page import PageOf
from hauberk.dashboard.rendering import TEMPLATES
from hauberk.dashboard.sessions import MARK, SESSION, SIGN_IN, ForgedForm, entrance_of
from hauberk.entrance import Origin, new_mark
from hauberk.errors import Forbidden, HauberkError, TooManyRequests, Unauthenticated

routes = APIRouter()

# Strangers send these forms: a name, a password and an address fit in easily.
MAX_FORM_BYTES = 16 * 1024


@routes.get("/sign-in")
async def ask(request: Request) -> Response:
    """Show the form; who is signed in already is sent on."""
    address = own_address(request.query_params.get("next", ""))
    secret = sessions.secret_of(request, SESSION)
    if secret is not None and await run_in_threadpool(entrance_of(request).entered, secret) is not None:
        return RedirectResponse(address, 303)
    return _page(request, "sign_in/sign_in.html", next=address, ended="ended" in request.query_params)


@routes.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Start a session for who knows a password or has a token."""
    form = await _form(request)
    entrance, token, name = entrance_of(request), form.get("token", "").strip(), form.get("name", "").strip()
    address = own_address(form.get("next", ""))

    def enter(origin: Origin) -> str:
        return entrance.sign_in_with_token(token, origin) if token else entrance.sign_in(name, form.get("password", ""), origin)

    try:
        response = await _entered(request, enter, address)
    except (Unauthenticated, Forbidden, TooManyRequests) as error:
        return _page(request, "sign_in/sign_in.html", error, next=address, name=name, by_token=bool(token))
    if not token:
        sessions.give(request, response, MARK, new_mark(name), sessions.MARK_SECONDS)
    return response


@routes.get("/sign-in/once/{secret}")
async def look_at_link(request: Request, secret: str) -> Response:
    """Show a button: programs that only look at links do not use this one up."""
    good = await run_in_threadpool(entrance_of(request).is_link, secret)
    return _page(request, "sign_in/once.html", None if good else Unauthenticated("this link was used already, or is older than an hour"))


@routes.post("/sign-in/once/{secret}")
async def use_link(request: Request, secret: str) -> Response:
    """Start a session, and use the link up; where there is no user yet, offer to make one."""
    await _form(request)
    entrance = entrance_of(request)
    address = "/" if await run_in_threadpool(entrance.has_users) else "/settings/users"
    try:
        return await _entered(request, lambda origin: entrance.sign_in_with_link(secret, origin), address)
    except Unauthenticated as error:
        return _page(request, "sign_in/once.html", error)


@routes.post("/sign-out")
async def sign_out(page: PageOf) -> Response:
    """End the session."""
    secret = sessions.secret_of(page.request, SESSION)
    if secret is not None:
        await run_in_threadpool(entrance_of(page.request).sign_out, secret)
    response = RedirectResponse("/sign-in", 303)
    sessions.take(page.request, response, SESSION)
    return response


async def _entered(request: Request, enter: Callable[[Origin], str], address: str) -> Response:
    """Give the browser a new session, and end the one it had."""
    mark = sessions.secret_of(request, MARK) or ""
    origin = Origin(sessions.address_of(request), request.headers.get("user-agent", ""), mark)
    fresh = await run_in_threadpool(enter, origin)
    old = sessions.secret_of(request, SESSION)
    if old is not None:
        await run_in_threadpool(entrance_of(request).sign_out, old)
    response = RedirectResponse(address, 303)
    sessions.give(request, response, SESSION, fresh)
    sessions.take(request, response, SIGN_IN)
    return response


def _page(request: Request, template: str, error: HauberkError | None = None, **context: Any) -> Response:
    """Show a page to somebody who is not signed in, with a form that only this browser can send back."""
    secret = sessions.secret_of(request, SIGN_IN)
    fresh = secret or new_secret()
    whole = {
        "theme": request.cookies.get("hauberk_theme", ""),
        "csrf_token": entrance_of(request).seal.form_token(fresh),
        "overheard": sessions.is_overheard(request),
        "error": error,
        "name": "",
        "by_token": False,
        "ended": False,
        **context,
    }
    response = HTMLResponse(TEMPLATES.get_template(template).render(whole), error.status if error is not None else 200)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    if secret is None:
        sessions.give(request, response, SIGN_IN, fresh)
    return response


async def _form(request: Request) -> dict[str, str]:
    """
    Read a stranger's form, a small one, and make sure that it is ours.

    Raises:
        ForgedForm: If it is not: nobody is to be signed in as somebody else unawares.
        HTTPException: If it is too large, or no form.
    """
    sessions.check_origin(request)
    body = bytearray()
    try:
        async for chunk in chunks_of(request, MAX_FORM_BYTES):
            body += chunk
    except FormTooLarge:
        raise HTTPException(413, "This form is larger than any that the sign-in page sends.") from None
    try:
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise HTTPException(400, "This is no form of the sign-in page.") from None
    secret = sessions.secret_of(request, SIGN_IN)
    if secret is None or not entrance_of(request).seal.is_form_token(secret, form.get("csrf", "")):
        raise ForgedForm
    return form
