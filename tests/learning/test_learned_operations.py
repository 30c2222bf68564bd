"""From requests to statements: what is said, what is left open, and that the gateway accepts what was learned from."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import HOST, profile_of, row

from hauberk import _native
from hauberk.learned_schema import LearnedOperation
from hauberk.learning import LearnOptions, documents, learn
from hauberk.learning.choice import Choice, Option


def learned(rows: list[dict[str, Any]], endpoint: str = "/items/{var1}", **options: Any) -> LearnedOperation:
    return learn(profile_of(rows, endpoint, sessions=options.pop("sessions", False)), **options)


def schema_of(operation: LearnedOperation, name: str) -> dict[str, Any]:
    parameters = operation.operation["parameters"]
    return next(parameter["schema"] for parameter in parameters if parameter["name"] == name)


def body_of(operation: LearnedOperation) -> dict[str, Any]:
    schema: dict[str, Any] = operation.operation["requestBody"]["content"]["application/json"]["schema"]
    return schema


def violations(operation: LearnedOperation, row: dict[str, Any], version: str = "3.0.3") -> list[Any]:
    [(_, document)] = documents([operation], version=version)  # type: ignore[arg-type]
    source = json.dumps(document).encode()
    body = row["request_body"].encode() if row["request_body"] else None
    headers = [(name, value) for name, value in row["request_headers"]]
    found: list[Any] = _native.check_request(source, row["method"], row["url"].removeprefix(f"https://{HOST}"), headers, body)["violations"]
    return found


def test_an_integer_in_the_path_is_one_after_some_dozen_requests() -> None:
    operation = learned([row(target=f"/items/{number}") for number in range(100, 160)])
    assert schema_of(operation, "var1")["type"] == "integer"
    assert "maximum" not in schema_of(operation, "var1"), "identifiers grow"
    assert violations(operation, row(target="/items/1%20or%201"))


def test_members_of_a_body_have_their_types() -> None:
    rows = [row("POST", "/items", {"count": number, "name": f"n{number}", "tags": ["a"], "on": True}) for number in range(60)]
    properties = body_of(learned(rows, "/items"))["properties"]
    assert {name: schema.get("type") for name, schema in properties.items()} == {
        "count": "integer",
        "name": "string",
        "tags": "array",
        "on": "boolean",
    }


def test_a_format_is_said_where_all_have_it() -> None:
    rows = [row("POST", "/items", {"at": f"2024-05-{day:02}T10:00:{second:02}Z"}) for day in range(1, 29) for second in range(40)]
    assert body_of(learned(rows, "/items"))["properties"]["at"]["format"] == "date-time"


def test_an_enumeration_needs_many_samples() -> None:
    def rows(count: int) -> list[dict[str, Any]]:
        return [row(target=f"/items/{number}?order={('asc', 'desc')[number % 2]}") for number in range(count)]

    few, many = learned(rows(12)), learned(rows(4000))
    assert "enum" not in schema_of(few, "order")
    assert any(statement.keyword == "enum" and statement.evidence.needs for statement in few.statements)
    assert schema_of(many, "order")["enum"] == ["asc", "desc"]


def test_secrets_are_no_values() -> None:
    rows = [row(target=f"/items/{number}?key=h:0123456789ab") for number in range(50)]
    assert "h:0123456789ab" not in json.dumps(learned(rows).operation)


def test_a_relaxed_rule_is_not_stated() -> None:
    rows = [row(target=f"/items/{number}") for number in range(100, 160)]
    assert schema_of(learned(rows, relaxed=["path/var1 type"]), "var1").get("type") is None


def test_an_attacker_with_few_sessions_moves_no_statement() -> None:
    good = [row(target=f"/items/{number}?page={number % 9 + 1}", session=f"s{number % 200}") for number in range(1900)]
    bad = [
        row(target=f"/items/{number}?page={10**12 + number}&{name}=1%27%20or%20%3C", session=f"evil{number % 3}")
        for number in range(100)
        for name in ("x",)
    ]
    bad += [row(target=f"/items/a%27{number}?page=zzz{number}", session=f"evil{number % 3}") for number in range(20)]
    clean, attacked = (learned(rows, sessions=True) for rows in (good, good + bad))
    for name in ("var1", "page"):
        stated = [{key: value for key, value in schema_of(each, name).items() if key != "x-hauberk-evidence"} for each in (clean, attacked)]
        assert stated[0] == stated[1], name


def test_learning_twice_says_the_same() -> None:
    rows = [row("POST", "/items", {"b": 1, "a": "x"}), row("POST", "/items", {"a": "y"})]
    first, second = (documents([learned(order, "/items")]) for order in (rows, rows[::-1]))
    assert json.dumps(first) == json.dumps(second)


def test_a_body_without_a_media_type_is_judged_as_those_that_have_one() -> None:
    rows = [row("POST", "/items", {"a": number}) for number in range(20)]
    rows[3]["request_headers"] = []
    operation = learned(rows, "/items")
    assert operation.operation["x-hauberk-untyped-body"] == "application/json"
    assert not violations(operation, rows[3])
    assert violations(operation, {**rows[3], "request_body": '{"a": "word"}'})


def test_bodies_of_types_that_the_gateway_cannot_read_pass() -> None:
    rows = [row("POST", "/items", {"a": number}) for number in range(20)]
    rows[3] |= {"request_headers": [["Content-Type", "text/xml"]], "request_body": "<a>3</a>"}
    operation = learned(rows, "/items")
    assert list(operation.operation["requestBody"]["content"]) == ["application/json"]
    assert not violations(operation, rows[3])
    assert violations(operation, {**rows[4], "request_body": '{"a": "word"}'})


def test_an_owner_may_leave_bodies_unjudged() -> None:
    rows = [row("POST", "/items", {"a": number}) for number in range(20)]
    operation = learned(rows, "/items", relaxed=["body content"])
    assert "requestBody" not in operation.operation
    assert not violations(operation, {**rows[4], "request_body": '{"a": "word"}'})


def test_null_may_stand_for_a_member_until_very_much_was_seen() -> None:
    schema = body_of(learned([row("POST", "/items", {"a": number}) for number in range(20)], "/items"))
    assert schema["properties"]["a"] == schema["properties"]["a"] | {"type": "integer", "nullable": True}


@pytest.mark.parametrize("confidence", [0.4, 1.0])
def test_a_confidence_out_of_range_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        LearnOptions(confidence=confidence)


SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-1e9, 1e9) | st.text(max_size=12)
BODIES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "type", "x/y", "~"]), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(BODIES, min_size=1, max_size=6), st.integers(1, 40), st.sampled_from(["3.0.3", "3.1.0"]))
def test_a_learned_schema_accepts_the_bodies_it_was_learned_from(bodies: list[Any], times: int, version: str) -> None:
    rows = [row("POST", "/items", body) for body in bodies for _ in range(times)]
    operation = learned(rows, "/items", options=LearnOptions(confidence=0.5, budget=1.0))
    [(_, document)] = documents([operation], version=version)  # type: ignore[arg-type]
    assert not _native.check_document(json.dumps(document).encode())["problems"]
    for each in rows[::times]:
        assert not violations(operation, each, version)


@pytest.mark.parametrize("number", ["1e308", "1e400", "9" * 400, "-1e308"])
def test_numbers_that_nothing_holds_are_no_bounds(number: str) -> None:
    rows = [row(target=f"/items/7?page={number}") for _ in range(50)] + [row(target=f"/items/7?page={page}") for page in range(50)]
    [parameter] = [found for found in learned(rows).operation["parameters"] if found["name"] == "page"]
    assert "maximum" not in parameter["schema"] or number.startswith("-")


def test_names_that_are_data_are_not_listed() -> None:
    names = ["carol@corp.example", "h:0123456789ab", "plain"]
    operation = learned([row("POST", "/items", {name: 1}) for name in names for _ in range(20)], "/items")
    text = json.dumps(operation.operation)
    assert "plain" in text
    assert "carol" not in text
    assert "0123456789ab" not in text
    assert not any("carol" in statement.pointer for statement in operation.statements)
    assert '"additionalProperties": false' not in text


def test_few_of_many_callers_move_no_bound() -> None:
    rows = [row(target=f"/items/7?page={1 + number % 90}", session=f"s:{number % 300:012x}") for number in range(5000)]
    want = learned(rows, sessions=True).operation["parameters"]
    odd = [row(target=f"/items/7?page={9000 + number}", session=f"s:{900 + number % 5:012x}") for number in range(260)]
    got = learned(rows + odd, sessions=True).operation["parameters"]

    def bounds(parameters: list[dict[str, Any]]) -> list[Any]:
        return [[parameter["schema"].get(key) for key in ("type", "minimum", "maximum", "pattern")] for parameter in parameters]

    assert bounds(got) == bounds(want)


@pytest.mark.parametrize("deep", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_depth_does_not_multiply_work(deep: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    made = Choice.made.fget
    assert made is not None

    def counted(choice: Choice) -> Option | None:
        nonlocal asked
        asked += 1
        return made(choice)

    monkeypatch.setattr(Choice, "made", property(counted))
    body: Any = 1
    for _ in range(30):
        body = deep(body)
    learned([row("POST", "/items", body) for _ in range(3)], "/items")
    assert asked < 200_000


TEXTS = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.integers().map(str) | st.sampled_from(["true", "1.5", "a,b", "x|y"])
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.tuples(st.sampled_from(["q", "id", "tag[]", "a.b"]), TEXTS), max_size=4), min_size=1, max_size=6))
def test_a_learned_schema_accepts_the_queries_it_was_learned_from(queries: list[list[tuple[str, str]]]) -> None:
    from urllib.parse import urlencode  # noqa: PLC0415

    rows = [row(target=f"/items/7?{urlencode(query)}") for query in queries]
    operation = learned(rows, options=LearnOptions(confidence=0.5, budget=1.0))
    for each in rows:
        assert not violations(operation, each), each["url"]
