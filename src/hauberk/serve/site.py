"""What the control plane serves at its address: the REST API, and the dashboard as its client."""

from __future__ import annotations

from typing import Any

import uvicorn
from starlette.types import ASGIApp

from hauberk.api.app import create_app
from hauberk.dashboard.app import SecurityHeaders, create_site
from hauberk.pipeline import ControlPlane
from hauberk.serve.listening import server
from hauberk.serve.long_requests import Protocol


def create_site_of(plane: ControlPlane) -> ASGIApp:
    """Make the application over an open control plane; the caller closes the plane."""
    settings = plane.settings.control_plane
    return SecurityHeaders(create_site(create_app(plane), plane.entrance, settings.public_url or "", settings.max_upload_bytes))


def site_server(plane: ControlPlane) -> uvicorn.Server:
    """Make the server of the site, with TLS if the settings name a certificate."""
    settings = plane.settings.control_plane
    tls: dict[str, Any] = {"ssl_certfile": settings.certificate, "ssl_keyfile": settings.private_key}
    return server(create_site_of(plane), settings.trusted_proxies, http=Protocol, **tls)
