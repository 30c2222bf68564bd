"""People at the door, in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect

from dashboard.conftest import Visit, served
from hauberk.access.passwords import Passwords
from hauberk.access.throttle import Throttle
from hauberk.config import Settings
from hauberk.pki.server_certificate import self_signed

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def users(visit: Visit) -> Iterator[None]:
    """An editor, ada, and a viewer, grace; limits on tries that begin anew."""
    entrance, rest = visit.site.plane.entrance, visit.site.rest
    entrance.passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    entrance.addresses, entrance.names = Throttle(900), Throttle(30)
    for name, role in (("ada", "editor"), ("grace", "viewer")):
        rest.post("/hauberk/v1/users", json={"name": name, "role": role, "password": PASSWORD}).raise_for_status()
    yield
    for user in rest.get("/hauberk/v1/users").json()["result"]:
        rest.delete(f"/hauberk/v1/users/{user['id']}")


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_wrong_and_right_then_back_where_one_wanted_to_go_and_out(visit: Visit, accessible: Callable[[Page], None]) -> None:
    visit.expected.append("401")
    page = visit.someone()
    page.goto(f"{visit.site.url}/settings/tokens?page=1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to hauberk")
    accessible(page)
    sign_in(page, "ada", "wrong horse battery")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    expect(page.get_by_label("Name")).to_have_value("ada")
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_label("Password")).to_be_focused()
    accessible(page)
    sign_in(page, "ada")
    expect(page).to_have_url(f"{visit.site.url}/settings/tokens?page=1")
    page.get_by_text("ada", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{visit.site.url}/sign-in")
    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to hauberk")


def test_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit.someone()
    page.goto(visit.site.url)
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(visit.site.page())
    menu = page.locator("summary", has_text="ada")
    for _ in range(30):
        page.keyboard.press("Tab")
        if menu.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    for _ in range(3):  # account, reference, sign out
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{visit.site.url}/sign-in")


def test_a_token_signs_in(visit: Visit) -> None:
    page = visit.someone()
    page.goto(f"{visit.site.url}/sign-in")
    page.get_by_text("Sign in with a token", exact=True).click()
    page.get_by_label("Token").fill(visit.site.token)
    page.get_by_role("button", name="Sign in with the token").click()
    expect(page).to_have_url(visit.site.page())
    expect(page.get_by_text("admin-token")).to_be_visible()


def test_a_link_signs_in_once(visit: Visit, accessible: Callable[[Page], None]) -> None:
    visit.expected.append("401")
    url = visit.site.rest.post("/hauberk/v1/sign-in-links").json()["result"]["url"]
    url = visit.site.url + url[url.index("/sign-in/once/") :]
    page = visit.someone()
    page.goto(url)
    accessible(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(visit.site.page())
    other = visit.someone()
    other.goto(url)
    expect(other.get_by_role("alert")).to_contain_text("This link was used already")
    expect(other.get_by_role("button", name="Sign in")).to_have_count(0)
    accessible(other)


def test_a_viewer_sees_no_way_to_change_anything(visit: Visit) -> None:
    visit.expected.append("403")
    page = visit.someone()
    page.goto(visit.site.url)
    sign_in(page, "grace")
    expect(page.get_by_text("(viewer)")).to_be_visible()
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    page.goto(f"{visit.site.url}/settings/users")
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not do this")


def test_the_account_and_another_browser(visit: Visit, accessible: Callable[[Page], None]) -> None:
    visit.expected.append("403")
    here, there = visit.someone(), visit.someone()
    for page in (here, there):
        page.goto(f"{visit.site.url}/account")
        sign_in(page, "grace")
    here.reload()
    accessible(here)
    for wrong, told in (
        (("wrong horse battery", "another horse battery"), "the present password is wrong"),
        ((PASSWORD, "not the same one"), "differ"),
    ):
        change_password(here, wrong[0], "another horse battery", wrong[1])
        expect(here.get_by_role("alert").first).to_contain_text(told)
        visit.expected.append("400")
    change_password(here, PASSWORD, "another horse battery", "another horse battery")
    expect(here.get_by_role("status")).to_contain_text("Your password is changed")
    there.reload()
    expect(there.get_by_role("heading", level=1)).to_have_text("Sign in to hauberk")
    sign_in(there, "grace", "another horse battery")
    expect(there).to_have_url(f"{visit.site.url}/account")
    there.get_by_role("row").filter(has_not_text="this one").get_by_role("button", name="Sign out").click()
    expect(there.get_by_text("Signed out there.")).to_be_visible()
    here.reload()
    expect(here.get_by_role("heading", level=1)).to_have_text("Sign in to hauberk")


def change_password(page: Page, current: str, password: str, again: str) -> None:
    page.get_by_label("Present password").fill(current)
    page.get_by_label("New password").fill(password)
    page.get_by_label("The new one again").fill(again)
    page.get_by_role("button", name="Change the password").click()


def test_users_from_beginning_to_end(visit: Visit, accessible: Callable[[Page], None]) -> None:
    visit.expected.append("409")
    page = visit.signed_in()
    page.goto(f"{visit.site.url}/settings/users")
    accessible(page)
    for name in ("Grace", '<b>"Linus"</b>'):
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Add the user").click()
        if name == "Grace":
            expect(page.get_by_role("alert").first).to_contain_text("there is a user 'Grace' already")
            expect(page.get_by_label("Name")).to_have_value("Grace")
    page.get_by_role("link", name='<b>"Linus"</b>').click()
    expect(page.get_by_role("heading", level=1)).to_have_text('<b>"Linus"</b>')
    accessible(page)
    page.get_by_label("may do").select_option("editor")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_text("is editor now")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("may do")).to_have_value("viewer")
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("is shut out")).to_be_visible()
    page.get_by_role("button", name="Let in again").click()
    expect(page.get_by_text("may sign in again")).to_be_visible()
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("is removed")


def test_a_token_is_shown_once(visit: Visit, accessible: Callable[[Page], None]) -> None:
    page = visit.signed_in()
    page.goto(f"{visit.site.url}/settings/tokens")
    accessible(page)
    page.get_by_label("Name").fill("ci")
    page.get_by_role("button", name="Make the token").click()
    text = page.locator("#token").inner_text()
    assert len(text) > 30
    accessible(page)
    page.get_by_role("link", name="To all tokens").click()
    expect(page.get_by_text(text)).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="ci")
    row.get_by_role("button", name="Revoke…").click()
    row.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The token ci is revoked")


def test_over_tls(browser: Browser, tmp_path: Path) -> None:
    certificate, key = self_signed("localhost", loopback=True)
    (tmp_path / "cert.pem").write_text(certificate)
    (tmp_path / "key.pem").write_text(key)
    files = {"certificate": tmp_path / "cert.pem", "private_key": tmp_path / "key.pem"}
    with served(Settings.model_validate({"state_dir": tmp_path / "state", "control_plane": files})) as site:
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.goto(f"{site.url}/account")
        page.get_by_text("Sign in with a token", exact=True).click()
        page.get_by_label("Token").fill(site.token)
        page.get_by_role("button", name="Sign in with the token").click()
        expect(page).to_have_url(f"{site.url}/account")
        cookies = {cookie.get("name"): cookie for cookie in context.cookies()}
        assert set(cookies) == {"__Host-hauberk_session"}
        assert cookies["__Host-hauberk_session"].get("secure")
        assert page.evaluate("document.cookie") == ""
        context.close()
