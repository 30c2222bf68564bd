"""REST credentials: list, make, revoke. A token's text is shown once, when it is made."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from hauberk.api.auth import Editor
from hauberk.api.dependencies import Plane
from hauberk.api.envelope import success
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.caller import Caller
from hauberk.errors import Conflict, NotFound
from hauberk.storage.models import Token, now
from hauberk.storage.tokens import token_sha256

own = APIRouter(tags=["tokens"])


class NewToken(BaseModel):
    """A token to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255, description="What it is for")
    email: str | None = Field(
        None, min_length=3, max_length=255, description="Its owner, sent as X-Auth-Email beside X-Auth-Key; default: the caller"
    )
    scope: Literal["read", "edit", "gateway"] = Field(
        description="`read`: GET only; `edit`: everything; `gateway`: fetch snapshots and report"
    )


def _render(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "email": token.email,
        "scope": token.scope,
        "status": "active" if token.revoked_at is None else "revoked",
        "created_at": token.created_at.isoformat(),
        "revoked_at": token.revoked_at.isoformat() if token.revoked_at else None,
    }


@own.get("/tokens", dependencies=[Editor])
def list_tokens(plane: Plane, page: PageQuery) -> JSONResponse:
    """List tokens by age, revoked ones too; never their text."""
    with plane.database.read() as session:
        return paged_rows(session, select(Token).order_by(Token.created_at, Token.id), page, _render)


@own.post("/tokens")
def create_token(plane: Plane, body: NewToken, caller: Annotated[Caller, Editor]) -> JSONResponse:
    """Make a token; `result.token` is its text, shown this once."""
    text = secrets.token_urlsafe(32)
    with plane.database.write() as session:
        token = Token(name=body.name, email=body.email or caller.email, scope=body.scope, sha256=token_sha256(text))
        session.add(token)
        session.flush()
        result = _render(token) | {"token": text}
    response = success(result)
    response.headers["Cache-Control"] = "no-store"
    return response


@own.delete("/tokens/{token_id}", dependencies=[Editor])
def revoke_token(plane: Plane, token_id: str) -> JSONResponse:
    """Revoke a token, at once and for good, with the sessions it began. The last one of scope `edit` stays: users may go, it lets in."""
    with plane.database.write() as session:
        token = session.get(Token, token_id)
        if token is None:
            raise NotFound(f"no token has the id '{token_id[:64]}'")
        others = select(Token.id).where(Token.scope == "edit", Token.revoked_at.is_(None), Token.id != token.id)
        is_key = token.scope == "edit" and token.revoked_at is None
        if is_key and session.scalar(others.limit(1)) is None:
            raise Conflict("this is the last token of scope 'edit': make another one first")
        token.revoked_at = token.revoked_at or now()
        result = _render(token)
    return success(result)
