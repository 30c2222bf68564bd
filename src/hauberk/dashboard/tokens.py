"""Tokens: credentials of programs. Each is shown once, on the page that answers the form that made it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.addresses import link
from hauberk.dashboard.page import OWN, Page, PageOf
from hauberk.dashboard.rest import RestError

routes = APIRouter()

TOKENS = "/settings/tokens"
SCOPES = {"read": "read: GET only", "edit": "edit: everything", "gateway": "gateway: fetch snapshots and report"}


@routes.get(TOKENS)
async def list_tokens(page: PageOf) -> Response:
    """List tokens."""
    return await _list(page)


@routes.post(TOKENS)
async def make_token(page: PageOf) -> Response:
    """Make a token, and show it this once: it must not be kept anywhere to be shown after a redirect."""
    new = {name: str(page.form.get(name, "")).strip() for name in ("name", "scope", "email")}
    try:
        answer = await page.rest.post(f"{OWN}/tokens", {name: value for name, value in new.items() if value or name != "email"})
    except RestError as error:
        return await _list(page, error)
    return page.render("tokens/made.html", made=answer.result)


@routes.post(TOKENS + "/{token_id}/revoke")
async def revoke(page: PageOf, token_id: str) -> Response:
    """Revoke a token."""
    try:
        answer = await page.rest.delete(OWN + link(None, "tokens", token_id))
    except RestError as error:
        return await _list(page, error)
    return page.moved(TOKENS, done=f"The token {answer.result['name']} is revoked, and sessions that began with it have ended.")


async def _list(page: Page, error: RestError | None = None) -> Response:
    tokens = await page.rest.get(f"{OWN}/tokens", page=page.number, per_page=page.per_page)
    values = {name: str(page.form.get(name, default)) for name, default in (("name", ""), ("scope", "read"), ("email", ""))}
    context = {"tokens": tokens.result, "info": tokens.info, "values": values, "scopes": SCOPES, "error": error}
    return page.render("tokens/list.html", error.status if error is not None else 200, **context)
