"""Differences of documents: none of a document with itself, and breaking where the engine refuses what conformed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hauberk import _native
from hauberk.learning.difference import difference

HOST = "api.example.com"


def document(
    operation: dict[str, Any], *, version: str = "3.1.0", path: str = "/things", method: str = "post", **more: Any
) -> dict[str, Any]:
    return {
        "openapi": version,
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": f"https://{HOST}"}],
        "paths": {path: {method: {"responses": {"200": {"description": "."}}} | operation}},
    } | more


def with_body(schema: Any, media_type: str = "application/json", **more: Any) -> dict[str, Any]:
    return document({"requestBody": {"content": {media_type: {"schema": schema}}}}, **more)


def with_query(schema: Any, **members: Any) -> dict[str, Any]:
    return document({"parameters": [{"name": "p", "in": "query", "schema": schema} | members]}, method="get")


def told(before: Any, after: Any) -> list[tuple[str, str, bool]]:
    name = " ".join([HOST])
    return [(change.where.partition(name)[2], change.what, change.breaking) for change in difference(before, after)]


BODIES: list[tuple[Any, Any, list[tuple[str, str, bool]]]] = [
    ({"type": "integer"}, {"type": "number"}, [("", "type integer → number", False)]),
    ({"type": "number"}, {"type": "integer"}, [("", "type number → integer", True)]),
    ({"type": ["string", "null"]}, {"type": "string"}, [("", "type null, string → string", True)]),
    ({"maximum": 100}, {"maximum": 50}, [("", "maximum 100 → 50", True)]),
    ({"maximum": 50}, {"maximum": 100}, [("", "maximum 50 → 100", False)]),
    ({"type": "string"}, {"type": "string", "maximum": 1}, [("", "maximum 1 added", False)]),
    ({"type": "integer", "exclusiveMinimum": 4}, {"type": "integer", "minimum": 5}, []),
    ({"type": "number", "minimum": 4}, {"type": "number", "exclusiveMinimum": 4}, [("", "minimum 4 → 4 (exclusive)", True)]),
    ({"maxLength": 5}, {}, [("", "maxLength 5 removed", False)]),
    ({"minLength": 0}, {}, []),
    ({}, {"pattern": "^a"}, [("", "pattern ^a added", True)]),
    ({"format": "date"}, {"format": "phone-number"}, [("", "format date removed", False)]),
    ({"format": "int32"}, {"format": "int64"}, [("", "format int32 → int64", False)]),
    ({"enum": ["a", "b"]}, {"enum": ["b", "c"]}, [("", 'enum without "a", enum with "c"', True)]),
    ({"enum": ["a"]}, {"enum": ["a", "b"]}, [("", 'enum with "b"', False)]),
    ({"const": 1}, {"enum": [1.0]}, []),
    ({"enum": [1, 5]}, {"enum": [1, 5], "maximum": 9}, [("", "maximum 9 added", False)]),
    ({"enum": [1, 5]}, {"enum": [1, 5], "maximum": 4}, [("", "maximum 4 added", True)]),
    ({"multipleOf": 6}, {"multipleOf": 3}, [("", "multipleOf 6 → 3", False)]),
    (
        {"type": "array", "items": {"type": "integer"}},
        {"type": "array", "items": {"type": "string"}},
        [("/*", "type integer → string", True)],
    ),
    ({"properties": {"a": {"maximum": 9}}}, {"properties": {"a": {"maximum": 8}}}, [("/a", "maximum 9 → 8", True)]),
    ({"type": "object"}, {"type": "object", "required": ["a"]}, [("/a", "required", True)]),
    ({"required": ["a"]}, {}, [("/a", "no longer required", False)]),
    (
        {"additionalProperties": False},
        {"additionalProperties": False, "properties": {"a": {"type": "integer"}}},
        [("/a", "member added", False)],
    ),
    ({}, {"properties": {"a": {"type": "integer"}}}, [("/a", "member described, which was open", True)]),
    ({"additionalProperties": False, "properties": {"a": True}}, {"additionalProperties": False}, [("/a", "member removed", True)]),
    ({"properties": {"a": {"type": "integer"}}}, {}, [("/a", "member no longer described", False)]),
    ({}, {"additionalProperties": False}, [("", "no other members than those described", True)]),
    ({"additionalProperties": False}, {}, [("", "other members too", False)]),
    ({"additionalProperties": {"maximum": 5}}, {"additionalProperties": {"maximum": 6}}, [("/*", "maximum 5 → 6", False)]),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"anyOf": [{"type": "null"}, {"type": "integer"}]}, []),
    ({"not": {"maximum": 5}}, {"not": {"maximum": 4}}, [("", "not changed", False)]),
    ({"not": {"maximum": 4}}, {"not": {"maximum": 5}}, [("", "not changed", True)]),
    ({"title": "x", "description": "y", "x-hauberk-evidence": {}, "example": 1}, {}, []),
]


@pytest.mark.parametrize(("before", "after", "wanted"), BODIES)
def test_schemas_are_compared_keyword_by_keyword(before: Any, after: Any, wanted: list[tuple[str, str, bool]]) -> None:
    place = "/things body/application~1json"
    assert told(with_body(before), with_body(after)) == [(place + steps, what, breaking) for steps, what, breaking in wanted]


OPERATIONS: list[tuple[Any, Any, list[tuple[str, str, bool]]]] = [
    (document({}, path="/a"), document({}, path="/b"), [("/a", "operation removed", False), ("/b", "operation added", False)]),
    (document({}), with_query({"type": "integer"}), [("/things", "operation added", False), ("/things", "operation removed", False)]),
    (document({}, method="get"), with_query({"type": "integer"}), [("/things query/p", "parameter added", False)]),
    (document({}, method="get"), with_query({}, required=True), [("/things query/p", "parameter added, required", True)]),
    (document({"x-hauberk-undeclared-query": "allow"}, method="get"), with_query({}), [
        ("/things query", "no other parameters than those described", True), ("/things query/p", "parameter added", True),
    ]),
    (with_query({}), document({}, method="get"), [("/things query/p", "parameter removed", True)]),
    (with_query({"type": "integer"}), with_query({"type": "string"}), [("/things query/p", "type integer → string", False)]),
    (with_query({"type": "string"}), with_query({"type": "integer"}), [("/things query/p", "type string → integer", True)]),
    (with_query({"enum": [1, 2]}), with_query({"enum": ["1", "2", "3"]}), [("/things query/p", 'enum with "3"', False)]),
    (with_query({}), with_query({}, required=True), [("/things query/p", "required", True)]),
    (with_query({}), with_query({}, style="pipeDelimited"), [
        ("/things query/p", "spelt differently (style, explode, allowReserved, content)", True),
    ]),
    (document({}), with_body({}), [("/things body", "body added", False)]),
    (with_body({}), document({}), [("/things body", "body removed", True)]),
    (with_body({}), document({"x-hauberk-undeclared-body": "allow"}), [("/things body", "body removed", False)]),
    (document({"x-hauberk-undeclared-body": "allow"}), document({}), [("/things body", "no body", True)]),
    (with_body({}), with_body({}, "text/plain"), [
        ("/things body/application~1json", "media type removed", True), ("/things body/text~1plain", "media type added", False),
    ]),
    (with_body({}, "application/*"), with_body({"type": "object"}), [
        ("/things body/application~1*", "media type removed", True), ("/things body/application~1json", "media type added", True),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "wanted"), OPERATIONS)
def test_operations_are_compared(before: Any, after: Any, wanted: list[tuple[str, str, bool]]) -> None:
    assert told(before, after) == wanted


def test_an_operation_that_takes_requests_of_another_one_is_breaking() -> None:
    one, both = document({}, path="/users/{id}"), document({}, path="/users/{id}")
    both["paths"]["/users/me"] = {"post": {"responses": {}}}
    assert told(one, both) == [("/users/me", "operation added", True)]
    assert told(both, one) == [("/users/me", "operation removed", True)]


def test_names_of_path_variables_and_forms_of_servers_make_no_difference() -> None:
    def of(name: str, schema: Any) -> dict[str, Any]:
        parameter = {"name": name, "in": "path", "required": True, "schema": schema}
        return document({"parameters": [parameter]}, path=f"/a/{{{name}}}")

    assert difference(of("id", {"type": "integer"}), of("number", {"type": "integer"})) == []
    changes = difference(of("id", {"type": "integer"}), of("number", {"type": "integer", "maximum": 9}))
    assert [(change.where, change.breaking) for change in changes] == [(f"POST {HOST}/a/{{var1}} path/var1", True)]
    based = document({}, path="/x", servers=[{"url": f"https://{HOST}/v1"}])
    assert difference(based, document({}, path="/v1/x")) == []
    assert difference(based, document({}, path="/v1/x", servers=[])) == []


def test_references_are_followed_and_circles_end() -> None:
    def of(most: int) -> dict[str, Any]:
        node = {"type": "object", "properties": {"size": {"maximum": most}, "next": {"$ref": "#/components/schemas/Node"}}}
        return with_body({"$ref": "#/components/schemas/Node"}, components={"schemas": {"Node": node}})

    assert difference(of(5), of(5)) == []
    changes = difference(of(5), of(4))
    assert {change.what for change in changes} == {"maximum 5 → 4"}
    assert changes[-1].where.endswith("body/application~1json/size")
    inline = with_body({"type": "object", "properties": {"size": {"maximum": 5}}})
    assert any(change.breaking for change in difference(inline, of(4)))


def test_versions_of_openapi_make_no_difference() -> None:
    old = with_body({"type": "string", "nullable": True, "minimum": 1, "exclusiveMinimum": True}, version="3.0.3")
    new = with_body({"type": ["string", "null"], "exclusiveMinimum": 1})
    assert difference(old, new) == []
    assert difference(new, old) == []


def test_a_document_that_is_refused_is_told() -> None:
    with pytest.raises(ValueError, match="the document is refused"):
        difference({"openapi": "2.0"}, document({}))


@pytest.fixture(scope="session")
def documents(recordings: Path) -> list[Path]:
    return sorted((recordings.parent / "openapi").glob("*.json.zst"), key=lambda file: file.stat().st_size)[:25]


def test_no_published_document_differs_from_itself(documents: list[Path]) -> None:
    for file in documents:
        with pa.CompressedInputStream(pa.OSFile(str(file)), "zstd") as stream:
            text = stream.read()
        if _native.check_document(text)["ok"]:
            assert difference(json.loads(text), json.loads(text)) == [], file.name


NUMBERS = st.integers(-3, 6)
NAMES = st.sampled_from(["a", "b", "c"])
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.sampled_from([0.5, 2.5, "", "a", "ab", "abc", "2026-01-01", "7", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
            "minimum": NUMBERS, "maximum": NUMBERS, "exclusiveMinimum": NUMBERS, "exclusiveMaximum": NUMBERS,
            "multipleOf": st.sampled_from([1, 2, 3, 0.5]),
            "minLength": st.integers(0, 3), "maxLength": st.integers(0, 3), "pattern": st.sampled_from(["^a", "b$", "^[0-9]+$"]),
            "format": st.sampled_from(["date", "int32", "unknown"]),
            "enum": st.lists(VALUES, min_size=1, max_size=4),
            "minItems": st.integers(0, 2), "maxItems": st.integers(0, 3), "uniqueItems": st.booleans(), "items": inner,
            "minProperties": st.integers(0, 2), "maxProperties": st.integers(0, 3),
            "required": st.lists(NAMES, unique=True, max_size=2),
            "properties": st.dictionaries(NAMES, inner, max_size=3), "additionalProperties": st.booleans() | inner,
            "patternProperties": st.dictionaries(st.just("^a"), inner, max_size=1),
            "anyOf": st.lists(inner, min_size=1, max_size=3), "oneOf": st.lists(inner, min_size=1, max_size=3),
            "allOf": st.lists(inner, min_size=1, max_size=2), "not": inner, "unevaluatedProperties": st.booleans(),
        },
    )  # fmt: skip


SCHEMAS = st.recursive(st.just({}) | objects(st.just({"type": "integer"})), objects, max_leaves=4)


def verdicts(api: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    judged = json.loads(_native.Validator([json.dumps(api).encode()]).judge("\n".join(map(json.dumps, rows)).encode()))
    return [one["verdict"] for one in judged]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS, SCHEMAS, st.lists(VALUES, min_size=1, max_size=12), st.booleans())
def test_what_conformed_and_is_refused_now_is_called_breaking(one: Any, other: Any, values: list[Any], mixed: bool) -> None:
    # Pairs that have most in common are the ones that tell.
    after = {**one, **dict(list(other.items())[:2])} if mixed else other
    rows = [
        {
            "host": HOST, "method": "POST", "url": f"https://{HOST}/things", "request_headers": [["Content-Type", "application/json"]],
            "request_body": json.dumps(value),
        }
        for value in values
    ]  # fmt: skip
    before, now = with_body(one), with_body(after)
    pairs = list(zip(verdicts(before, rows), verdicts(now, rows), strict=True))
    changes = difference(before, now)
    if ("conforms", "violates") in pairs:
        assert any(change.breaking for change in changes)
    if ("violates", "conforms") in pairs:
        assert changes
    assert difference(before, before) == difference(now, now) == []


TEXTS = st.sampled_from(["", "1", "5", "-2", "2.5", "1.50", "true", "a", "abc", "2026-01-01", "a,b", "1e1"])
SCALARS = st.fixed_dictionaries(
    {"type": st.sampled_from(["boolean", "integer", "number", "string", ["integer", "string"], ["boolean", "number"]])},
    optional={
        "minimum": NUMBERS, "maximum": NUMBERS, "minLength": st.integers(0, 3), "maxLength": st.integers(0, 3),
        "pattern": st.sampled_from(["^a", "^[0-9]+$"]), "format": st.sampled_from(["date", "int32"]),
        "enum": st.lists(st.sampled_from([1, 5, 1.5, 2.5, "1", "1.5", "a", True, "true"]), min_size=1, max_size=3),
    },
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(SCALARS, SCALARS, st.lists(TEXTS, min_size=1, max_size=8), st.booleans())
def test_the_same_holds_for_text_of_parameters(one: Any, other: Any, texts: list[str], mixed: bool) -> None:
    after = {**one, **dict(list(other.items())[:2])} if mixed else other
    rows = [{"host": HOST, "method": "GET", "url": f"https://{HOST}/things?p={text}"} for text in texts]
    before, now = with_query(one), with_query(after)
    if ("conforms", "violates") in zip(verdicts(before, rows), verdicts(now, rows), strict=True):
        assert any(change.breaking for change in difference(before, now))
