"""The visitor's own affairs: who they are, their password, where they are signed in. Viewers may change these, too."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.addresses import link
from hauberk.dashboard.browsers import browser_name
from hauberk.dashboard.page import OWN, Page, PageOf
from hauberk.dashboard.rest import RestError

routes = APIRouter()

ACCOUNT = f"{OWN}/account"


@routes.get("/account")
async def show(page: PageOf) -> Response:
    """Show the account."""
    return await _show(page)


@routes.post("/account/password")
async def change_password(page: PageOf) -> Response:
    """Change the visitor's password."""
    password = str(page.form.get("password", ""))
    if password != page.form.get("again"):
        return await _show(page, RestError(400, [{"message": "the two new passwords differ"}]))
    try:
        await page.rest.put(f"{ACCOUNT}/password", {"current": str(page.form.get("current", "")), "password": password})
    except RestError as error:
        return await _show(page, error)
    return page.moved("/account", done="Your password is changed. You are signed out everywhere else.")


@routes.post("/account/sessions/{session_id}/end")
async def end_session(page: PageOf, session_id: str) -> Response:
    """Sign the visitor out somewhere."""
    await page.rest.delete(ACCOUNT + link(None, "sessions", session_id))
    return page.moved("/account", done="Signed out there.")


async def _show(page: Page, error: RestError | None = None) -> Response:
    account = await page.rest.get(ACCOUNT)
    sessions = await page.rest.get(f"{ACCOUNT}/sessions", page=page.number, per_page=page.per_page)
    context = {"account": account.result, "sessions": sessions.result, "info": sessions.info, "browser_name": browser_name, "error": error}
    return page.render("account/account.html", error.status if error is not None else 200, **context)
