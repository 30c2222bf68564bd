"""Each violation is brought home to the statement that an owner would relax, over all keywords and kinds of places."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hauberk import _native
from hauberk.learning.blame import Blame, blame, narrowed, nearest
from hauberk.learning.place import at_steps, steps_of, with_at

REQUIRED = {"required": True}
PARAMETERS = [
    {"name": "var1", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 99}},
    {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2}},
    {"name": "when", "in": "query", "schema": {"anyOf": [{"type": "integer", "maximum": 10}, {"type": "string", "format": "date-time"}]}},
    {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["asc", "desc"]}},
    {"name": "code", "in": "query", "schema": {"type": "string", "pattern": "^id[0-9]{3}$"}},
    {"name": "text", "in": "query", "schema": {"type": "string", "minLength": 2, "maxLength": 5}},
    {"name": "day", "in": "query", "schema": {"type": "string", "format": "date"}},
    {"name": "flag", "in": "query", "schema": {"type": "boolean"}},
    {
        "name": "ids",
        "in": "query",
        "explode": False,
        "schema": {"type": "array", "maxItems": 2, "items": {"type": "integer", "maximum": 5}},
    },
    {
        "name": "filter",
        "in": "query",
        "style": "deepObject",
        "schema": {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "integer"}}},
    },
    {"name": "a/b~c", "in": "query", "schema": {"type": "integer"}},
    {"name": "X-Version", "in": "header", "required": True, "schema": {"type": "string", "pattern": "^v[0-9]$"}},
    {"name": "theme", "in": "cookie", "schema": {"type": "string", "enum": ["dark"]}},
]
DOG = {
    "type": "object",
    "required": ["kind", "bark"],
    "properties": {"kind": {"type": "string", "enum": ["dog"]}, "bark": {"type": "integer"}},
}
CAT = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string", "enum": ["cat"]}, "lives": {"type": "integer", "maximum": 9}},
}
BOOLEAN = {"type": "boolean"}
BOOLEANS = {"type": "array", "items": BOOLEAN}
BODY = {
    "type": "object",
    "required": ["a"],
    "additionalProperties": False,
    "properties": {
        "a": {"type": "integer", "minimum": 0},
        "n": {"type": "string", "nullable": True, "minLength": 2},
        "user": {"type": "object", "required": ["x/y"], "properties": {"x/y": {"type": "number"}, "required": {"type": "integer"}}},
        "list": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "object", "properties": {"q": {"type": "integer"}}}},
        "map": {"type": "object", "maxProperties": 2, "additionalProperties": {"type": "integer"}},
        "mixed": {"anyOf": [{"type": "integer", "maximum": 10}, DOG | {"additionalProperties": False}, BOOLEANS]},
        "pet": {"oneOf": [DOG, CAT], "discriminator": {"propertyName": "kind"}},
        "some": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"anyOf": [{"type": "integer", "maximum": 5}, BOOLEAN]}}]},
        "odd \"name\"\n\u200b": {"type": "boolean"},
    },
}  # fmt: skip
FORM = {
    "type": "object",
    "required": ["f"],
    "additionalProperties": False,
    "properties": {"f": {"type": "integer"}, "g[h]": {"type": "string", "maxLength": 1}},
}
OPERATION = {
    "x-hauberk-undeclared-query": "reject",
    "parameters": PARAMETERS,
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": BODY}, "application/x-www-form-urlencoded": {"schema": FORM}},
    },
    "responses": {"200": {"description": "good"}},
}
CLOSED = {"x-hauberk-undeclared-body": "reject", "parameters": PARAMETERS[:1], "responses": {"200": {"description": "good"}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "t", "version": "1"},
    "servers": [{"url": "https://api.example.com"}],
    "paths": {"/temps/{var1}": {"post": OPERATION, "delete": CLOSED}},
}

JSON = "body/application~1json"
URLENCODED = "body/application~1x-www-form-urlencoded"
ODD = 'odd "name"\n\u200b'
GOOD = {"a": 1}


def violations(document: dict[str, Any], path: str, body: Any, kind: str, headers: dict[str, str], method: str) -> list[dict[str, Any]]:
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    all_headers = {"x-version": "v1"} | headers | ({"content-type": kind} if content is not None else {})
    sent = [(name, value) for name, value in all_headers.items() if value]
    found: list[dict[str, Any]] = _native.check_request(json.dumps(document).encode(), method, path, sent, content)["violations"]
    return found


def broken(
    path: str = "/temps/1", body: Any = GOOD, kind: str = "application/json", headers: dict[str, str] | None = None, method: str = "POST"
) -> list[Blame]:
    """Blame each violation, and what alternatives hide."""

    def told(violation: dict[str, Any], document: dict[str, Any], depth: int) -> list[Blame]:
        found = blame(violation, document)
        if not found.is_open or depth == 0:
            return [found]
        documents = narrowed(document, found.place)
        best = nearest([violations(one, path, body, kind, headers or {}, method) for one in documents], found.place)
        return [each for one in best[1] for each in told(dict(one), documents[best[0]], depth - 1)] if best else [found]

    return [each for violation in violations(DOCUMENT, path, body, kind, headers or {}, method) for each in told(violation, DOCUMENT, 3)]


QUERIES = [
    ("page=x", "query/page type"),
    ("page=0", "query/page minimum"),
    ("page=10", "query/page maximum"),
    ("page=3", "query/page multipleOf"),
    ("sort=up", "query/sort enum"),
    ("code=id1", "query/code pattern"),
    ("text=a", "query/text minLength"),
    ("text=abcdef", "query/text maxLength"),
    ("day=today", "query/day format"),
    ("flag=2", "query/flag type"),
    ("ids=1,2,3", "query/ids maxItems"),
    ("ids=1,x", "query/ids/* type"),
    ("ids=1,6", "query/ids/* maximum"),
    ("filter[b]=1", "query/filter additionalProperties"),
    ("filter[a]=x", "query/filter/a type"),
    ("a%2Fb~c=x", "query/a~1b~0c type"),
    ("other=1", "query closed"),
    ("when=11", "query/when maximum"),
    ("when=soon", "query/when format"),
    ("page=2&page=2", "query/page single"),
]


@pytest.mark.parametrize(("query", "rule"), QUERIES)
def test_a_parameter(query: str, rule: str) -> None:
    assert [one.rule for one in broken(f"/temps/1?{query}")] == [rule]


BODIES: list[tuple[Any, list[str]]] = [
    ([], [f"{JSON} type"]),
    ({}, [f"{JSON}/a required"]),
    ({"a": "1"}, [f"{JSON}/a type"]),
    ({"a": None}, [f"{JSON}/a type"]),
    ({"a": -1}, [f"{JSON}/a minimum"]),
    (GOOD | {"n": "x"}, [f"{JSON}/n minLength"]),
    (GOOD | {"n": 1}, [f"{JSON}/n type"]),
    (GOOD | {"new": 1}, [f"{JSON} additionalProperties"]),
    (GOOD | {"user": {}}, [f"{JSON}/user/x~1y required"]),
    (GOOD | {"user": {"x/y": "1"}}, [f"{JSON}/user/x~1y type"]),
    (GOOD | {"user": {"x/y": 1, "required": "1"}}, [f"{JSON}/user/required type"]),
    (GOOD | {"list": []}, [f"{JSON}/list minItems"]),
    (GOOD | {"list": [{}] * 4}, [f"{JSON}/list maxItems"]),
    (GOOD | {"list": [{}, {"q": "1"}]}, [f"{JSON}/list/*/q type"]),
    (GOOD | {"map": {"x": "1"}}, [f"{JSON}/map/* type"]),
    (GOOD | {"map": {"x": 1, "y": 1, "z": 1}}, [f"{JSON}/map maxProperties"]),
    (GOOD | {"mixed": 11}, [f"{JSON}/mixed maximum"]),
    (GOOD | {"mixed": "11"}, [f"{JSON}/mixed type"]),
    (GOOD | {"mixed": {"kind": "dog"}}, [f"{JSON}/mixed/bark required"]),
    (GOOD | {"mixed": {"kind": "dog", "bark": 1, "tail": 1}}, [f"{JSON}/mixed additionalProperties"]),
    (GOOD | {"mixed": [1]}, [f"{JSON}/mixed/* type"]),
    (GOOD | {"pet": {"kind": "dog"}}, [f"{JSON}/pet/bark required"]),
    (GOOD | {"pet": {"kind": "cat", "lives": 10}}, [f"{JSON}/pet/lives maximum"]),
    (GOOD | {"pet": {"kind": "cow"}}, [f"{JSON}/pet/kind enum"]),
    (GOOD | {"some": [6]}, [f"{JSON}/some/* maximum"]),
    (GOOD | {ODD: 1}, [f"{JSON}/{ODD} type"]),
    ({"new": 1}, [f"{JSON} additionalProperties", f"{JSON}/a required"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "rules"), BODIES)
def test_a_body(body: Any, rules: list[str]) -> None:
    assert [one.rule for one in broken(body=body)] == rules


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ({"path": "/temps/x"}, "path/var1 type"),
        ({"path": "/temps/100"}, "path/var1 maximum"),
        ({"headers": {"x-version": ""}}, "header/x-version required"),
        ({"headers": {"x-version": "w1"}}, "header/x-version pattern"),
        ({"headers": {"cookie": "theme=light"}}, "cookie/theme enum"),
        ({"body": None}, "body required"),
        ({"body": b"x", "kind": "text/plain"}, "body closed"),
        ({"body": GOOD, "method": "DELETE"}, "body closed"),
        ({"body": b"{"}, "body content"),
        ({"body": GOOD, "kind": ""}, "body content"),
        ({"kind": "application/json; charset=latin1"}, "body content"),
        ({"body": b"f=x", "kind": "application/x-www-form-urlencoded"}, f"{URLENCODED}/f type"),
        ({"body": b"f=1&z=1", "kind": "application/x-www-form-urlencoded"}, f"{URLENCODED} additionalProperties"),
        ({"body": b"g[h]=1", "kind": "application/x-www-form-urlencoded"}, f"{URLENCODED}/f required"),
        ({"body": b"f=1&g[h]=12", "kind": "application/x-www-form-urlencoded"}, f"{URLENCODED}/g[h] maxLength"),
    ],
)
def test_other_places(told: dict[str, Any], rule: str) -> None:
    (found,) = broken(**told)
    assert (found.rule, found.stated) == (rule, True)


@pytest.mark.parametrize(
    "told",
    [
        {"body": b'{"a": 1, "a": 1}'},
        {"body": b"f=1&f=1", "kind": "application/x-www-form-urlencoded"},
    ],
)
def test_what_cannot_be_read_breaks_no_statement(told: dict[str, Any]) -> None:
    (found,) = broken(**told)
    assert not found.stated


def test_several_alternatives_that_fit_are_told_at_the_type() -> None:
    document = json.loads(json.dumps(DOCUMENT))
    document["paths"]["/temps/{var1}"]["post"]["parameters"][1]["schema"] = {"oneOf": [{"type": "integer"}, {"type": "integer"}]}
    (violation,) = violations(document, "/temps/1?page=1", GOOD, "application/json", {}, "POST")
    found = blame(violation, document)
    assert (found.rule, found.is_open) == ("query/page type", True)
    verdicts = [violations(one, "/temps/1?page=1", GOOD, "application/json", {}, "POST") for one in narrowed(document, found.place)]
    assert nearest(verdicts, found.place) is None


@pytest.mark.parametrize(
    ("place", "steps"),
    [
        ("", ()),
        (".a.b-c[0].$d", ("a", "b-c", 0, "$d")),
        ('.paths["/x/{y}"].get', ("paths", "/x/{y}", "get")),
        (r'["a\"\\\n\u{200b}\0"][12]', ('a"\\\n\u200b\0', 12)),
        ('["a].b["]', ("a].b[",)),
    ],
)
def test_a_place_is_read(place: str, steps: tuple[str | int, ...]) -> None:
    assert steps_of(place) == steps


@pytest.mark.parametrize("place", ["a", ".", "[x]", '["a]', "..a", ".a b"])
def test_no_place(place: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        steps_of(place)


def test_a_value_is_put_in_without_changing_the_document() -> None:
    document = {"a": [{"b": 1}, {"c": 2}]}
    assert with_at(document, ("a", 1, "c"), 3) == {"a": [{"b": 1}, {"c": 3}]}
    assert document == {"a": [{"b": 1}, {"c": 2}]}
    assert at_steps(document, ("a", 2)) is None
    assert at_steps(document, ("a", "b")) is None
    with pytest.raises(LookupError):
        with_at(document, ("a", 1, "b"), 3)


@pytest.mark.parametrize("rule", ["", "not a place", ".components.schemas.A.type", ".paths", '.paths["/x"].get.parameters[0]'])
def test_a_place_elsewhere_is_no_statement(rule: str) -> None:
    violation = {"location": "body", "target": "$.a", "error_class": "invalid_type", "error_detail": "expected:integer", "rule": rule}
    assert not blame(violation, {}).stated
