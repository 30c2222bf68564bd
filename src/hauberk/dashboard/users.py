"""Users: who may sign in by name and password, and what they may do."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.addresses import link
from hauberk.dashboard.browsers import browser_name
from hauberk.dashboard.notices import Left
from hauberk.dashboard.page import OWN, Page, PageOf, Undo
from hauberk.dashboard.rest import RestError

routes = APIRouter()

USERS = "/settings/users"
ROLES = {"viewer": "Viewer: looks", "editor": "Editor: looks and changes"}


def _rest(user_id: str, *more: str) -> str:
    return OWN + link(None, "users", user_id, *more)


@routes.get(USERS)
async def list_users(page: PageOf) -> Response:
    """List users."""
    return await _list(page)


@routes.post(USERS)
async def add_user(page: PageOf) -> Response:
    """Add a user."""
    new = {name: str(page.form.get(name, "")) for name in ("name", "role", "password")}
    try:
        answer = await page.rest.post(f"{OWN}/users", new)
    except RestError as error:
        return await _list(page, error)
    name = answer.result["name"]
    then = "" if page.visitor.is_user else " From now on you can sign in by that name."
    return page.moved(USERS, done=f"{name} may sign in.{then}")


@routes.get(USERS + "/{user_id}")
async def show_user(page: PageOf, user_id: str) -> Response:
    """Show a user and where they are signed in."""
    return await _show(page, user_id)


@routes.post(USERS + "/{user_id}/role")
async def change_role(page: PageOf, user_id: str) -> Response:
    """Give a user another role."""
    before = (await page.rest.get(_rest(user_id))).result
    after = (await page.rest.patch(_rest(user_id), {"role": str(page.form.get("role", ""))})).result
    left = Left(_rest(user_id), lambda now: now["role"], after["role"])
    undo = Undo.call("PATCH", _rest(user_id), {"role": before["role"]}, left=left)
    return page.moved(link(None, "settings", "users", user_id), done=f"{after['name']} is {after['role']} now.", undo=undo)


@routes.post(USERS + "/{user_id}/password")
async def change_password(page: PageOf, user_id: str) -> Response:
    """Give a user another password."""
    try:
        changed = (await page.rest.patch(_rest(user_id), {"password": str(page.form.get("password", ""))})).result
    except RestError as error:
        return await _show(page, user_id, error)
    done = f"{changed['name']} has a new password, and has to sign in with it."
    return page.moved(link(None, "settings", "users", user_id), done=done)


@routes.post(USERS + "/{user_id}/disabled")
async def disable(page: PageOf, user_id: str) -> Response:
    """Shut a user out, or let one in again."""
    disabled = page.form.get("disabled") == "1"
    changed = (await page.rest.patch(_rest(user_id), {"disabled": disabled})).result
    done = f"{changed['name']} is shut out, and signed out everywhere." if disabled else f"{changed['name']} may sign in again."
    undo = Undo.call("PATCH", _rest(user_id), {"disabled": not disabled})
    return page.moved(link(None, "settings", "users", user_id), done=done, undo=undo)


@routes.post(USERS + "/{user_id}/sign-out")
async def end_sessions(page: PageOf, user_id: str) -> Response:
    """Sign a user out everywhere."""
    ended = (await page.rest.delete(_rest(user_id, "sessions"))).result["ended"]
    done = "One session ended." if ended == 1 else f"{ended} sessions ended."
    return page.moved(link(None, "settings", "users", user_id), done=done)


@routes.post(USERS + "/{user_id}/remove")
async def remove(page: PageOf, user_id: str) -> Response:
    """Remove a user."""
    removed = (await page.rest.delete(_rest(user_id))).result
    return page.moved(USERS, done=f"{removed['name']} is removed.")


async def _list(page: Page, error: RestError | None = None) -> Response:
    users = await page.rest.get(f"{OWN}/users", page=page.number, per_page=page.per_page)
    values = {
        name: str(page.form.get(name, default))
        for name, default in (("name", ""), ("role", "editor" if not users.info["total_count"] else "viewer"))
    }
    context = {"users": users.result, "info": users.info, "values": values, "roles": ROLES, "error": error}
    return page.render("users/list.html", error.status if error is not None else 200, **context)


async def _show(page: Page, user_id: str, error: RestError | None = None) -> Response:
    user, sessions = await asyncio.gather(
        page.rest.get(_rest(user_id)), page.rest.get(_rest(user_id, "sessions"), page=page.number, per_page=page.per_page)
    )
    is_own = user.result["id"] == page.visitor.caller.user_id
    context = {"user": user.result, "sessions": sessions.result, "info": sessions.info, "browser_name": browser_name}
    context |= {"is_own": is_own, "roles": ROLES, "error": error}
    return page.render("users/user.html", error.status if error is not None else 200, **context)
