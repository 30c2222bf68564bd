"""Signing in and out, as a browser's requests: what gets in, what does not, and what nobody finds out."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from dashboard.conftest import Site, csrf_of, served, sign_in
from hauberk.access.passwords import Passwords
from hauberk.access.seal import Seal
from hauberk.access.throttle import Throttle
from hauberk.config import Settings
from hauberk.dashboard.addresses import own_address
from hauberk.entrance import Origin, new_mark
from hauberk.errors import Unauthenticated
from hauberk.pki.server_certificate import self_signed
from hauberk.storage.access_tables import DashboardSession
from hauberk.storage.models import now

PASSWORD = "correct horse battery"
COOKIE, BEFORE, MARK = "hauberk_session", "hauberk_sign_in", "hauberk_mark"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(site: Site) -> Clock:
    """Cheap hashes, and limits on tries that begin anew with each test."""
    clock, entrance = Clock(), site.plane.entrance
    entrance.passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    entrance.addresses, entrance.names = Throttle(900, clock), Throttle(30, clock)
    return clock


@pytest.fixture
def user(site: Site) -> Iterator[dict[str, Any]]:
    """A viewer, ada."""
    made = site.rest.post("/hauberk/v1/users", json={"name": "ada", "password": PASSWORD}).raise_for_status().json()["result"]
    yield made
    site.rest.delete(f"/hauberk/v1/users/{made['id']}")


@pytest.fixture
def browser_like(site: Site) -> Iterator[httpx.Client]:
    """A client that sends what browsers send with a form, and does not follow redirects."""
    with httpx.Client(base_url=site.url, headers={"Origin": site.url}, timeout=30) as client:
        yield client


def post(client: httpx.Client, **fields: str) -> httpx.Response:
    return client.post("/sign-in", data={"csrf": csrf_of(client.get("/sign-in")), **fields})


def is_in(client: httpx.Client) -> bool:
    return client.get("/account").status_code == 200


def test_a_browser_of_the_owners_does_not_wait_for_what_strangers_fail(
    site: Site, user: dict[str, Any], browser_like: httpx.Client
) -> None:
    assert MARK not in post(browser_like, name="ada", password="wrong horse battery").cookies
    given = post(browser_like, name="ada", password=PASSWORD)
    cookie = next(one for one in given.headers.get_list("set-cookie") if one.startswith(MARK))
    assert {"HttpOnly", "Path=/", "SameSite=lax", f"Max-Age={400 * 86400}"} <= set(cookie.split("; "))
    assert browser_like.post("/sign-out", data={"csrf": csrf_of(browser_like.get("/account"))}).status_code == 303
    for number in range(5):
        with pytest.raises(Unauthenticated):
            site.plane.entrance.sign_in("ada", "wrong horse battery", Origin(f"192.0.2.{number}", ""))
    mark = browser_like.cookies[MARK]
    for other in (
        None,
        "",
        mark[:-1] + ("A" if mark[-1] != "A" else "B"),
        Seal(b"another key of thirty-two bytes!").seal(new_mark("ada")),
        new_mark("ada"),
    ):
        with httpx.Client(base_url=site.url, headers={"Origin": site.url}, cookies={MARK: other} if other else {}) as stranger:
            assert post(stranger, name="ada", password=PASSWORD).status_code == 429
    assert post(browser_like, name="ada", password=PASSWORD).status_code == 303
    with httpx.Client(base_url=site.url, headers={"Origin": site.url}) as holder:
        assert post(holder, token=site.token).status_code == 303
        assert MARK not in holder.cookies


def test_a_user_signs_in_and_out(site: Site, user: dict[str, Any], browser_like: httpx.Client) -> None:
    answer = post(browser_like, name="ADA", password=PASSWORD, next="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    account = browser_like.get("/account")
    assert "A viewer" in account.text
    cookie = browser_like.cookies[COOKIE]
    out = browser_like.post("/sign-out", data={"csrf": csrf_of(account)})
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert not is_in(browser_like)
    browser_like.cookies.set(COOKIE, cookie)  # who kept it has nothing
    assert not is_in(browser_like)


def test_the_cookie_is_for_the_server_alone(browser_like: httpx.Client, site: Site) -> None:
    answer = post(browser_like, token=site.token)
    given = [value.lower() for value in answer.headers.get_list("set-cookie") if value.startswith(COOKIE)]
    assert len(given) == 1
    for part in ("; httponly", "; path=/", "; samesite=lax"):
        assert part in given[0]
    assert "secure" not in given[0]
    assert "max-age" not in given[0]
    assert "domain" not in given[0]


def test_the_rest_api_knows_no_cookies(site: Site) -> None:
    cookies = sign_in(site.url, {"token": site.token})
    for method, path in (("GET", "/client/v4/zones"), ("POST", "/hauberk/v1/zones"), ("GET", "/hauberk/v1/account")):
        assert httpx.request(method, site.url + path, cookies=cookies, headers={"Origin": site.url}).status_code == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "ada", "password": "wrong horse battery"},
        {"name": "nobody", "password": PASSWORD},
        {"name": "", "password": ""},
        {"name": "a\0b", "password": PASSWORD},
        {"name": "ada"},
        {},
    ],
)
def test_what_is_wrong_is_not_told(user: dict[str, Any], browser_like: httpx.Client, fields: dict[str, str]) -> None:
    answer = post(browser_like, **fields)
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert "horse" not in answer.text
    assert not is_in(browser_like)


def test_a_disabled_user_stays_out(site: Site, user: dict[str, Any], browser_like: httpx.Client) -> None:
    post(browser_like, name="ada", password=PASSWORD)
    assert is_in(browser_like)
    site.rest.patch(f"/hauberk/v1/users/{user['id']}", json={"disabled": True})
    assert not is_in(browser_like)
    answer = post(browser_like, name="ada", password=PASSWORD)
    assert (answer.status_code, "The name or the password is wrong." in answer.text) == (401, True)


def test_tokens_sign_in_and_their_end_ends_the_session(site: Site, browser_like: httpx.Client) -> None:
    made = site.rest.post("/hauberk/v1/tokens", json={"name": "mine", "scope": "read"}).json()["result"]
    assert post(browser_like, token=f" {made['token']} ").status_code == 303
    assert is_in(browser_like)
    site.rest.delete(f"/hauberk/v1/tokens/{made['id']}")
    assert not is_in(browser_like)
    answer = post(browser_like, token=made["token"])
    assert (answer.status_code, made["token"] in answer.text) == (401, False)


def test_a_gateways_token_does_not_sign_in(site: Site, browser_like: httpx.Client) -> None:
    answer = post(browser_like, token=site.new_token("gateway"))
    assert (answer.status_code, "for gateways" in answer.text) == (403, True)


@pytest.mark.parametrize(("column", "ago"), [("last_seen_at", timedelta(hours=9)), ("created_at", timedelta(days=8))])
def test_a_session_ends_by_itself(site: Site, browser_like: httpx.Client, column: str, ago: timedelta) -> None:
    post(browser_like, token=site.token)
    with site.plane.database.write() as session:
        session.execute(update(DashboardSession).values({column: now() - ago}))
    answer = browser_like.get("/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Faccount")


def test_a_page_that_renews_itself_keeps_no_session_alive(site: Site, browser_like: httpx.Client) -> None:
    post(browser_like, token=site.token)
    with site.plane.database.write() as session:
        session.execute(update(DashboardSession).values(last_seen_at=now() - timedelta(hours=7)))
    assert browser_like.get("/gateways", headers={"X-Hauberk-Part": "1"}).status_code == 200
    with site.plane.database.read() as session:
        seen = session.scalars(select(DashboardSession.last_seen_at)).all()
    assert all(now() - one > timedelta(hours=6) for one in seen)


@pytest.mark.parametrize(
    "change",
    [
        lambda cookie: cookie[:-1] + ("A" if cookie[-1] != "A" else "B"),
        lambda cookie: "x" + cookie,
        lambda cookie: cookie.rpartition(".")[0],
        lambda cookie: Seal(b"another key of thirty-two bytes!").seal(cookie.rpartition(".")[0]),
        lambda _: "",
        lambda _: "x" * 4000,
    ],
)
def test_a_cookie_that_was_made_up_is_none(site: Site, browser_like: httpx.Client, change: Callable[[str], str]) -> None:
    post(browser_like, token=site.token)
    cookie = change(browser_like.cookies[COOKIE])
    assert httpx.get(f"{site.url}/account", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 303


def test_each_sign_in_makes_a_new_session_and_ends_the_old(site: Site, browser_like: httpx.Client) -> None:
    post(browser_like, token=site.token)
    first = browser_like.cookies[COOKIE]
    # The page sends on who is signed in: the form of another tab is still open.
    with httpx.Client(base_url=site.url) as other:
        csrf = csrf_of(other.get("/sign-in"))
        browser_like.cookies.set(BEFORE, other.cookies[BEFORE])
    assert browser_like.post("/sign-in", data={"csrf": csrf, "token": site.token}).status_code == 303
    assert browser_like.cookies[COOKIE] != first
    assert is_in(browser_like)
    assert httpx.get(f"{site.url}/account", headers={"Cookie": f"{COOKIE}={first}"}).status_code == 303


def test_a_session_planted_before_is_not_the_one_after(site: Site, browser_like: httpx.Client) -> None:
    planted = site.plane.entrance.seal.seal("a secret that the attacker knows")
    browser_like.cookies.set(COOKIE, planted, domain="127.0.0.1", path="/")
    post(browser_like, token=site.token)
    assert browser_like.cookies[COOKIE] != planted
    assert httpx.get(f"{site.url}/account", headers={"Cookie": f"{COOKIE}={planted}"}).status_code == 303


def test_failures_have_to_wait(user: dict[str, Any], browser_like: httpx.Client, clock: Clock) -> None:
    for _ in range(5):
        assert post(browser_like, name="ada", password="wrong horse battery").status_code == 401
    answer = post(browser_like, name="ada", password=PASSWORD)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert "Too many failed sign-ins" in answer.text
    assert "Try again in 1 s" in answer.text
    clock.now += 1
    assert post(browser_like, name="ada", password=PASSWORD).status_code == 303


def test_the_limit_counts_tokens_too(browser_like: httpx.Client) -> None:
    answers = [post(browser_like, token=f"made up {number}").status_code for number in range(7)]
    assert answers == [401] * 5 + [429] * 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://["},
        {"Origin": "http://[::1]x"},
        {"Origin": "//"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "SELF"},
        {},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/settings/users"])
def test_a_form_from_elsewhere_is_refused(site: Site, headers: dict[str, str], path: str) -> None:
    cookies = sign_in(site.url, {"token": site.token})
    sent = {name: value.replace("SELF", site.url) for name, value in headers.items()}
    with httpx.Client(base_url=site.url, cookies=cookies) as client:
        csrf = csrf_of(client.get("/account"))
        if path == "/sign-in":
            client.cookies.delete(COOKIE)
            csrf = csrf_of(client.get("/sign-in"))
        answer = client.post(path, data={"csrf": csrf, "token": site.token, "name": "x", "password": PASSWORD}, headers=sent)
        assert answer.status_code == 403
        assert "load the page again" in answer.text
        assert "location" not in answer.headers
        assert site.rest.get("/hauberk/v1/users").json()["result"] == []


@pytest.mark.parametrize(
    "headers", [{"Origin": "SELF"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://x"}]
)
def test_a_form_from_here_is_taken(site: Site, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=site.url, headers={name: value.replace("SELF", site.url) for name, value in headers.items()}) as client:
        assert post(client, token=site.token).status_code == 303


def test_a_form_needs_its_own_sessions_token(site: Site, user: dict[str, Any]) -> None:
    with (
        site.signed_in() as one,
        httpx.Client(base_url=site.url, headers={"Origin": site.url}, cookies=sign_in(site.url, {"token": site.token})) as two,
    ):
        others = csrf_of(two.get("/account"))
        for token in (others, "", "made up", csrf_of(httpx.get(f"{site.url}/sign-in"))):
            answer = one.post("/sign-out", data={"csrf": token})
            assert answer.status_code == 403, token
        assert one.post("/sign-out").status_code == 403
        assert one.get("/account").status_code == 200


def test_nobody_is_signed_in_by_anothers_form(site: Site) -> None:
    """A form that was made for one browser does not sign in another, as whom the attacker likes."""
    with (
        httpx.Client(base_url=site.url, headers={"Origin": site.url}) as attacker,
        httpx.Client(base_url=site.url, headers={"Origin": site.url}) as victim,
    ):
        csrf = csrf_of(attacker.get("/sign-in"))
        victim.get("/sign-in")
        for client in (victim, httpx.Client(base_url=site.url, headers={"Origin": site.url})):
            assert client.post("/sign-in", data={"csrf": csrf, "token": site.token}).status_code == 403
            client.close()


ADDRESSES = [
    ("/account", "/account"),
    ("/zones/example.com/events?action=block&page=2", "/zones/example.com/events?action=block&page=2"),
    ("/", "/"),
    ("", "/"),
    ("//evil.example", "/"),
    ("///evil.example", "/"),
    ("/\\evil.example", "/"),
    ("\\\\evil.example", "/"),
    ("/\t/evil.example", "/"),
    ("/\n/evil.example", "/"),
    ("/a\\..\\\\evil.example", "/"),
    ("https://evil.example", "/"),
    ("https:evil.example", "/"),
    ("javascript:alert(1)", "/"),
    ("evil.example", "/"),
    (" //evil.example", "/"),
    ("/a\r\nSet-Cookie: x=y", "/"),
    ("/" + "a" * 3000, "/"),
    ("/\u2028/evil.example", "/"),
]


@pytest.mark.parametrize(("asked", "sent_to"), ADDRESSES)
def test_signing_in_leads_to_own_pages_alone(site: Site, browser_like: httpx.Client, asked: str, sent_to: str) -> None:
    assert own_address(asked) == sent_to
    assert post(browser_like, token=site.token, next=asked).headers["location"] == sent_to
    # Who is signed in already is sent on at once.
    answer = browser_like.get("/sign-in", params={"next": asked})
    assert (answer.status_code, answer.headers["location"]) == (303, sent_to)


def test_forms_of_strangers_are_small(site: Site, browser_like: httpx.Client) -> None:
    csrf = csrf_of(browser_like.get("/sign-in"))
    assert browser_like.post("/sign-in", data={"csrf": csrf, "password": "x" * 20_000}).status_code == 413
    assert browser_like.post("/sign-in", data={"csrf": csrf} | {f"field{number}": "" for number in range(30)}).status_code == 400
    assert browser_like.post("/sign-in", files={"csrf": csrf.encode()}).status_code == 403
    assert browser_like.post("/sign-in", content=b"\xff\xfe").status_code == 403


def test_a_link_is_used_up_by_its_button_alone(site: Site, browser_like: httpx.Client) -> None:
    url = site.rest.post("/hauberk/v1/sign-in-links").json()["result"]["url"]
    path = url[url.index("/sign-in/once/") :]
    for _ in range(3):  # programs that only look
        assert httpx.get(site.url + path).status_code == 200
    page = browser_like.get(path)
    answer = browser_like.post(path, data={"csrf": csrf_of(page)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/users")  # there is no user yet
    assert is_in(browser_like)
    with httpx.Client(base_url=site.url, headers={"Origin": site.url}) as other:
        again = other.get(path)
        assert (again.status_code, "used already" in again.text) == (401, True)
        other.get("/sign-in")
        assert other.post(path, data={"csrf": csrf_of(other.get("/sign-in"))}).status_code == 401


def test_a_link_lets_in_whose_address_has_to_wait(site: Site, browser_like: httpx.Client) -> None:
    """Others at it, such as behind the same proxy, may fail on and on."""
    assert [post(browser_like, token="made up").status_code for _ in range(6)][-1] == 429
    url = site.rest.post("/hauberk/v1/sign-in-links").json()["result"]["url"]
    path = url[url.index("/sign-in/once/") :]
    assert browser_like.post(path, data={"csrf": csrf_of(browser_like.get(path))}).status_code == 303
    assert is_in(browser_like)


def test_a_link_leads_to_the_first_page_once_there_are_users(site: Site, user: dict[str, Any], browser_like: httpx.Client) -> None:
    url = site.rest.post("/hauberk/v1/sign-in-links").json()["result"]["url"]
    path = url[url.index("/sign-in/once/") :]
    assert browser_like.post(path, data={"csrf": csrf_of(browser_like.get(path))}).headers["location"] == "/"


def test_sessions_outlast_a_restart_and_so_does_their_end(first_state: Path, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    with served(settings) as site:
        kept, ended = (sign_in(site.url, {"token": site.token}) for _ in range(2))
        with httpx.Client(base_url=site.url, cookies=ended, headers={"Origin": site.url}) as client:
            client.post("/sign-out", data={"csrf": csrf_of(client.get("/account"))})
    with served(settings) as site:
        assert httpx.get(f"{site.url}/account", cookies=kept).status_code == 200
        assert httpx.get(f"{site.url}/account", cookies=ended).status_code == 303


def test_over_tls_the_cookie_is_secure_and_browsers_stay_with_tls(tmp_path: Path) -> None:
    certificate, key = self_signed("localhost", loopback=True)
    (tmp_path / "cert.pem").write_text(certificate)
    (tmp_path / "key.pem").write_text(key)
    settings = Settings.model_validate(
        {"state_dir": tmp_path / "state", "control_plane": {"certificate": tmp_path / "cert.pem", "private_key": tmp_path / "key.pem"}}
    )
    trust = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    with served(settings) as site, httpx.Client(base_url=site.url, headers={"Origin": site.url}, verify=trust) as client:
        assert site.url.startswith("https://")
        assert client.get("/sign-in").headers["strict-transport-security"].startswith("max-age=")
        answer = post(client, token=site.token)
        given = next(value for value in answer.headers.get_list("set-cookie") if COOKIE in value)
        assert given.startswith(f"__Host-{COOKIE}=")
        assert "; Secure" in given
        assert is_in(client)
        # A cookie that somebody without TLS could have planted is not looked at.
        plain = {COOKIE: client.cookies[f"__Host-{COOKIE}"]}
        assert httpx.get(f"{site.url}/account", cookies=plain, verify=trust).status_code == 303


def test_behind_a_proxy_that_speaks_tls(tmp_path: Path) -> None:
    settings = Settings.model_validate({"state_dir": tmp_path / "state", "control_plane": {"public_url": "https://hauberk.example.com"}})
    with served(settings) as site, httpx.Client(base_url=site.url, headers={"Origin": "https://hauberk.example.com"}) as client:
        csrf = csrf_of(client.get("/sign-in"))
        cookie = {"Cookie": f"__Host-{BEFORE}={client.cookies[f'__Host-{BEFORE}']}"}  # httpx keeps Secure cookies to itself here
        answer = client.post("/sign-in", data={"csrf": csrf, "token": site.token}, headers=cookie)
        assert answer.status_code == 303
        assert "; Secure" in answer.headers["set-cookie"]
        other = client.post("/sign-in", data={"csrf": csrf, "token": site.token}, headers={**cookie, "Origin": "https://evil.example"})
        assert other.status_code == 403


@pytest.mark.parametrize(
    ("forwarded", "warned"),
    [
        ({}, False),  # loopback
        ({"X-Forwarded-For": "192.0.2.7"}, True),
        ({"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}, False),
    ],
)
def test_who_would_send_a_password_in_clear_text_is_warned(tmp_path: Path, forwarded: dict[str, str], warned: bool) -> None:
    settings = Settings.model_validate({"state_dir": tmp_path / "state", "control_plane": {"trusted_proxies": ["127.0.0.0/8"]}})
    with served(settings) as site:
        assert ("is not encrypted" in httpx.get(f"{site.url}/sign-in", headers=forwarded).text) is warned


def test_a_proxy_that_is_not_trusted_says_nothing(site: Site) -> None:
    answer = httpx.get(f"{site.url}/sign-in", headers={"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"})
    assert "is not encrypted" not in answer.text
    assert "strict-transport-security" not in answer.headers
    assert not any("Secure" in value for value in answer.headers.get_list("set-cookie"))
