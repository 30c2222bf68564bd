"""The first page: how the zone's APIs are, and what to do next."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from hauberk.dashboard.addresses import link
from hauberk.dashboard.page import PageOf

routes = APIRouter()


@routes.get("/")
async def first(page: PageOf) -> Response:
    """Send the visitor to the only zone, or show all."""
    if len(page.zones) == 1:
        return RedirectResponse(link(page.zones[0]["name"]), 303)
    return page.render("overview/zones.html")


@routes.get("/zones/{zone_name}")
async def overview(page: PageOf) -> Response:
    """Show a zone."""
    return page.render("overview/overview.html")
