"""What all pages share: the way to the first page, taking changes back, and how far gateways are with a change."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from hauberk.dashboard.page import PageOf

routes = APIRouter()


@routes.post("/undo/{key}")
async def undo(page: PageOf, key: str) -> Response:
    """Take a change back."""
    return await page.undo(key)


@routes.get("/enforcement/{version}")
async def enforcement(page: PageOf, version: int) -> Response:
    """Tell which gateways enforce a version of the snapshot: a part of a page, which asks for it until all do."""
    return page.render("enforcement.html", version=version)


@routes.get("/gateways")
async def gateways(page: PageOf) -> Response:
    """Tell how many gateways are up to date: the part of every page that does."""
    return page.render("gateways.html")
