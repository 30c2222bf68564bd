"""
Who is calling: a bearer token, or the pair `X-Auth-Email` and `X-Auth-Key` with the same token as key.

Scopes: `read` may GET, `edit` may change too, `gateway` may only fetch snapshots and report (a gateway needs no more).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select

from hauberk.api.dependencies import Plane
from hauberk.errors import Forbidden, Unauthenticated
from hauberk.storage.models import Token
from hauberk.storage.tokens import token_sha256

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Caller:
    """The owner of the credentials a request came with."""

    token_id: str
    email: str
    scope: str


def _authenticate(request: Request, plane: Plane) -> Caller:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    email, key = request.headers.get("x-auth-email"), request.headers.get("x-auth-key")
    if scheme.lower() == "bearer" and bearer.strip():
        presented, email = bearer.strip(), None
    elif email and key:
        presented = key.strip()
    else:
        raise Unauthenticated(
            "no credentials: send 'Authorization: Bearer <token>', or 'X-Auth-Email' and 'X-Auth-Key'; "
            "the first token is in the file admin-token of the state folder"
        )
    with plane.database.read() as session:
        token = session.scalar(select(Token).where(Token.sha256 == token_sha256(presented), Token.revoked_at.is_(None)))
    if token is None or (email is not None and not secrets.compare_digest(token.email.encode(), email.strip().encode())):
        raise Unauthenticated("the token is unknown or revoked, or does not belong to this e-mail address")
    return Caller(token.id, token.email, token.scope)


def _read_or_edit(request: Request, caller: Annotated[Caller, Depends(_authenticate)]) -> Caller:
    if caller.scope == "edit" or (caller.scope == "read" and request.method in READING_METHODS):
        return caller
    raise Forbidden(f"a token of scope '{caller.scope}' may not {request.method} here: this needs scope 'edit'")


def _edit(caller: Annotated[Caller, Depends(_authenticate)]) -> Caller:
    if caller.scope == "edit":
        return caller
    raise Forbidden(f"a token of scope '{caller.scope}' may not do this: it needs scope 'edit'")


def _gateway(caller: Annotated[Caller, Depends(_authenticate)]) -> Caller:
    if caller.scope in {"gateway", "edit"}:
        return caller
    raise Forbidden(f"a token of scope '{caller.scope}' may not act as a gateway: this needs scope 'gateway'")


Owner = Depends(_read_or_edit)
"""Route dependency: `read` for GET, `edit` for the rest."""

Editor = Depends(_edit)
"""Route dependency: `edit` whatever the method, for what even a reader must not see, such as tokens."""

GatewayCaller = Depends(_gateway)
"""Route dependency: the caller is a gateway."""
