"""
Who is signed in, and whether a form is one of ours.

The cookie holds the secret of a session, signed; the session is in the database. A form is ours if the browser says that it was sent from
here (`Sec-Fetch-Site`, or `Origin`), and if it carries the token that only pages of this session have.
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hauberk.caller import Caller
from hauberk.entrance import Entrance

SESSION, SIGN_IN, MARK = "hauberk_session", "hauberk_sign_in", "hauberk_mark"
"""Cookies: of a session, of a browser that is about to sign in, of one where somebody has. `__Host-` stands before them where TLS is."""

# As long as browsers keep a cookie at all.
MARK_SECONDS = 400 * 24 * 3600

PART_HEADER = "x-hauberk-part"
"""Sent by the pages' script."""

# What a viewer may send: everything else changes what belongs to all.
OWN_AFFAIRS = ("/account", "/sign-out")


class SignInNeeded(Exception):
    """
    Nobody is signed in.

    Args:
        has_ended: Whether somebody was.
    """

    def __init__(self, *, has_ended: bool) -> None:
        super().__init__()
        self.has_ended = has_ended


class ForgedForm(Exception):
    """A form was not made by one of our pages."""


class MayNotChange(Exception):
    """A viewer has sent a form that changes something."""


@dataclass(frozen=True)
class Visitor:
    """Who is signed in."""

    name: str
    """Of the user, or of the token."""

    scope: str
    """`read` or `edit`, as the REST API knows it."""

    session_id: str
    csrf_token: str
    caller: Caller
    """As the REST API knows them."""

    @property
    def may_edit(self) -> bool:
        """Whether they may change anything."""
        return self.scope == "edit"

    @property
    def is_user(self) -> bool:
        """Whether they have a name and a password, and did not sign in as the holder of a token."""
        return bool(self.caller.user_id)


async def visitor_of(request: Request) -> Visitor:
    """
    Tell who is signed in. What is POSTed is refused here before its body is read, if it can be.

    Raises:
        SignInNeeded: If nobody is.
        ForgedForm: If another site sent this.
        MayNotChange: If it is a form that a viewer may not send.
    """
    visitor = await signed_in(request)
    if request.method == "POST":
        check_origin(request)
        if not visitor.may_edit and not is_own_affair(request.url.path):
            raise MayNotChange
    return visitor


async def signed_in(request: Request) -> Visitor:
    """
    Tell who is signed in, whatever is sent.

    Raises:
        SignInNeeded: If nobody is.
    """
    entrance = entrance_of(request)
    secret = secret_of(request, SESSION)
    if secret is None:
        raise SignInNeeded(has_ended=False)
    # A page that renews parts of itself is not somebody who does something.
    active = request.method != "GET" or PART_HEADER not in request.headers
    entered = await run_in_threadpool(entrance.entered, secret, active=active)
    if entered is None:
        raise SignInNeeded(has_ended=True)
    owner = entered.owner
    caller = Caller(owner.token_id or "", entered.email, entered.scope, owner.user_id or "", entered.session_id)
    return Visitor(entered.name, entered.scope, entered.session_id, entrance.seal.form_token(secret), caller)


def is_own_affair(path: str) -> bool:
    """Tell whether a form at this path concerns nobody but its sender."""
    return any(path == root or path.startswith(f"{root}/") for root in OWN_AFFAIRS)


def check_origin(request: Request) -> None:
    """
    Make sure that a page from here has sent this, as far as the browser tells.

    Raises:
        ForgedForm: If it was another site, or it is not told.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        if site == "same-origin":
            return
    elif origin is not None:
        own = {request.headers.get("host", "").lower(), _host_of(request.app.state.public_url)}
        if _host_of(origin) in own - {""}:
            return
    raise ForgedForm


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # e.g. of brackets with no address in them
        return ""


def check_form(visitor: Visitor, token: object) -> None:
    """
    Make sure that a form came from one of our pages.

    Args:
        visitor: Who has sent it.

        token: What its field `csrf` holds.

    Raises:
        ForgedForm: If it did not.
    """
    if not isinstance(token, str) or not compare_digest(token.encode(errors="replace"), visitor.csrf_token.encode()):
        raise ForgedForm


# --- Cookies ----------------------------------------------------------------------------------------------------------------------------


def secret_of(request: Request, name: str) -> str | None:
    """Give the secret that a cookie of ours holds."""
    cookie = request.cookies.get(_cookie(request, name))
    return entrance_of(request).seal.open(cookie) if cookie is not None else None


def give(request: Request, response: Response, name: str, secret: str, seconds: int | None = None) -> None:
    """Have the browser keep a secret, until it is closed if not told how long; how long it is good is the session's affair."""
    value, private = entrance_of(request).seal.seal(secret), is_private(request)
    response.set_cookie(_cookie(request, name), value, seconds, path="/", httponly=True, samesite="lax", secure=private)


def take(request: Request, response: Response, name: str) -> None:
    """Have the browser forget a secret."""
    response.delete_cookie(_cookie(request, name), path="/", httponly=True, samesite="lax", secure=is_private(request))


def _cookie(request: Request, name: str) -> str:
    # With this prefix no other host of the domain, and nobody without TLS, can plant a cookie in place of ours.
    return f"__Host-{name}" if is_private(request) else name


def is_private(request: Request) -> bool:
    """Tell whether the browser speaks TLS with us, or with the proxy before us."""
    return request.url.scheme == "https" or str(request.app.state.public_url).startswith("https://")


def is_overheard(request: Request) -> bool:
    """Tell whether a password would cross a network in clear text."""
    return not is_private(request) and not _is_loopback(address_of(request))


def address_of(request: Request) -> str:
    """Give the client's address."""
    return request.client.host if request.client is not None else ""


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def entrance_of(request: Request) -> Entrance:
    """Give the way in."""
    entrance = request.app.state.entrance
    assert isinstance(entrance, Entrance)  # noqa: S101 - set when the site is made
    return entrance
