"""What requests show that the schema in force does not say is told once enough callers show it, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from hauberk.learning.drift import Departure, Enough, departures, has_disappeared

JSON = "application/json"
BODY = "body/application~1json"


def support(samples: int = 100, sources: int = 20) -> dict[str, int]:
    return {"requests": samples, "samples": samples, "sources": sources}


ALL, FEW = support(), support(100, 2)


def extremes(low: float, high: float, callers: int = 5) -> dict[str, Any]:
    """Of each caller its own largest and smallest."""
    names = [f"{n + 1:016x}" for n in range(callers)]
    return {"low": [[low, name] for name in names], "high": [[high, name] for name in names], "histogram": [], "by_day": []}


def value(kind: str = "string", seen: dict[str, int] = ALL, **members: Any) -> dict[str, Any]:
    return {"kinds": {kind: seen}, "values": None, "distinct": 10, "sample": []} | members


def node(of: dict[str, Any], items: Any = None, inner: Any = None) -> dict[str, Any]:
    return {"value": of, "items": items, "object": inner}


def parameter(of: dict[str, Any], seen: dict[str, int] = ALL) -> dict[str, Any]:
    return {"present": seen, "repeated": None, "node": node(of)}


def members(present: dict[str, int] = ALL, shapes: Any = None, tag: Any = None, **each: dict[str, Any]) -> dict[str, Any]:
    listed = {name: {"present": one.pop("present", ALL), "node": one} for name, one in each.items()}
    return {"present": present, "members": listed, "map": None, "shapes": shapes, "tag": tag}


def profile(**parts: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"path": [], "query": {}, "header": {}, "cookie": {}, "bodies": {}, "without_body": support(0, 0)}
    return {"requests": 100, "samples": 100, "sources": 20} | empty | parts


def body(inner: dict[str, Any], media_type: str = JSON) -> dict[str, Any]:
    return profile(bodies={media_type: {"present": ALL, "node": node(value("object"), inner=inner)}})


def declared(schema: Any, where: str = "query", name: str = "a", **more: Any) -> dict[str, Any]:
    return {"x-hauberk-undeclared-query": "reject", "parameters": [{"name": name, "in": where, "schema": schema} | more]}


def with_body(schema: Any, media_type: str = JSON, **more: Any) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}} | more}


def listed(*values: Any, seen: dict[str, int] = ALL) -> list[dict[str, Any]]:
    return [{"value": one, "support": seen} for one in values]


def sampled(*values: str, callers: int = 12) -> list[dict[str, Any]]:
    return [{"value": one, "at": None, "source": f"{n + 1:016x}"} for one in values for n in range(callers)]


INTEGER, TEXT = {"type": "integer", "minimum": 1, "maximum": 9}, {"type": "string", "maxLength": 5}
KIND = {"type": "object", "required": ["kind"], "additionalProperties": False}
DOG = KIND | {"properties": {"kind": {"type": "string", "enum": ["dog"]}, "bark": INTEGER}}
CAT = KIND | {"properties": {"kind": {"type": "string", "enum": ["cat"]}}}
CLOSED = {"type": "object", "additionalProperties": False, "properties": {"n": INTEGER}}
OPEN = CLOSED | {"additionalProperties": True}
TEN = extremes(1, 10)

# Operation in force, profile of now, and what departs: kind, pointer, keyword.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]] = {
    "as ever": (declared(INTEGER), profile(query={"a": parameter(value("integer", numbers=extremes(1, 9)))}), []),
    "a new parameter": (declared(INTEGER), profile(query={"b/c": parameter(value())}), [("new_parameter", "query/b~1c", "closed")]),
    "of too few callers": (declared(INTEGER), profile(query={"b": parameter(value(), FEW)}), []),
    "in too few requests": (declared(INTEGER), profile(query={"b": parameter(value(), support(9, 9))}), []),
    "a new header": ({}, profile(header={"x-new": parameter(value())}), [("new_parameter", "header/x-new", "closed")]),
    "a header in other case": (declared({"type": "string"}, "header", "X-New"), profile(header={"x-new": parameter(value())}), []),
    "above": (declared(INTEGER), profile(query={"a": parameter(value("integer", numbers=TEN))}), [("outside", "query/a", "maximum")]),
    "below": (
        declared(INTEGER),
        profile(query={"a": parameter(value("integer", numbers=extremes(0, 9)))}),
        [("outside", "query/a", "minimum")],
    ),
    "above, by two callers": (declared(INTEGER), profile(query={"a": parameter(value("integer", numbers=extremes(1, 10, 2)))}), []),
    "in the path": (
        declared(INTEGER, "path", "var1"),
        profile(path=[parameter(value("integer", numbers=TEN))]),
        [("outside", "path/var1", "maximum")],
    ),
    "longer": (declared(TEXT), profile(query={"a": parameter(value(lengths=extremes(1, 6)))}), [("outside", "query/a", "maxLength")]),
    "another type": (declared(INTEGER), profile(query={"a": parameter(value("string"))}), [("new_type", "query/a", "type")]),
    "another type, by few": (declared(INTEGER), profile(query={"a": parameter(value("string", FEW))}), []),
    "numbers where text is stated": (declared(TEXT), profile(query={"a": parameter(value("integer", lengths=extremes(1, 5)))}), []),
    "a number where integers are": (declared(INTEGER), profile(query={"a": parameter(value("number"))}), [("new_type", "query/a", "type")]),
    "either type": (
        declared({"anyOf": [INTEGER, {"type": "string"}]}),
        profile(query={"a": parameter(value("integer", kinds={"integer": ALL, "string": ALL}, numbers=TEN))}),
        [],
    ),
    "a value more": (
        declared({"type": "string", "enum": ["x", "1"]}),
        profile(query={"a": parameter(value(values=listed("x", 1, "y")))}),
        [("new_value", "query/a", "enum")],
    ),
    "a value more, by few": (
        declared({"type": "string", "enum": ["x"]}),
        profile(query={"a": parameter(value(values=listed("y", seen=FEW)))}),
        [],
    ),
    "many values more": (
        declared({"type": "string", "enum": ["x"]}),
        profile(query={"a": parameter(value(distinct=500))}),
        [("new_value", "query/a", "enum")],
    ),
    "another pattern": (
        declared({"type": "string", "pattern": "^id[0-9]+$"}),
        profile(query={"a": parameter(value(sample=sampled("id7", "no7")))}),
        [("outside", "query/a", "pattern")],
    ),
    "another format": (
        declared({"type": "string", "format": "date"}),
        profile(query={"a": parameter(value(sample=sampled("2026-01-01", "2026-01-01T00:00:00Z")))}),
        [("outside", "query/a", "format")],
    ),
    "more in a list": (
        declared({"type": "array", "maxItems": 2, "items": INTEGER}),
        profile(query={"a": parameter(value("integer", counts=extremes(1, 3), numbers=TEN))}),
        [("outside", "query/a", "maxItems"), ("outside", "query/a/*", "maximum")],
    ),
    "more between commas": (
        declared({"type": "array", "items": INTEGER}, explode=False),
        profile(query={"a": parameter(value(delimited={",": value("integer", numbers=TEN)}))}),
        [("outside", "query/a/*", "maximum")],
    ),
    "a parameter that fails to come": (
        declared(INTEGER, required=True),
        profile(query={"a": parameter(value("integer"), support(20, 4))}),
        [("missing", "query/a", "required")],
    ),
    "one that seems to, by an estimate": (
        declared(INTEGER, required=True),
        profile(query={"a": parameter(value("integer"), support(80, 20))}),
        [],
    ),
    "a member more": (with_body(CLOSED), body(members(new=node(value()))), [("new_member", f"{BODY}/new", "additionalProperties")]),
    "a member more where all are allowed": (
        with_body(OPEN),
        body(members(new=node(value()))),
        [("new_member", f"{BODY}/new", "additionalProperties")],
    ),
    "a map's key": (with_body({"type": "object", "additionalProperties": INTEGER}), body(members(new=node(value("integer")))), []),
    "a map's value": (
        with_body({"type": "object", "additionalProperties": INTEGER}),
        body(members(new=node(value("integer", numbers=TEN)))),
        [("outside", f"{BODY}/*", "maximum")],
    ),
    "a large map's values": (
        with_body({"type": "object", "maxProperties": 2, "additionalProperties": INTEGER}),
        body({"present": ALL, "members": None, "map": {"names": value(), "node": node(value("boolean")), "sizes": extremes(1, 3)}}),
        [("new_type", f"{BODY}/*", "type"), ("outside", BODY, "maxProperties")],
    ),
    "deep in a body": (
        with_body({"type": "object", "properties": {"l": {"type": "array", "maxItems": 2, "items": CLOSED}}}),
        body(members(l=node(value("array", counts=extremes(1, 3)), node(value("object"), inner=members(n=node(value("null"))))))),
        [("outside", f"{BODY}/l", "maxItems"), ("new_type", f"{BODY}/l/*/n", "type")],
    ),
    "null where it is allowed": (
        with_body(CLOSED | {"properties": {"n": INTEGER | {"nullable": True}}}),
        body(members(n=node(value("null")))),
        [],
    ),
    "a member that fails to come": (
        with_body(OPEN | {"required": ["n"]}),
        body(members(n=node(value("integer")), shapes=[{"members": [], "support": support(15, 3)}])),
        [("missing", f"{BODY}/n", "required")],
    ),
    "a new kind of object": (
        with_body({"oneOf": [DOG, CAT]}),
        body(members(tag={"name": "kind", "branches": {"dog": members(kind=node(value())), "cow": members(kind=node(value()))}})),
        [("new_value", f"{BODY}/kind", "enum")],
    ),
    "a member of one kind of object": (
        with_body({"oneOf": [DOG, CAT]}),
        body(members(tag={"name": "kind", "branches": {kind: members(bark=node(value("integer"))) for kind in ("dog", "cat")}})),
        [("new_member", f"{BODY}/bark", "additionalProperties"), ("missing", f"{BODY}/kind", "required")],
    ),
    "another media type": (with_body(CLOSED), body(members(), "text/plain"), [("new_media_type", "body/text~1plain", "closed")]),
    "a body no more": (with_body(CLOSED), profile(without_body=ALL), [("missing", "body", "required")]),
    "a form's number": (
        with_body(CLOSED, "application/x-www-form-urlencoded"),
        body(members(n=node(value("integer", numbers=TEN))), "application/x-www-form-urlencoded"),
        [("outside", "body/application~1x-www-form-urlencoded/n", "maximum")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_departs(case: str) -> None:
    operation, seen, expected = CASES[case]
    assert [(one.kind, one.pointer, one.keyword) for one in departures(operation, seen)] == expected


def test_what_is_new_and_allowed_is_told_apart_from_what_is_refused() -> None:
    seen = profile(query={"b": parameter(value())})
    (refused,) = departures(declared(INTEGER), seen)
    (allowed,) = departures({**declared(INTEGER), "x-hauberk-undeclared-query": "allow"}, seen)
    assert (refused.refused, allowed.refused) == (True, False)


def test_what_was_known_and_left_out_is_nothing_new() -> None:
    operation = {**declared(INTEGER), "x-hauberk-undeclared-query": "allow"}
    seen = profile(query={"b": parameter(value())}, header={"x-c": parameter(value())})
    assert not departures(operation, seen, known=["query/b", "header/x-c"])
    # But where nothing undeclared is allowed it is refused, known or not.
    assert departures(declared(INTEGER), seen, known=["query/b", "header/x-c"])


def test_without_identities_requests_decide_alone() -> None:
    anonymous = support(100, 0)
    seen = profile(sources=0, query={"b": parameter(value(), anonymous)})
    assert [one.kind for one in departures(declared(INTEGER), seen)] == ["new_parameter"]
    values = {"low": [[1, None]], "high": [[n, "0"] for n in range(20, 12, -1)], "histogram": [], "by_day": []}
    few = profile(sources=0, query={"a": parameter(value("integer", anonymous, numbers=values))})
    assert not departures(declared(INTEGER), few)
    assert departures(declared(INTEGER), few, Enough(samples=8))


def test_two_callers_raise_nothing_however_much_they_send() -> None:
    def by_two(of: Any) -> Any:
        """Give a profile in which all has the support of two callers."""
        if isinstance(of, dict) and set(of) == {"requests", "samples", "sources"}:
            return support(128, 2)
        if isinstance(of, dict) and "low" in of:
            return {name: one[:2] if name in {"low", "high"} else one for name, one in of.items()}
        if isinstance(of, dict):
            return {name: one[:2] if name == "sample" and one else by_two(one) for name, one in of.items()}
        return [by_two(one) for one in of] if isinstance(of, list) else of

    for case, (operation, seen, _) in CASES.items():
        if case != "many values more":  # their number tells already that they are not two callers'
            assert not departures(operation, by_two(seen) | {"samples": 128, "sources": 20}), case


def test_values_stay_out_of_what_is_told() -> None:
    for operation, seen, _ in CASES.values():
        for one in departures(operation, seen):
            assert "y" not in one.told.split()
            assert isinstance(one, Departure)
    first, second = (
        departures(declared({"type": "string", "enum": ["x"]}), profile(query={"a": parameter(value(values=listed(one)))})) for one in "yz"
    )
    assert first[0].told == second[0].told
    assert first[0].key != second[0].key


@pytest.mark.parametrize(
    ("days", "gone"),
    [
        ([(10, 500), (12, 500)], 12),
        ([(10, 500), (12, 500), (13, 0)], 12),
        ([(10, 500), (14, 1)], None),  # silence of six days
        ([(10, 50)], None),  # hardly ever
        ([], None),
    ],
)
def test_silence(days: list[tuple[int, int]], gone: int | None) -> None:
    assert has_disappeared(days, 20, 7, 100) == gone
