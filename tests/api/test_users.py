"""Users, sessions and sign-in links over REST."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from argon2 import PasswordHasher

from hauberk.access.passwords import Passwords
from hauberk.caller import CALLER, Caller
from hauberk.entrance import Entered, Origin

if TYPE_CHECKING:
    from conftest import LiveControlPlane

PASSWORD = "correct horse battery"
HERE = Origin("192.0.2.1", "Browser/1.0")


@pytest.fixture
def plane(control_plane: LiveControlPlane) -> LiveControlPlane:
    control_plane.plane.entrance.passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    return control_plane


@pytest.fixture
def client(plane: LiveControlPlane) -> Iterator[httpx.Client]:
    with plane.client() as client:
        yield client


def add(client: httpx.Client, name: str = "Ada", role: str = "viewer") -> dict[str, Any]:
    answer = client.post("/hauberk/v1/users", json={"name": name, "password": PASSWORD, "role": role})
    return dict(answer.raise_for_status().json()["result"])


def message(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status
    return str(answer.json()["errors"][0]["message"])


def entered(plane: LiveControlPlane, secret: str) -> Entered:
    found = plane.plane.entrance.entered(secret)
    assert found is not None
    return found


class AsCaller:
    """The REST application as somebody who is signed in to the dashboard."""

    def __init__(self, plane: LiveControlPlane, secret: str) -> None:
        who = entered(plane, secret)
        caller = Caller(who.owner.token_id or "", who.email, who.scope, who.owner.user_id or "", who.session_id)
        app = plane.app

        async def inner(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, CALLER: caller}, receive, send)

        self._app = inner

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://inside") as client:
                return await client.request(method, path, **options)

        return asyncio.run(call())


def test_a_user_is_added_changed_and_removed(client: httpx.Client) -> None:
    made = add(client)
    assert made["name"] == "Ada"
    assert (made["role"], made["status"], made["signed_in_at"]) == ("viewer", "active", None)
    path = f"/hauberk/v1/users/{made['id']}"
    assert client.patch(path, json={"role": "editor", "disabled": True}).json()["result"]["status"] == "disabled"
    shown = client.get(path).json()["result"]
    assert (shown["role"], shown["status"], shown["sessions"]) == ("editor", "disabled", 0)
    assert client.patch(path, json={"disabled": False}).json()["result"]["status"] == "active"
    assert [user["name"] for user in client.get("/hauberk/v1/users").json()["result"]] == ["Ada"]
    assert client.delete(path).json()["result"]["id"] == made["id"]
    for answer in (client.get(path), client.patch(path, json={}), client.delete(path), client.get(f"{path}/sessions")):
        assert "no user has the id" in message(answer, 404)


def test_a_password_is_never_told_again(client: httpx.Client, plane: LiveControlPlane, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = add(client)
    secret = plane.plane.entrance.sign_in("ada", PASSWORD, HERE)
    texts = [
        client.get("/hauberk/v1/users").text,
        client.get(f"/hauberk/v1/users/{made['id']}").text,
        client.post("/hauberk/v1/users", json={"name": "ada", "password": PASSWORD}).text,
        client.post("/hauberk/v1/users", json={"name": "x", "password": [PASSWORD]}).text,
        client.post("/hauberk/v1/users", json={"name": "x", "role": PASSWORD, "password": PASSWORD}).text,
        client.patch(f"/hauberk/v1/users/{made['id']}", json={"password": PASSWORD, "extra": 1}).text,
        client.get(f"/hauberk/v1/users/{made['id']}/sessions").text,
        client.get("/openapi.json").text,
        caplog.text,
    ]
    for text in texts:
        assert PASSWORD not in text
        assert "argon2" not in text.replace("argon2-cffi", "")
        assert secret not in text


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"name": "x", "password": "short"}, "12 to 1,024 characters"),
        ({"name": "x", "password": "x" * 1025}, "12 to 1,024 characters"),
        ({"name": "", "password": PASSWORD}, "1 to 64 characters"),
        ({"name": "a\u202eb", "password": PASSWORD}, "can be seen"),
        ({"name": "x", "password": PASSWORD, "role": "owner"}, "role"),
        ({"name": "x"}, "password"),
        ({"name": "x", "password": PASSWORD, "admin": True}, "admin"),
    ],
)
def test_a_user_that_cannot_be_is_told(client: httpx.Client, body: dict[str, Any], told: str) -> None:
    assert told in message(client.post("/hauberk/v1/users", json=body), 400)
    assert client.get("/hauberk/v1/users").json()["result"] == []


def test_a_lone_surrogate_is_no_password(client: httpx.Client) -> None:
    body = b'{"name": "x", "password": "correct horse \\ud800"}'
    answer = client.post("/hauberk/v1/users", content=body, headers={"Content-Type": "application/json"})
    assert "surrogate" in message(answer, 400)


def test_names_differ_by_more_than_case(client: httpx.Client) -> None:
    add(client)
    assert "there is a user" in message(client.post("/hauberk/v1/users", json={"name": "ADA", "password": PASSWORD}), 409)


def test_users_are_for_editors_alone(client: httpx.Client, plane: LiveControlPlane) -> None:
    made = add(client)
    token = client.post("/hauberk/v1/tokens", json={"name": "reader", "scope": "read"}).json()["result"]["token"]
    for other in (token, plane.gateway_token):
        with plane.client(other) as reader:
            for method, path in (
                ("GET", "users"),
                ("POST", "users"),
                ("GET", f"users/{made['id']}"),
                ("PATCH", f"users/{made['id']}"),
                ("DELETE", f"users/{made['id']}"),
                ("GET", f"users/{made['id']}/sessions"),
                ("DELETE", f"users/{made['id']}/sessions"),
                ("POST", "sign-in-links"),
            ):
                body = {"name": "x", "password": PASSWORD} if method == "POST" else {} if method == "PATCH" else None
                assert reader.request(method, f"/hauberk/v1/{path}", json=body).status_code == 403, (method, path)
    assert client.get(f"/hauberk/v1/users/{made['id']}").status_code == 200


def test_sessions_are_listed_and_ended(client: httpx.Client, plane: LiveControlPlane) -> None:
    made = add(client)
    secrets = [plane.plane.entrance.sign_in("ada", PASSWORD, HERE) for _ in range(2)]
    path = f"/hauberk/v1/users/{made['id']}"
    assert client.get(path).json()["result"]["sessions"] == 2
    listed = client.get(f"{path}/sessions").json()["result"]
    assert {(session["address"], session["browser"], session["current"]) for session in listed} == {("192.0.2.1", "Browser/1.0", False)}
    assert client.delete(f"{path}/sessions").json()["result"]["ended"] == 2
    assert not any(plane.plane.entrance.entered(secret) for secret in secrets)
    assert client.get(f"{path}/sessions").json()["result"] == []


@pytest.mark.parametrize("change", [{"password": "another horse battery"}, {"disabled": True}])
def test_changes_that_end_sessions(client: httpx.Client, plane: LiveControlPlane, change: dict[str, Any]) -> None:
    made = add(client)
    secret = plane.plane.entrance.sign_in("ada", PASSWORD, HERE)
    client.patch(f"/hauberk/v1/users/{made['id']}", json=change).raise_for_status()
    assert plane.plane.entrance.entered(secret) is None


def test_a_link_signs_in_with_the_rights_of_its_maker(client: httpx.Client, plane: LiveControlPlane) -> None:
    answer = client.post("/hauberk/v1/sign-in-links")
    assert answer.headers["cache-control"] == "no-store"
    url = answer.json()["result"]["url"]
    assert url.startswith(f"{plane.base_url}/sign-in/once/")
    secret = plane.plane.entrance.sign_in_with_link(url.rpartition("/")[2], HERE)
    assert entered(plane, secret).scope == "edit"


def test_the_own_account(client: httpx.Client, plane: LiveControlPlane) -> None:
    assert client.get("/hauberk/v1/account").json()["result"]["kind"] == "token"
    add(client)
    secret = plane.plane.entrance.sign_in("ada", PASSWORD, HERE)
    ada = AsCaller(plane, secret)
    account = ada.call("GET", "/hauberk/v1/account").json()["result"]
    assert (account["kind"], account["name"], account["scope"]) == ("user", "Ada", "read")
    assert [session["current"] for session in ada.call("GET", "/hauberk/v1/account/sessions").json()["result"]] == [True]
    with plane.client(plane.gateway_token) as gateway:
        assert gateway.get("/hauberk/v1/account").status_code == 403


def test_a_viewer_changes_the_own_password_and_nothing_else(client: httpx.Client, plane: LiveControlPlane) -> None:
    add(client)
    own, other = (plane.plane.entrance.sign_in("ada", PASSWORD, HERE) for _ in range(2))
    ada = AsCaller(plane, own)
    change = {"current": "wrong horse battery", "password": "another horse battery"}
    assert "present password" in message(ada.call("PUT", "/hauberk/v1/account/password", json=change), 403)
    short = {"current": PASSWORD, "password": "short"}
    assert "12 to" in message(ada.call("PUT", "/hauberk/v1/account/password", json=short), 400)
    good = {"current": PASSWORD, "password": "another horse battery"}
    assert ada.call("PUT", "/hauberk/v1/account/password", json=good).status_code == 200
    assert plane.plane.entrance.entered(own) is not None
    assert plane.plane.entrance.entered(other) is None
    plane.plane.entrance.sign_in("ada", "another horse battery", HERE)
    assert ada.call("POST", "/hauberk/v1/zones", json={"name": "example.org"}).status_code == 403
    assert ada.call("POST", "/hauberk/v1/users", json={"name": "x", "password": PASSWORD}).status_code == 403


def test_the_present_password_cannot_be_guessed_at_will(client: httpx.Client, plane: LiveControlPlane) -> None:
    add(client)
    ada = AsCaller(plane, plane.plane.entrance.sign_in("ada", PASSWORD, HERE))
    change = {"current": "wrong horse battery", "password": "another horse battery"}
    answers = [ada.call("PUT", "/hauberk/v1/account/password", json=change) for _ in range(8)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_own_sessions_end_one_by_one_and_others_cannot_be_touched(client: httpx.Client, plane: LiveControlPlane) -> None:
    add(client)
    add(client, "Grace")
    first, second, graces = (plane.plane.entrance.sign_in(name, PASSWORD, HERE) for name in ("ada", "ada", "grace"))
    ada = AsCaller(plane, first)
    path = "/hauberk/v1/account/sessions"
    assert message(ada.call("DELETE", f"{path}/{entered(plane, graces).session_id}"), 404)
    assert ada.call("DELETE", f"{path}/{entered(plane, second).session_id}").status_code == 200
    assert plane.plane.entrance.entered(second) is None
    assert plane.plane.entrance.entered(graces) is not None


def test_a_token_has_no_password(client: httpx.Client) -> None:
    change = {"current": PASSWORD, "password": "another horse battery"}
    assert "a token has no password" in message(client.put("/hauberk/v1/account/password", json=change), 409)


def test_an_editor_cannot_revoke_the_last_token_that_may_edit(client: httpx.Client, plane: LiveControlPlane) -> None:
    add(client, "Ada", "editor")
    ada = AsCaller(plane, plane.plane.entrance.sign_in("ada", PASSWORD, HERE))
    tokens = {token["name"]: token["id"] for token in client.get("/hauberk/v1/tokens").json()["result"]}
    assert "last token" in message(ada.call("DELETE", f"/hauberk/v1/tokens/{tokens['admin-token']}"), 409)
    made = ada.call("POST", "/hauberk/v1/tokens", json={"name": "mine", "scope": "edit"}).json()["result"]
    assert made["email"] == "Ada"
    assert ada.call("DELETE", f"/hauberk/v1/tokens/{tokens['admin-token']}").status_code == 200
