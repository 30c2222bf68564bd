"""Settings, session identifiers: what tells callers apart, tried on recorded requests before it is set."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.notices import Left, Undo
from hauberk.dashboard.page import Page, PageOf
from hauberk.dashboard.rest import RestError

routes = APIRouter()

SESSIONS = "/zones/{zone_name}/settings/sessions"
TYPES = (("header", "Header"), ("cookie", "Cookie"), ("jwt", "Claim of a token"))
# Enough to tell one request in a hundred, and looked at while somebody types.
PREVIEWED = 5000
PROPOSED = 20_000
MAX_ROWS = 10
# There is no traffic store: then nothing can be told.
NO_TRAFFIC = 409


@routes.get(SESSIONS)
async def show(page: PageOf) -> Response:
    """Show what is set, what traffic proposes, and what the present identifiers tell."""
    present = (await page.rest.get(page.v4("api_gateway/configuration"))).result["auth_id_characteristics"]
    return await _render(page, present)


@routes.post(SESSIONS + "/preview")
async def preview(page: PageOf) -> Response:
    """Tell what identifiers would show; the page's script asks while somebody types, and nothing is set."""
    return await _render(page, _identifiers(page), proposed=False)


@routes.post(SESSIONS)
async def set_identifiers(page: PageOf) -> Response:
    """Set the zone's identifiers, unless the button asked for a preview alone."""
    identifiers = _identifiers(page)
    if page.form.get("do") == "preview":
        return await _render(page, identifiers)
    path = page.v4("api_gateway/configuration")
    before = (await page.rest.get(path)).result
    try:
        change = await page.change(lambda: page.rest.put(path, {"auth_id_characteristics": identifiers}))
    except RestError as error:
        return await _render(page, identifiers, error)
    doubts = [str(message["message"]) for message in change.answer.messages]
    text = "Session identifiers are set." if identifiers else "No session identifiers are set any more."
    done = " ".join([text, *(f"{doubt[:1].upper()}{doubt[1:]}." for doubt in doubts)])
    undo = Undo.call("PUT", path, before, left=Left(path, lambda now: now, change.answer.result))
    return page.moved(page.link("settings", "sessions"), done=done, change=change, undo=undo, kind="warn" if doubts else "ok")


def _identifiers(page: Page) -> list[dict[str, str]]:
    pairs = zip(page.form.getlist("type"), page.form.getlist("name"), strict=False)
    return [{"type": str(kind), "name": str(name).strip()} for kind, name in list(pairs)[:MAX_ROWS] if str(name).strip()]


async def _render(page: Page, identifiers: list[dict[str, str]], error: RestError | None = None, *, proposed: bool = True) -> Response:
    seen: dict[str, Any] | None = None
    doubts: list[str] = []
    if identifiers and error is None:
        try:
            asked = [f"{one['type']}:{one['name']}" for one in identifiers]
            answer = await page.rest.get(page.own("session-identifiers/preview"), identifier=asked, limit=PREVIEWED)
            seen, doubts = answer.result, [str(message["message"]) for message in answer.messages]
        except RestError as refused:
            error = refused if refused.status != NO_TRAFFIC else None
    proposal: dict[str, Any] | None = None
    if proposed:
        try:
            proposal = (await page.rest.get(page.own("session-identifiers/proposal"), limit=PROPOSED)).result
        except RestError as refused:
            if refused.status != NO_TRAFFIC:
                raise
    rows = [*identifiers, *([{"type": "header", "name": ""}] * max(1, 2 - len(identifiers)))][:MAX_ROWS]
    status = error.status if error is not None and page.request.method == "POST" else 200
    context = {"rows": rows, "types": TYPES, "seen": seen, "doubts": doubts, "proposal": proposal, "error": error}
    return page.render("settings/sessions.html", status, **context)
