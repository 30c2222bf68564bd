from typing import Any

import pytest
from benchmarks.learning.documents import Document
from benchmarks.learning.places import Place

CONTENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "servers": [{"url": "https://api.example.com/v1"}],
    "paths": {
        "/users/{name}": {
            "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
            "post": {
                "parameters": [
                    {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                    {"name": "sort", "in": "query", "schema": {"type": "array", "items": {"type": "string", "enum": ["up", "down"]}}},
                    {"$ref": "#/components/parameters/since"},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/user"}}}},
            },
        }
    },
    "components": {
        "parameters": {"since": {"name": "since", "in": "query", "schema": {"type": "string", "format": "date-time"}}},
        "schemas": {
            "user": {
                "allOf": [{"$ref": "#/components/schemas/named"}, {"required": ["age"], "properties": {"age": {"type": "integer"}}}],
            },
            "named": {
                "type": "object",
                "required": ["title"],
                "properties": {
                    "title": {"oneOf": [{"type": "string", "maxLength": 5}, {"type": "integer"}]},
                    "labels": {"type": "array", "items": {"type": "object", "properties": {"color": {"type": "string", "pattern": "^a"}}}},
                    "data": {"type": "object", "additionalProperties": {"type": "string"}},
                    "self": {"$ref": "#/components/schemas/user"},
                },
            },
        },
    },
}


@pytest.mark.parametrize(
    ("location", "name", "types", "restraint"),
    [
        ("path", "0", {"string"}, "free"),
        ("query", "page", {"integer"}, "integer"),
        ("query", "sort", {"string"}, "enum"),
        ("query", "since", {"string"}, "format"),
        ("body", "title", {"string", "integer"}, "free"),
        ("body", "labels", {"array"}, "structure"),
        ("body", "labels/*/color", {"string"}, "pattern"),
        ("body", "data/anything", {"string"}, "free"),
        ("body", "self/self/age", {"integer"}, "integer"),
    ],
)
def test_a_document_tells_what_is_at_each_place(location: Any, name: str, types: set[str], restraint: str) -> None:
    operation = Document(CONTENT).operations["POST", "/v1/users/{}"]
    facts = operation.facts(Place(location, (0,), name, ""), 0)
    assert facts is not None
    assert (facts.types, facts.restraint) == (types, restraint)


def test_bounds_and_required_members_are_gathered_over_combinations() -> None:
    operation = Document(CONTENT).operations["POST", "/v1/users/{}"]
    page = operation.facts(Place("query", (0,), "page", "7"))
    body = operation.body_facts("$")
    assert page is not None
    assert (page.minimum, page.maximum) == (1, 100)
    assert body is not None
    assert body.required == {"title", "age"}
    assert not body.is_map


def test_what_is_not_declared_is_not_known() -> None:
    operation = Document(CONTENT).operations["POST", "/v1/users/{}"]
    assert operation.facts(Place("query", (0,), "other", "7")) is None
    assert operation.body_facts("labels/*/size") is None
