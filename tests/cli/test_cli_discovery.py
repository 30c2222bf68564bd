"""Reviewing what was found by the command line: listed, saved, put aside, explained; rules and session identifiers."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conftest import LiveControlPlane
from traffic_fakes import HOST, FakeDiscovery, FakeTraffic, row

if TYPE_CHECKING:
    from command_line import Run

pytest_plugins = ("command_line",)


def session(n: int) -> dict[str, Any]:
    headers = [["Authorization", f"Bearer h:{n % 9}"], ["Cookie", f"_ga=G{n % 9}"]]
    return {"host": HOST, "status": 200, "method": "GET", "client": f"c{n % 9}", "request_headers": headers}


@pytest.fixture
def traffic(control_plane: LiveControlPlane) -> Iterator[FakeTraffic]:
    rows = [row(f"/users/{n}", 100) for n in range(10)]
    rows += [row("/login", 700, method="POST"), row("/shops/berlin", 900, with_session=900), row("/shops/paris", 800), row("/rare", 3)]
    source = FakeTraffic(rows, [session(n) for n in range(300)])
    inventory = control_plane.plane.inventory
    inventory.engine, inventory.source = FakeDiscovery, source
    inventory.start()
    yield source
    inventory.stop()


@pytest.fixture
def found(hauberk: Run, traffic: FakeTraffic) -> Run:
    """The command line, after one look at the traffic."""
    hauberk("discovery", "refresh")
    return hauberk


def endpoints(hauberk: Run, *options: str) -> list[str]:
    return [found["endpoint"] for found in hauberk("discovery", "list", "--json", *options).json]


def test_a_look_tells_what_was_seen_and_what_to_do_next(hauberk: Run, traffic: FakeTraffic) -> None:
    ran = hauberk("discovery", "refresh")
    assert ran.out == ""
    assert "Looked at 14 rows of paths: 5 operations, of which 4 are candidates" in ran.err
    assert "next: hauberk discovery list --state review" in ran.err
    assert hauberk("discovery", "refresh", "--json").json["candidates"] == 4
    assert hauberk("discovery", "refresh", "--no-wait", "--json").json["state"] in {"requested", "running"}


def test_without_traffic_it_is_said(hauberk: Run, control_plane: LiveControlPlane) -> None:
    inventory = control_plane.plane.inventory
    inventory.start()
    ran = hauberk("discovery", "refresh")
    assert "Looked at 0 rows of paths: 0 operations" in ran.err
    assert "next: hauberk discovery explain" in ran.err
    inventory.source = None
    assert "no traffic to look at" in hauberk("discovery", "refresh", ok=False).err
    ran = hauberk("discovery", "list")
    assert ran.out == ""
    assert "nothing was found" in ran.err
    assert hauberk("discovery", "list", "--json").json == []


def test_a_failed_look_is_told(hauberk: Run, traffic: FakeTraffic) -> None:
    def fail() -> None:
        raise OSError("gone")

    traffic.meanwhile = fail
    assert "discovery failed: OSError" in hauberk("discovery", "refresh", ok=False).err


def test_a_look_is_cancelled(hauberk: Run, traffic: FakeTraffic) -> None:
    traffic.meanwhile = lambda: hauberk("discovery", "cancel") and None
    assert "discovery was cancelled" in hauberk("discovery", "refresh", ok=False).err
    assert "no look at the traffic is under way" in hauberk("discovery", "cancel", ok=False).err


def test_the_list_is_filtered_and_ordered(found: Run) -> None:
    assert endpoints(found) == ["/login", "/shops/berlin", "/shops/paris", "/users/{var1}"]
    assert endpoints(found, "--order", "requests") == ["/users/{var1}", "/shops/berlin", "/shops/paris", "/login"]
    assert endpoints(found, "--order", "requests", "--limit", "2") == ["/users/{var1}", "/shops/berlin"]
    assert endpoints(found, "--origin", "SessionIdentifier") == ["/shops/berlin"]
    assert endpoints(found, "--method", "post") == ["/login"]
    assert endpoints(found, "--endpoint", "var1", "--host", HOST) == ["/users/{var1}"]
    assert endpoints(found, "--state", "ignored") == []
    assert f"GET     {HOST}  /shops/berlin  review  ML, SessionIdentifier  900       0.90   1" in found("discovery", "list").out


def test_one_is_saved_put_aside_and_taken_back(found: Run) -> None:
    ran = found("discovery", "save", "GET", HOST, "/users/{id}")
    assert "Saved GET api.example.com/users/{var1}" in ran.err
    assert "next: hauberk status --wait" in ran.err
    assert [operation["endpoint"] for operation in found("operation", "list", "--json").json] == ["/users/{var1}"]
    assert endpoints(found, "--state", "saved") == ["/users/{var1}"]
    (login,) = found("discovery", "list", "--method", "POST", "--json").json
    assert found("discovery", "ignore", login["id"], "--json").json == {login["id"]: {"state": "ignored"}}
    assert endpoints(found, "--state", "ignored") == ["/login"]
    assert "Back in review: POST api.example.com/login" in found("discovery", "restore", "POST", HOST, "/login").err
    assert endpoints(found, "--state", "ignored") == []


def test_all_that_are_left_are_saved_or_put_aside(found: Run) -> None:
    assert "Ignored 2 operations" in found("discovery", "ignore", "--all", "--endpoint", "/shops").err
    assert "Saved 2 operations" in found("discovery", "save", "--all").err
    assert "Nothing is in review" in found("discovery", "save", "--all").err
    assert "Back in review: 2 operations" in found("discovery", "restore", "--all").err
    assert endpoints(found, "--state", "review") == ["/shops/berlin", "/shops/paris"]


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (("save",), 2, "three words"),
        (("save", "GET", HOST), 2, "three words"),
        (("save", "GET", HOST, "/nowhere"), 1, "is not a candidate"),
        (("ignore", "0" * 8 + "-0000-5000-8000-" + "0" * 12), 1, "not a candidate's id"),
        (("save", "--all", "GET", HOST, "/login"), 2, "do not go together"),
        (("save", "--host", HOST), 2, "go with --all"),
        (("list", "--state", "new"), 2, "state"),
        (("explain", "GET", HOST, "users"), 1, "begin with"),
        (("explain", "PUT", HOST, "/users/1"), 1, "no successful request"),
        (("rules", "split", "GET", HOST, "/users"), 2, "no variable"),
        (("rules", "merge", "GET", HOST, "/a"), 1, "at least 2"),
        (("rules", "remove", "0" * 32), 1, "no template rule"),
        (("session-identifiers", "set"), 2, "at least one"),
        (("session-identifiers", "set", "header:a", "--none"), 2, "at least one"),
        (("session-identifiers", "set", "authorization"), 2, "is no session identifier"),
        (("session-identifiers", "set", "header:a b"), 1, "header's name"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(found: Run, words: tuple[str, ...], status: int, part: str) -> None:
    ran = found("discovery", *words, ok=False)
    assert (ran.status, ran.out) == (status, "")
    assert part in ran.err


def test_why_a_path_is_where_it_is(found: Run) -> None:
    ran = found("discovery", "explain", "get", HOST, "/users/4711")
    assert "its values are numbers" in ran.out
    assert "/users/{var1}" in ran.out
    assert "lacks: 3 successful requests in the window, and 500 are needed" in found("discovery", "explain", "GET", HOST, "/rare").out
    assert found("discovery", "explain", "GET", HOST, "/rare", "--json").json["operation"]["origin"] == []


def test_rules_are_added_listed_and_removed(found: Run) -> None:
    rules = ("discovery", "rules")
    assert "there are no rules" in found(*rules, "list").err
    assert f"Pinned GET {HOST}/shops/{{var1}}" in found(*rules, "merge", "GET", HOST, "/shops/berlin", "/shops/paris").err
    split = found(*rules, "split", "any", HOST, "/users/{var1}", "--json").json
    assert (split["kind"], split["method"], split["segment"]) == ("split", None, 1)
    found("discovery", "refresh")
    assert endpoints(found) == ["/login", "/shops/{var1}"], "each user has too few requests to be an operation"
    listed = found(*rules, "list")
    assert "split  ANY" in listed.out
    assert "{var1}" in listed.out
    found(*rules, "rename", "GET", HOST, "/shops/{var1}", "/shops/berlin")
    assert [rule["endpoint"] for rule in found(*rules, "list", "--json").json] == ["/users/{var1}", "/shops/berlin"]
    assert "Removed the split" in found(*rules, "remove", split["id"]).err
    found(*rules, "pin", "GET", HOST, "/users/me")
    assert len(found(*rules, "list", "--json").json) == 2


def test_session_identifiers_are_proposed_set_and_shown(found: Run) -> None:
    words = ("discovery", "session-identifiers")
    assert found(*words, "show", "--json").json == [{"type": "header", "name": "authorization"}], "taken by itself"
    ran = found(*words, "set", "header:X-Tenant", "cookie:_ga", "jwt:authorization:$.sub")
    assert "warning: the cookie '_ga' was set, but look again" in ran.err
    assert found(*words, "show").out.split() == ["TYPE", "NAME", "header", "X-Tenant", "cookie", "_ga", "jwt", "authorization:$.sub"]
    proposed = found(*words, "propose")
    assert "authorization  100%   9       33.3            9        good" in proposed.out
    assert "looks wrong: cookie _ga" in proposed.err
    assert "next: hauberk discovery session-identifiers set 'header:authorization'" in proposed.err
    assert found(*words, "propose", "--json", "--limit", "200").json["transactions"] == 200
    found(*words, "set", "--none")
    assert "none is set" in found(*words, "show").err
    found("discovery", "refresh")
    assert found(*words, "show", "--json").json == []


def test_the_two_ways_are_compared_with_a_picture(found: Run) -> None:
    ran = found("discovery", "compare", "--svg", "ways.svg")
    assert f"{HOST}  1     3        0" in ran.out
    assert "gained 1-50" in ran.out
    assert ElementTree.fromstring(Path("ways.svg").read_text()).tag.endswith("svg")
    assert "ways.svg" in found("discovery", "compare", "--svg", "ways.svg", ok=False).err
    assert found("discovery", "compare", "--json").json["totals"] == {"both": 1, "only_ml": 3, "only_session_identifier": 0}
