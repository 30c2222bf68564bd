"""What the control plane serves at its address: the REST API, and the dashboard as its client."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp

from hauberk.api.app import create_app
from hauberk.api.limits import BodyLimit
from hauberk.dashboard.app import create_site
from hauberk.pipeline import ControlPlane
from hauberk.serve.listening import server


def create_site_of(plane: ControlPlane) -> ASGIApp:
    """Make the application over an open control plane; the caller closes the plane."""
    site = create_site(create_app(plane), plane.entrance, plane.settings.control_plane.public_url or "")
    # Forms are held in memory; the one that carries a capture is not.
    return BodyLimit(site, plane.settings.control_plane.max_upload_bytes, plane.settings.traffic.max_import_bytes)


def site_server(plane: ControlPlane) -> uvicorn.Server:
    """Make the server of the site, with TLS if the settings name a certificate."""
    settings = plane.settings.control_plane
    tls = {"ssl_certfile": settings.certificate, "ssl_keyfile": settings.private_key}
    return server(create_site_of(plane), settings.trusted_proxies, **tls)
