"""Rules on pages: order and switches, text and rows, mistakes marked, and two tabs that do not overwrite each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.conftest import HOST_NAME, Site, Visit, csrf_of
from hauberk.dashboard.rule_versions import differences, seen_text

PHASE = "http_request_firewall_custom"
PATH = f"rulesets/phases/{PHASE}/entrypoint"
MTLS = '(http.host eq "api.example.com" and not (cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked))'


def rules(site: Site) -> list[dict[str, Any]]:
    return list(site.rest.get(site.v4(PATH)).json()["result"]["rules"])


def order(site: Site) -> str:
    return "".join(rule["description"] for rule in rules(site))


@pytest.fixture
def four(site: Site) -> list[dict[str, Any]]:
    """Four rules, a to d."""
    written = [{"action": "block", "expression": f'http.request.uri.path eq "/{name}"', "description": name} for name in "abcd"]
    return list(site.rest.put(site.v4(PATH), json={"rules": written}).raise_for_status().json()["result"]["rules"])


def test_a_rule_is_built_of_rows_written_as_text_and_back(site: Site, visit: Visit, accessible: Callable[[Page], None]) -> None:
    site.rest.put(site.v4(PATH), json={"rules": []})
    page = visit.signed_in()
    page.goto(site.page("rules"))
    expect(page.get_by_role("heading", name="No rule yet")).to_be_visible()
    accessible(page)
    page.get_by_role("main").get_by_role("link", name="Add a rule…").first.click()
    page.get_by_label("Value").fill("api.example.com")
    checked = page.locator("#checked")
    expect(checked).to_contain_text('http.host eq "api.example.com"')
    page.get_by_role("button", name="and another group…").click()
    page.get_by_label("Field").nth(1).select_option("cf.tls_client_auth.cert_verified")
    page.get_by_label("How it is compared").nth(1).select_option("false")
    expect(checked).to_contain_text('http.host eq "api.example.com" and not cf.tls_client_auth.cert_verified')
    page.get_by_role("button", name="or…").nth(1).click()
    page.get_by_label("Field").nth(2).select_option("http.request.method")
    page.get_by_label("How it is compared").nth(2).select_option("in")
    page.get_by_label("Value").nth(2).fill("PUT\nPATCH")
    expect(checked).to_contain_text('and (not cf.tls_client_auth.cert_verified or http.request.method in {"PUT" "PATCH"})')
    accessible(page)
    page.get_by_role("button", name="Edit as text").click()
    text = page.locator("textarea[name=expression]")
    expect(text).to_have_value(
        'http.host eq "api.example.com" and (not cf.tls_client_auth.cert_verified or http.request.method in {"PUT" "PATCH"})'
    )
    text.fill('http.host eqq "api.example.com"')
    expect(checked.locator("mark")).to_have_text("eqq")
    expect(checked).to_contain_text("Column 11")
    accessible(page)
    text.fill("http.host eq")
    expect(checked.locator("mark")).to_have_text("⟨end⟩")
    text.fill(MTLS)
    expect(checked).to_contain_text("compiles")
    page.get_by_role("button", name="Edit as rows").click()
    expect(page.get_by_label("Field")).to_have_count(3)
    expect(checked).to_contain_text("and (not cf.tls_client_auth.cert_verified or cf.tls_client_auth.cert_revoked)")
    page.get_by_role("button", name="Edit as text").click()
    text.fill('http.host eq "a" and (http.host eq "b" or (http.host eq "c" and true))')
    expect(checked).to_contain_text("more than rows can")
    page.get_by_role("button", name="Edit as rows").click()
    expect(text).to_be_visible()
    text.fill(MTLS)
    page.get_by_label("Description").fill("devices <only>")
    page.get_by_label("Action").select_option("log")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_role("status")).to_contain_text("The rule is added.")
    expect(page.get_by_role("link", name="devices <only>")).to_be_visible()
    [rule] = rules(site)
    assert (rule["expression"], rule["action"], rule["enabled"]) == (MTLS, "log", True)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="No rule yet")).to_be_visible()


def test_rules_are_moved_switched_deleted_and_had_back(
    site: Site, four: list[dict[str, Any]], visit: Visit, accessible: Callable[[Page], None]
) -> None:
    page = visit.signed_in()
    page.goto(site.page("rules"))
    accessible(page)
    page.get_by_label("Move rule 3 up").click()
    assert order(site) == "acbd"
    page.get_by_label("Number of rule 4").fill("1")
    page.get_by_label("Number of rule 4").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("new order")
    assert order(site) == "dacb"
    page.get_by_label("Rule 1: log only").click()
    page.get_by_label("Disable rule 1").click()
    assert (rules(site)[0]["action"], rules(site)[0]["enabled"]) == ("log", False)
    page.get_by_role("button", name="Delete rule 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("The rule a is deleted.")
    assert order(site) == "dcb"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Taken back")
    assert order(site) == "dacb"
    assert rules(site)[1]["ref"] == four[0]["ref"]


def test_two_tabs_do_not_overwrite_each_other(site: Site, four: list[dict[str, Any]], visit: Visit) -> None:
    one = visit.signed_in()
    two = one.context.new_page()
    visit.watch(two)
    visit.expected.append("409")
    one.goto(site.page(f"rules/{four[0]['id']}"))
    two.goto(site.page("rules"))
    list_of_another = one.context.new_page()
    visit.watch(list_of_another)
    list_of_another.goto(site.page("rules"))
    two.get_by_label("Rule 1: log only").click()
    expect(two.get_by_role("status")).to_contain_text("The rule a only logs.")
    one.get_by_label("Description").fill("mine")
    one.get_by_role("button", name="Save").click()
    expect(one.get_by_role("alert")).to_contain_text("somebody has changed the rules since you began")
    expect(one.get_by_role("alert")).to_contain_text("logs")
    assert rules(site)[0]["description"] == "a"
    list_of_another.get_by_role("button", name="Delete rule 2").click()
    list_of_another.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(list_of_another.get_by_role("alert")).to_contain_text("Your change was not made")
    expect(list_of_another.get_by_role("alert")).to_contain_text("Changed: a")
    assert order(site) == "abcd"
    one.get_by_role("button", name="Save").click()
    expect(one.get_by_role("status")).to_contain_text("The rule is changed.")
    assert (rules(site)[0]["description"], rules(site)[0]["action"]) == ("mine", "block")
    two.get_by_role("button", name="Undo").click()
    expect(two.get_by_role("status")).to_contain_text("Not taken back: the rules were changed meanwhile")


def test_what_others_changed_is_told() -> None:
    def rule(id_: str, version: int = 1) -> dict[str, Any]:
        return {"id": id_, "version": str(version)}

    seen = seen_text([rule("a"), rule("b"), rule("c")])
    for now, wanted in (
        ([rule("a"), rule("b"), rule("c")], []),
        ([rule("a"), rule("b", 2), rule("c")], ["changed"]),
        ([rule("b"), rule("c"), rule("d")], ["new", "deleted"]),
        ([rule("c"), rule("a"), rule("b")], ["order"]),
    ):
        assert [kind for kind, _ in differences(seen, now)] == wanted


def test_fallthrough_is_switched_and_taken_back(site: Site, four: list[dict[str, Any]], visit: Visit) -> None:
    page = visit.signed_in()
    page.goto(site.page("rules"))
    group = page.get_by_role("group", name=f"Requests to {HOST_NAME} that match no saved operation")
    group.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("status")).to_contain_text("are refused")
    assert rules(site)[4]["ref"] == f"hauberk_fallthrough_{HOST_NAME}"
    expect(group.get_by_role("button", name="Refuse")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Undo").click()
    assert order(site) == "abcd"


def test_rows_work_without_a_script(site: Site, four: list[dict[str, Any]]) -> None:
    with site.signed_in() as client:
        here = site.page("rules/new")
        page = client.get(here)
        row = {"row.0.0.field": "cf.tls_client_auth.cert_presented", "row.0.0.operator": "eq", "row.0.0.values": "left over"}
        form = {"csrf": csrf_of(page), "version": "1", "mode": "rows", "match": "all", "action": "block", "description": "", **row}
        added = client.post(here, data=form | {"do": "add-row:0"})
        assert added.text.count('aria-label="Field"') == 2
        assert "cf.tls_client_auth.cert_presented or http.host eq &#34;&#34;" in added.text
        dropped = client.post(here, data=form | {"do": "drop:0:0"})
        assert dropped.text.count('aria-label="Field"') == 1
        unknown = client.post(here, data=form | {"row.0.0.field": 'true or http.host eq "a"', "do": "save"})
        assert "none of the language" in unknown.text
        for nonsense in ("drop:9:9", "drop:x", "add-row:", "nothing", ""):
            assert client.post(here, data=form | {"do": nonsense}).status_code == 200
    assert order(site) == "abcd"


def test_a_viewer_reads_rules(site: Site, four: list[dict[str, Any]]) -> None:
    with site.signed_in(site.new_token("read")) as client:
        listed = client.get(site.page("rules"))
        assert "/rules/new" not in listed.text
        shown = client.get(site.page(f"rules/{four[0]['id']}"))
        assert "http.request.uri.path eq &#34;/a&#34;" in shown.text
        assert client.post(site.page("rules"), data={"csrf": csrf_of(shown), "do": f"delete:{four[0]['id']}"}).status_code == 403
        assert client.get(site.page("rules/unknown")).status_code == 404
    assert order(site) == "abcd"


@pytest.mark.parametrize(("do", "status"), [("delete:../../../operations", 409), ("delete:", 409), ("explode:{id}", 400), ("", 409)])
def test_a_form_that_asks_for_nonsense_changes_nothing(site: Site, four: list[dict[str, Any]], do: str, status: int) -> None:
    with site.signed_in() as client:
        page = client.get(site.page("rules"))
        version = site.rest.get(site.v4(PATH)).json()["result"]["version"]
        form = {"csrf": csrf_of(page), "version": version, "seen": seen_text(four), "do": do.format(id=four[0]["id"])}
        assert client.post(site.page("rules"), data=form).status_code == status
    assert rules(site) == four


def test_a_thousand_rules_are_shown_by_pages(site: Site) -> None:
    written = [{"action": "log", "expression": "true", "description": f"rule {number}"} for number in range(1000)]
    site.rest.put(site.v4(PATH), json={"rules": written}).raise_for_status()
    with site.signed_in() as client:
        last = client.get(site.page("rules?page=10"))
        assert ">rule 999</a>" in last.text
        assert ">rule 899</a>" not in last.text
        form = {"csrf": csrf_of(last), "version": site.rest.get(site.v4(PATH)).json()["result"]["version"]}
        moved = client.post(site.page("rules"), data=form | {f"to:{rules(site)[999]['id']}": "1", "do": "numbers"})
        assert "new order" in moved.text
    assert rules(site)[0]["description"] == "rule 999"
