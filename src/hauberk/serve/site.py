"""What the control plane serves at its address: the REST API, and the dashboard as its client."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp

from hauberk.api.app import create_app
from hauberk.api.auth import authenticate
from hauberk.caller import Caller
from hauberk.dashboard.app import create_site
from hauberk.errors import Unauthenticated
from hauberk.pipeline import ControlPlane


def create_site_of(plane: ControlPlane) -> ASGIApp:
    """Make the application over an open control plane; the caller closes the plane."""

    def identify(headers: Headers) -> Caller | None:
        try:
            return authenticate(headers, plane.database)
        except Unauthenticated:
            return None

    return create_site(create_app(plane), identify)
