"""
Who is calling: a bearer token, or the pair `X-Auth-Email` and `X-Auth-Key` with the same token as key, or it as `X-Auth-User-Service-Key`.

Scopes: `read` may GET, `edit` may change too, `gateway` may only fetch snapshots and report (a gateway needs no more).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from hauberk.api.envelope import failure
from hauberk.caller import CALLER, Caller
from hauberk.errors import Forbidden, Unauthenticated, Unavailable
from hauberk.storage.database import Database
from hauberk.storage.models import Token
from hauberk.storage.tokens import token_sha256

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def _presented(headers: Headers) -> Iterator[tuple[str, str | None]]:
    """Give the keys a request came with, each with the e-mail address that must own it, if one was sent."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer.strip():
        yield bearer.strip(), None
    email, key = headers.get("x-auth-email"), headers.get("x-auth-key")
    if email and key:
        yield key.strip(), email.strip()
    if service_key := headers.get("x-auth-user-service-key"):
        yield service_key.strip(), None


def authenticate(headers: Headers, database: Database) -> Caller:
    """
    Find out who is calling.

    Raises:
        Unauthenticated: If no credentials were sent, or none that is good.
    """
    presented = list(_presented(headers))
    if not presented:
        raise Unauthenticated(
            "no credentials: send 'Authorization: Bearer <token>', or 'X-Auth-Email' and 'X-Auth-Key'; "
            "the first token is in the file admin-token of the state folder"
        )
    with database.read() as session:
        for key, email in presented:
            token = session.scalar(select(Token).where(Token.sha256 == token_sha256(key), Token.revoked_at.is_(None)))
            if token is not None and (email is None or secrets.compare_digest(token.email.encode(), email.encode())):
                return Caller(token.id, token.email, token.scope)
    raise Unauthenticated("the token is unknown or revoked, or does not belong to this e-mail address")


class Authentication:
    """
    ASGI middleware: who is not known is answered before a byte of the body is read, so that strangers cannot make us work.

    Args:
        app: What it protects.

        database: Knows the tokens.

        prefixes: Paths that need credentials.
    """

    def __init__(self, app: ASGIApp, database: Database, prefixes: tuple[str, ...]) -> None:
        self.app = app
        self.database = database
        self.prefixes = prefixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request on with its caller noted, or answer 401; one that comes from inside this process has its caller already."""
        if scope["type"] == "http" and scope["path"].startswith(self.prefixes) and CALLER not in scope:
            try:
                scope[CALLER] = await run_in_threadpool(authenticate, Headers(scope=scope), self.database)
            except (Unauthenticated, Unavailable) as error:
                response = failure(error.status, [{"code": error.code, "message": error.message}])
                response.headers["Connection"] = "close"
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _caller(request: Request) -> Caller:
    caller = request.scope[CALLER]
    assert isinstance(caller, Caller)  # noqa: S101 - the middleware lets nothing else through
    return caller


def _read_or_edit(request: Request, caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    if caller.scope == "edit" or (caller.scope == "read" and request.method in READING_METHODS):
        return caller
    raise Forbidden(f"a token of scope '{caller.scope}' may not {request.method} here: this needs scope 'edit'")


def _edit(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    if caller.scope == "edit":
        return caller
    raise Forbidden(f"a token of scope '{caller.scope}' may not do this: it needs scope 'edit'")


def _read(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    if caller.scope in {"read", "edit"}:
        return caller
    raise Forbidden(f"a token of scope '{caller.scope}' has no account: this needs scope 'read'")


def _gateway(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    if caller.scope in {"gateway", "edit"}:
        return caller
    raise Forbidden(f"a token of scope '{caller.scope}' may not act as a gateway: this needs scope 'gateway'")


Owner = Depends(_read_or_edit)
"""Route dependency: `read` for GET, `edit` for the rest."""

Editor = Depends(_edit)
"""Route dependency: `edit` whatever the method, for what even a reader must not see, such as tokens."""

Reader = Depends(_read)
"""Route dependency: `read` whatever the method, for the caller's own affairs."""

GatewayCaller = Depends(_gateway)
"""Route dependency: the caller is a gateway."""
