"""Users of the dashboard, for editors: list, add, change, remove. A password is never answered, nor part of an error."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hauberk.access.passwords import check_password
from hauberk.api.auth import Editor
from hauberk.api.dependencies import Plane
from hauberk.api.envelope import success
from hauberk.api.paging import PageQuery, paged_rows, paged_together
from hauberk.api.sessions import owner_of, session_json
from hauberk.caller import Caller
from hauberk.storage.access_tables import DashboardSession, User
from hauberk.storage.dashboard_sessions import Owner, end_sessions, sessions_of
from hauberk.storage.users import add_user, check_name, find_user, sessions_count, set_disabled, set_password, set_role, users

own = APIRouter(tags=["users"])

Role = Literal["viewer", "editor"]
Password = Annotated[str, Field(description="12 to 1,024 characters, any characters")]


class NewUser(BaseModel):
    """A user to add."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="1 to 64 characters; upper and lower case do not tell users apart")
    password: Password
    role: Role = Field("viewer", description="`viewer` looks, `editor` changes as well")


class UserChange(BaseModel):
    """What to change of a user; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    password: Password | None = None
    disabled: bool | None = Field(None, description="A disabled user cannot sign in, and open sessions end")


@own.get("/users", dependencies=[Editor])
def list_users(plane: Plane, page: PageQuery) -> JSONResponse:
    """List users by name."""
    with plane.database.read() as session:

        def renderer(rows: Any) -> Any:
            counts = sessions_count(session, [user.id for user in rows], plane.entrance.limits)
            return lambda user: user_json(user) | {"sessions": counts.get(user.id, 0)}

        return paged_together(session, users(), page, renderer)


@own.post("/users", dependencies=[Editor])
def create_user(plane: Plane, body: NewUser) -> JSONResponse:
    """Add a user, who can sign in from now on."""
    check_name(body.name)
    # Hashed before the transaction: it takes a while, and nobody else can write meanwhile.
    password_hash = plane.entrance.passwords.hash(check_password(body.password))
    with plane.database.write() as session:
        result = user_json(add_user(session, body.name, password_hash, body.role))
    return success(result)


@own.get("/users/{user_id}", dependencies=[Editor])
def get_user(plane: Plane, user_id: str) -> JSONResponse:
    """Show a user."""
    with plane.database.read() as session:
        user = find_user(session, user_id)
        counts = sessions_count(session, [user.id], plane.entrance.limits)
        return success(user_json(user) | {"sessions": counts.get(user.id, 0)})


@own.patch("/users/{user_id}")
def change_user(plane: Plane, user_id: str, body: UserChange, caller: Annotated[Caller, Editor]) -> JSONResponse:
    """Change a user. Another password, and disabling, end the user's sessions at once; another role holds from the next request on."""
    password_hash = plane.entrance.passwords.hash(check_password(body.password)) if body.password is not None else None
    with plane.database.write() as session:
        user = find_user(session, user_id)
        if body.role is not None:
            set_role(user, body.role)
        if password_hash is not None:
            set_password(session, user, password_hash, keep_session=caller.session_id or None)
        if body.disabled is not None:
            set_disabled(session, user, disabled=body.disabled)
        result = user_json(user)
    return success(result)


@own.delete("/users/{user_id}", dependencies=[Editor])
def delete_user(plane: Plane, user_id: str) -> JSONResponse:
    """Remove a user; open sessions end. Even the last editor may go: a token of scope `edit` stays."""
    with plane.database.write() as session:
        user = find_user(session, user_id)
        session.delete(user)
        result = user_json(user)
    return success(result)


@own.get("/users/{user_id}/sessions")
def list_sessions_of_user(plane: Plane, user_id: str, page: PageQuery, caller: Annotated[Caller, Editor]) -> JSONResponse:
    """List where a user is signed in, the newest first."""
    with plane.database.read() as session:
        owner = Owner(user_id=find_user(session, user_id).id)
        return paged_rows(session, sessions_of(owner, plane.entrance.limits), page, lambda row: session_json(row, caller))


@own.delete("/users/{user_id}/sessions", dependencies=[Editor])
def end_sessions_of_user(plane: Plane, user_id: str) -> JSONResponse:
    """Sign a user out everywhere."""
    with plane.database.write() as session:
        user = find_user(session, user_id)
        ended = end_sessions(session, DashboardSession.user_id == user.id)
    return success({"id": user_id, "ended": ended})


@own.post("/sign-in-links")
def create_sign_in_link(plane: Plane, caller: Annotated[Caller, Editor]) -> JSONResponse:
    """Make a link that signs the caller in to the dashboard, once and within an hour; it is shown this once."""
    secret, expires_at = plane.entrance.make_link(owner_of(caller))
    response = success({"url": plane.sign_in_link(secret), "expires_at": expires_at.isoformat()})
    response.headers["Cache-Control"] = "no-store"
    return response


def user_json(user: User) -> dict[str, Any]:
    """Render a user, without the password's hash."""
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "status": "active" if user.disabled_at is None else "disabled",
        "created_at": user.created_at.isoformat(),
        "password_set_at": user.password_set_at.isoformat(),
        "signed_in_at": user.signed_in_at.isoformat() if user.signed_in_at else None,
        "disabled_at": user.disabled_at.isoformat() if user.disabled_at else None,
    }
