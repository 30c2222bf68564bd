"""Rules on path templates as values: what they cover, what they replace, and what merging comes to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.operation import OperationKey
from hauberk.template_rule import TemplateRule, covers, merged, owner_rules

HOST = "api.example.com"


@pytest.mark.parametrize(
    ("template", "endpoint", "does"),
    [
        ("/users/{var1}", "/users/ann", True),
        ("/users/{var1}", "/users/{var1}", True),
        ("/users/ann", "/users/{var1}", False),
        ("/users/{var1}", "/users/ann/orders", False),
        ("/users/{var1}", "/shops/ann", False),
        ("/{var1}/{var2}", "/users/{var1}", True),
        ("/files/{var1}.json", "/files/a.json", True),
        ("/files/{var1}.json", "/files/a.xml", False),
        ("/files/{var1}", "/files/{var1}.json", True),
        ("/a.c", "/abc", False),
        ("/", "/", True),
    ],
)
def test_a_template_covers_an_endpoint_segment_by_segment(template: str, endpoint: str, does: bool) -> None:
    assert covers(template, endpoint) is does


segment = st.sampled_from(["users", "me", "{var1}", "{var2}", "a-{var1}"])
endpoints = st.lists(segment, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(endpoints)
def test_every_template_covers_itself(endpoint: str) -> None:
    assert covers(endpoint, endpoint)


@given(st.lists(st.lists(st.sampled_from(["a", "b", "{x}", "c.json"]), min_size=3, max_size=3), min_size=2, max_size=5))
def test_what_was_merged_is_covered(lists: list[list[str]]) -> None:
    given_ones = ["/" + "/".join(parts) for parts in lists]
    try:
        template = merged(given_ones)
    except ValueError:
        assert len({one.replace("{x}", "{}") for one in given_ones}) == 1
        return
    for one in given_ones:
        assert covers(template, one)


@pytest.mark.parametrize(
    ("given_ones", "template"),
    [
        (["/shops/berlin", "/shops/paris"], "/shops/{var1}"),
        (["/shops/berlin", "/shops/{var1}"], "/shops/{var1}"),
        (["/a/x/1", "/b/x/1"], "/{var1}/x/1"),
        (["/{a}/x/1", "/{b}/x/2"], "/{var1}/x/{var2}"),
    ],
)
def test_where_merged_endpoints_differ_there_is_a_variable(given_ones: list[str], template: str) -> None:
    assert merged(given_ones) == template


@pytest.mark.parametrize(("given_ones", "part"), [(["/a", "/a/b"], "same number"), (["/a", "/a"], "differ"), (["/a", "b"], "begin with")])
def test_what_cannot_be_merged_is_said(given_ones: list[str], part: str) -> None:
    with pytest.raises(ValueError, match=part):
        merged(given_ones)


@pytest.mark.parametrize(
    ("rule", "key", "does"),
    [
        (TemplateRule("pin", HOST, "GET", "/users/{var1}"), ("GET", HOST, "/users/ann"), True),
        (TemplateRule("pin", HOST, None, "/users/{var1}"), ("PUT", HOST, "/users/ann"), True),
        (TemplateRule("pin", HOST, "GET", "/users/{var1}"), ("PUT", HOST, "/users/ann"), False),
        (TemplateRule("pin", HOST, "GET", "/users/{var1}"), ("GET", HOST, "/users/{var1}"), False),
        (TemplateRule("pin", HOST, "GET", "/users/me"), ("GET", HOST, "/users/{var1}"), False),
        (TemplateRule("pin", "other.example.com", "GET", "/users/{var1}"), ("GET", HOST, "/users/ann"), False),
        (TemplateRule("split", HOST, "GET", "/{var1}/items", 0), ("GET", HOST, "/{var1}/items"), True),
        (TemplateRule("split", HOST, "GET", "/{var1}/items", 0), ("GET", HOST, "/shops/items"), False),
    ],
)
def test_a_rule_replaces_what_discovery_finds_otherwise_under_it(rule: TemplateRule, key: tuple[str, str, str], does: bool) -> None:
    assert rule.replaces(OperationKey(*key)) is does


def test_rules_are_written_as_path_discovery_takes_them() -> None:
    rules = [TemplateRule("pin", HOST, None, "/users/{var1}"), TemplateRule("split", HOST, "GET", "/{var1}/items", 0)]
    assert json.loads(owner_rules(rules)) == {
        "pins": [{"host": HOST, "method": None, "endpoint": "/users/{var1}"}],
        "splits": [{"host": HOST, "method": "GET", "endpoint": "/{var1}/items", "segment": 0}],
    }
    assert json.loads(owner_rules([])) == {"pins": [], "splits": []}
