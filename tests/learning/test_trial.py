"""A trial tells what a schema would have refused, rule by rule, and keeps false positives apart from the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_blame import BODIES, DOCUMENT, GOOD, JSON, QUERIES

from hauberk import _native
from hauberk.learning.trial import Trial
from hauberk.learning.wording import demanded

HOST = "api.example.com"
OPERATION = f"POST {HOST}/temps/{{var1}}"


def line(
    path: str = "/temps/1", body: Any = GOOD, *, status: int = 200, session: str | None = "s", time: str = "2026-11-01T00:00:00.000Z"
) -> bytes:
    row = {
        "host": HOST,
        "method": "POST",
        "url": f"https://{HOST}{path}",
        "request_headers": [["Content-Type", "application/json"], ["X-Version", "v1"]],
        "request_body": json.dumps(body),
        "status": status,
        "session": session,
        "client": "192.0.2.1",
        "time": time,
    }
    return json.dumps(row).encode()


def trial(*lines: bytes, document: dict[str, Any] = DOCUMENT) -> dict[str, Any]:
    this = Trial({OPERATION: document}, _native.Validator)
    this.replay(lines)
    return this.as_json()


@pytest.mark.parametrize(("path", "body", "rules"), [
    *((f"/temps/1?{query}", GOOD, [rule]) for query, rule in QUERIES),
    *(("/temps/1", body, rules) for body, rules in BODIES),
])  # fmt: skip
def test_each_refusal_is_told_by_its_rule(path: str, body: Any, rules: list[str]) -> None:
    told = trial(line(path, body))["successful"]
    assert (told["requests"], told["refused"]) == (1, 1)
    assert {one["rule"] for one in told["rules"]} == set(rules)
    assert all(one["can_be_relaxed"] for one in told["rules"])


def test_what_conforms_is_counted() -> None:
    told = trial(*[line()] * 5, line("/elsewhere"), b"no JSON")
    assert told["successful"] == {"requests": 5, "refused": 0, "rules": []}
    assert told["others"]["requests"] == 0


def test_rules_tell_how_often_by_whom_and_when() -> None:
    told = trial(
        line("/temps/1?page=10", session="a", time="2026-11-03T00:00:00.000Z"),
        line("/temps/1?page=12", session="b", time="2026-11-01T00:00:00.000Z"),
        line("/temps/1?page=14", session="b", time="2026-11-02T00:00:00.000Z"),
        line("/temps/1?sort=up&other=1&more=2", session="b"),
        line("/temps/1"),
    )
    assert (told["successful"]["requests"], told["successful"]["refused"]) == (5, 4)
    first, *rest = told["successful"]["rules"]
    assert first == {
        "operation": OPERATION,
        "rule": "query/page maximum",
        "can_be_relaxed": True,
        "explanation": "a value above 9",
        "requests": 3,
        "sessions": 2,
        "first_seen": "2026-11-01T00:00:00.000Z",
        "last_seen": "2026-11-03T00:00:00.000Z",
        "names": [],
    }
    assert [(one["rule"], one["requests"], one["names"]) for one in rest] == [
        ("query closed", 1, ["other", "more"]),
        ("query/sort enum", 1, []),
    ]


def test_only_what_succeeded_is_a_false_positive() -> None:
    told = trial(line("/temps/x", status=404), line("/temps/x", status=200), line(status=500))
    assert (told["successful"]["requests"], told["successful"]["refused"]) == (1, 1)
    assert (told["others"]["requests"], told["others"]["refused"]) == (2, 1)


def test_no_value_is_told() -> None:
    secret = "f00dcafe"
    told = trial(line(f"/temps/1?page={secret}&sort={secret}&code={secret}&when={secret}", {"a": secret, "n": 7}))
    assert len(told["successful"]["rules"]) == 6
    assert secret not in json.dumps(told)


def test_what_cannot_be_relaxed_says_so() -> None:
    row = json.loads(line())
    (rule,) = trial(json.dumps(row | {"request_body": '{"a": 1, "a": 1}'}).encode())["successful"]["rules"]
    assert (rule["can_be_relaxed"], rule["explanation"]) == (False, "a name that comes more than once")


def test_rules_in_alternatives_of_alternatives() -> None:
    told = trial(*[line(body=GOOD | {"some": [n]}) for n in range(4, 9)])["successful"]
    assert [(one["rule"], one["requests"], one["explanation"]) for one in told["rules"]] == [
        (f"{JSON}/some/* maximum", 3, "a value above 5")
    ]


@pytest.mark.parametrize(
    ("keyword", "value", "location", "said"),
    [
        ("maximum", 12000, "query", "a value above 12,000"),
        ("minLength", 2, "body", "a text shorter than 2 characters"),
        ("type", "integer", "query", "another type than integer"),
        ("type", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "query", "another type than integer or string"),
        ("type", [{"type": "integer"}, {}], "query", "another type"),
        ("type", None, "query", "another type"),
        ("enum", ["a", "b"], "query", "none of its 2 values"),
        ("enum", ["a"], "query", "another value than its only one"),
        ("format", "uuid", "path", "no uuid"),
        ("pattern", "^a$", "path", "a text that does not match ^a$"),
        ("closed", False, "query", "a parameter that is not declared"),
        ("additionalProperties", False, "body", "a member that is not declared"),
        ("closed", None, "body", "a content type that is not declared, or a body at all"),
        ("required", None, "body", "it is missing"),
        ("maxItems", None, "body", "a departure from 'maxItems'"),
        ("new_one", 1, "body", "a departure from 'new_one'"),
    ],
)
def test_wording(keyword: str, value: Any, location: str, said: str) -> None:
    assert demanded(keyword, value, location) == said
