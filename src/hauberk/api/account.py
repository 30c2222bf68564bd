"""The caller's own affairs: who it is, its password, where it is signed in. For these, scope `read` suffices to change them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hauberk.access.passwords import check_password
from hauberk.api.auth import Reader
from hauberk.api.dependencies import Plane
from hauberk.api.envelope import success
from hauberk.api.paging import PageQuery, paged_rows
from hauberk.api.sessions import owner_of, session_json
from hauberk.api.users import Password
from hauberk.caller import Caller
from hauberk.errors import Conflict
from hauberk.storage.access_tables import DashboardSession
from hauberk.storage.dashboard_sessions import end_sessions, session_of, sessions_of
from hauberk.storage.users import find_user, set_password

own = APIRouter(tags=["account"])


class NewPassword(BaseModel):
    """The caller's next password."""

    model_config = ConfigDict(extra="forbid")

    current: str = Field(description="The present one")
    password: Password


@own.get("/account")
def get_account(plane: Plane, caller: Annotated[Caller, Reader]) -> JSONResponse:
    """Tell who is calling: a user who is signed in, or the holder of a token; and what the caller may."""
    if not caller.user_id:
        return success({"kind": "token", "name": caller.email, "scope": caller.scope, "token_id": caller.token_id})
    with plane.database.read() as session:
        user = find_user(session, caller.user_id)
        set_at = user.password_set_at.isoformat()
        return success({"kind": "user", "name": user.name, "scope": caller.scope, "user_id": user.id, "password_set_at": set_at})


@own.put("/account/password")
def change_password(plane: Plane, body: NewPassword, caller: Annotated[Caller, Reader]) -> JSONResponse:
    """Change the password of the user who is signed in; all other sessions of the user end."""
    if not caller.user_id:
        raise Conflict("a token has no password: sign in as a user to change that user's")
    check_password(body.password)
    with plane.database.read() as session:
        name = find_user(session, caller.user_id).name
    plane.entrance.check_again(name, body.current, caller.session_id)
    password_hash = plane.entrance.passwords.hash(body.password)
    with plane.database.write() as session:
        user = find_user(session, caller.user_id)
        set_password(session, user, password_hash, keep_session=caller.session_id)
        result = {"name": user.name, "password_set_at": user.password_set_at.isoformat()}
    return success(result)


@own.get("/account/sessions")
def list_own_sessions(plane: Plane, page: PageQuery, caller: Annotated[Caller, Reader]) -> JSONResponse:
    """List where the caller is signed in to the dashboard, the newest first."""
    with plane.database.read() as session:
        query = sessions_of(owner_of(caller), plane.entrance.limits)
        return paged_rows(session, query, page, lambda row: session_json(row, caller))


@own.delete("/account/sessions/{session_id}")
def end_own_session(plane: Plane, session_id: str, caller: Annotated[Caller, Reader]) -> JSONResponse:
    """Sign the caller out in one place."""
    with plane.database.write() as session:
        row = session_of(session, owner_of(caller), session_id)
        end_sessions(session, DashboardSession.id == row.id)
        result = session_json(row, caller)
    return success(result)
