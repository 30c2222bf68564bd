"""Who is signed in: a signed cookie names a session."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from fastapi import Request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.datastructures import FormData
from starlette.responses import Response

from hauberk.caller import Caller

COOKIE = "hauberk_session"
KEEP_SECONDS = 8 * 3600


class SignInNeeded(Exception):
    """Nobody is signed in."""


class ForgedForm(Exception):
    """A form was not made by one of our pages."""


@dataclass(frozen=True)
class Visitor:
    """Who is signed in."""

    name: str
    scope: str
    """`read` or `edit`, as the REST API knows it."""

    session_id: str
    csrf_token: str
    token_id: str = ""

    @property
    def may_edit(self) -> bool:
        """Whether they may change anything."""
        return self.scope == "edit"

    @property
    def caller(self) -> Caller:
        """As the REST API knows them."""
        return Caller(self.token_id, self.name, self.scope)


def start(request: Request, response: Response, *, name: str, scope: str, token_id: str = "") -> None:
    """Give a visitor a session."""
    values = {"session": secrets.token_urlsafe(16), "name": name, "scope": scope, "token": token_id}
    response.set_cookie(
        COOKIE,
        _serializer(request).dumps(values),
        max_age=KEEP_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


async def visitor_of(request: Request) -> Visitor:
    """
    Tell who is signed in.

    Raises:
        SignInNeeded: If nobody is.
    """
    try:
        values = _serializer(request).loads(request.cookies.get(COOKIE, ""), max_age=KEEP_SECONDS)
    except BadSignature:
        raise SignInNeeded from None
    csrf_token = hmac.new(request.app.state.secret, values["session"].encode(), hashlib.sha256).hexdigest()
    return Visitor(values["name"], values["scope"], values["session"], csrf_token, values["token"])


def check_form(_request: Request, visitor: Visitor, form: FormData) -> None:
    """
    Make sure that a form came from one of our pages.

    Raises:
        ForgedForm: If it did not.
    """
    token = form.get("csrf")
    if not isinstance(token, str) or not hmac.compare_digest(token.encode(), visitor.csrf_token.encode()):
        raise ForgedForm


def _serializer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(request.app.state.secret, salt="session")
