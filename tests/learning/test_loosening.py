"""What a trial blames for a refusal is what has to be relaxed: without it the same request passes, and nothing else has changed."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from test_blame import BODIES, DOCUMENT, GOOD, JSON, OPERATION, QUERIES, broken, violations

from hauberk import _native
from hauberk.learning.loosening import loosened

HEADERS = {"x-version": "v1"}
REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    *(({"path": f"/temps/1?{query}"}, [rule]) for query, rule in QUERIES),
    *(({"body": body}, rules) for body, rules in BODIES),
    ({"path": "/temps/x"}, ["path/var1 type"]),
    ({"path": "/temps/100"}, ["path/var1 maximum"]),
    ({"headers": {"x-version": ""}}, ["header/x-version required"]),
    ({"headers": {"x-version": "w1"}}, ["header/x-version pattern"]),
    ({"headers": {"cookie": "theme=light"}}, ["cookie/theme enum"]),
    ({"body": None}, ["body required"]),
    ({"body": b"x", "kind": "text/plain"}, ["body closed"]),
    ({"body": b"{"}, ["body content"]),
    ({"body": b"f=x", "kind": "application/x-www-form-urlencoded"}, ["body/application~1x-www-form-urlencoded/f type"]),
]


def without(rules: list[str]) -> dict[str, Any]:
    return DOCUMENT | {"paths": {"/temps/{var1}": {"post": loosened(OPERATION, rules)}}}


@pytest.mark.parametrize(("told", "rules"), REFUSED)
def test_relaxing_what_is_blamed_lets_the_request_pass(told: dict[str, Any], rules: list[str]) -> None:
    assert [one.rule for one in broken(**told)] == rules
    before = copy.deepcopy(OPERATION)
    document = without(rules)
    assert before == OPERATION
    assert _native.check_document(json.dumps(document).encode())["ok"]
    asked = {"path": "/temps/1", "body": GOOD, "kind": "application/json", "headers": {}, "method": "POST"} | told
    assert violations(document, **asked) == []


def test_the_other_rules_stay() -> None:
    every = sorted({rule for _, rules in REFUSED for rule in rules})
    for told, rules in REFUSED:
        # Alternatives hang together, and what is relaxed takes along what is below it: so rules about other parts of the request.
        parts = {_part(rule) for rule in rules}
        others = [
            rule for rule in every if not any(part.startswith(_part(rule)) for part in parts) and not rule.endswith(("closed", "content"))
        ]
        asked = {"path": "/temps/1", "body": GOOD, "kind": "application/json", "headers": {}, "method": "POST"} | told
        assert violations(without(others), **asked), rules


def _part(rule: str) -> str:
    return "/".join(rule.partition(" ")[0].split("/")[:3])


@pytest.mark.parametrize(
    "rule", ["", "query", "query/unknown maximum", "path/var1 required", f"{JSON}/a/b/c type", "body/text~1plain type", "where closed"]
)
def test_what_is_not_stated_changes_nothing(rule: str) -> None:
    assert loosened(OPERATION, [rule]) == OPERATION


def test_what_is_left_of_required_and_of_the_evidence() -> None:
    schema = {"type": "object", "required": ["a", "b"], "maxProperties": 3, "x-hauberk-evidence": {"maxProperties": 1, "type": 2}}
    operation = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    looser = loosened(operation, [f"{JSON}/a required", f"{JSON} maxProperties"])
    assert looser["requestBody"]["content"]["application/json"]["schema"] == {
        "type": "object",
        "required": ["b"],
        "x-hauberk-evidence": {"type": 2},
    }
