"""What the control plane serves at its address: the REST API, and the dashboard as its client."""

from __future__ import annotations

import re

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from hauberk.api.app import create_app
from hauberk.api.limits import BodyLimit
from hauberk.dashboard.app import SecurityHeaders, create_site
from hauberk.pipeline import ControlPlane
from hauberk.serve.listening import server

IMPORT_PAGE = re.compile(r"/zones/[^/]+/discovery/imports")


def create_site_of(plane: ControlPlane) -> ASGIApp:
    """Make the application over an open control plane; the caller closes the plane."""
    site = create_site(create_app(plane), plane.entrance, plane.settings.control_plane.public_url or "")
    control_plane = plane.settings.control_plane
    limited = BodyLimit(site, control_plane.max_upload_bytes, plane.settings.traffic.max_import_bytes)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        # This page passes captures on to the REST API as they come, which has a limit for them, and shows what the API says.
        is_capture = scope["type"] == "http" and IMPORT_PAGE.fullmatch(scope["path"]) is not None
        await (site if is_capture else limited)(scope, receive, send)

    return SecurityHeaders(served)


def site_server(plane: ControlPlane) -> uvicorn.Server:
    """Make the server of the site, with TLS if the settings name a certificate."""
    settings = plane.settings.control_plane
    tls = {"ssl_certfile": settings.certificate, "ssl_keyfile": settings.private_key}
    return server(create_site_of(plane), settings.trusted_proxies, **tls)
