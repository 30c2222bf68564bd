"""Two documents side by side, and the members of a schema as a tree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.dashboard.document_difference import MOST_LINES, Row, side_by_side, written
from hauberk.dashboard.schema_members import MAX_MEMBERS, declared_members, learned_members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab<", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "required", "name", "in", "<b>"]), inner, max_size=4)
    ),
    max_leaves=20,
)


def document(operation: Any, **components: Any) -> dict[str, Any]:
    return {"paths": {"/a": {"get": operation}}, "components": {"schemas": components}}


def rows(before: Any, after: Any, **components: Any) -> list[Row]:
    return [row for block in side_by_side(document(before, **components), document(after, **components)).blocks for row in block.rows]


@given(
    st.dictionaries(st.text("xyz", min_size=1, max_size=2), VALUES, max_size=4),
    st.dictionaries(st.text("xyz", min_size=1, max_size=2), VALUES, max_size=4),
)
def test_each_side_is_its_document(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = rows(before, after)
    assert [row.before for row in found if row.before is not None] == written(document(before))
    assert [row.after for row in found if row.after is not None] == written(document(after))
    for row in found:
        assert (row.kind == "same") == (row.before == row.after)
        assert row.kind != "gone" or row.after is None
        assert row.kind != "new" or row.before is None


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=2), VALUES, max_size=4))
def test_a_document_beside_itself_is_equal(operation: dict[str, Any]) -> None:
    compared = side_by_side(document(operation), document(json.loads(json.dumps(operation))))
    assert (compared.changed, compared.left_out) == (0, 0)


def test_parameters_are_paired_by_name_and_the_order_of_sets_says_nothing() -> None:
    before = {"parameters": [{"in": "query", "name": "b", "schema": {"maximum": 1}}, {"in": "query", "name": "a"}], "required": ["x", "y"]}
    after = {"required": ["y", "x"], "parameters": [{"in": "query", "name": "a"}, {"in": "query", "name": "b", "schema": {"maximum": 2}}]}
    changed = [row for row in rows(before, after) if row.kind != "same"]
    assert [(row.kind, (row.before or "").strip(), (row.after or "").strip()) for row in changed] == [
        ("changed", "maximum: 1", "maximum: 2")
    ]


def test_references_stand_for_what_they_refer_to_but_do_not_go_on_for_ever() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}, "gone": {"$ref": "#/nothing"}}}
    lines = written(document({"requestBody": {"$ref": "#/components/schemas/Node"}}, Node=node))
    assert [line.strip() for line in lines if "$ref" in line] == ['$ref: "#/nothing"', '$ref: "#/components/schemas/Node"']
    assert sum('type: "object"' in line for line in lines) == 1


def test_equal_parts_are_folded_and_large_documents_are_cut() -> None:
    many = {f"k{number:05}": number for number in range(20_000)}
    compared = side_by_side(document(many), document({**many, "k19999": -1}))
    assert compared.changed == 1
    assert compared.left_out == 20_000 - sum(block.folded or len(block.rows) for block in compared.blocks)
    assert any(row.kind == "changed" for block in compared.blocks for row in block.rows)
    everything = side_by_side(document(many), document(dict.fromkeys(many, -1)))
    assert sum(len(block.rows) for block in everything.blocks) == MOST_LINES
    assert everything.left_out > 0


def test_members_of_a_learned_schema() -> None:
    def statement(pointer: str, keyword: str, value: Any, made: bool = True, needs: int | None = None) -> dict[str, Any]:
        evidence = {"samples": 9, "sessions": 2, "days": 1, "statistic": "seen", "probability": 0.25} | ({"needs": needs} if needs else {})
        return {"pointer": pointer, "keyword": keyword, "value": value, "made": made, "evidence": evidence}

    members = learned_members(
        [
            statement("query/page", "type", ["integer", "null"]),
            statement("query/page", "maximum", 9),
            statement("query/page", "enum", [1], made=False, needs=50),
            statement("query/page", "enum", [1, 2], made=False, needs=20),
            statement("query/page", "maximum", 5, made=False, needs=3),
            statement("query", "closed", True),
            statement("body/application~1json", "type", ["object"]),
            statement("body/application~1json/a~1b", "required", "a/b"),
        ]
    )
    [(place, page)] = members.parameters
    assert (place, page.name, page.type, page.is_required, page.samples, page.probability) == (
        "query",
        "page",
        "integer or null",
        False,
        9,
        0.5,
    )
    assert [(one["keyword"], one["evidence"]["needs"]) for one in page.missing] == [("enum", 20)]
    assert members.places["query"].statements[0]["keyword"] == "closed"
    assert members.body is not None
    assert members.body.below["application/json"].below["a/b"].is_required


def test_members_of_a_document() -> None:
    order = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "integer"}, "next": {"$ref": "#/components/schemas/Order"}},
    }
    operation = {
        "parameters": [{"in": "path", "name": "var1", "required": True, "schema": {"type": "string", "description": "for people"}}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
    }
    members = declared_members(document(operation, Order=order))
    [(_, variable)] = members.parameters
    assert (variable.is_required, variable.type, variable.others, variable.samples) == (True, "string", [], None)
    assert members.body is not None
    body = members.body.below["application/json"]
    assert body.below["id"].is_required
    assert not body.below["next"].is_required
    assert members.left_out > 0  # it goes on for ever


@pytest.mark.parametrize("schema", [None, True, [], {"$ref": "#/gone"}, {"properties": {"a": True}}])
def test_odd_schemas_have_members_that_say_nothing(schema: Any) -> None:
    assert declared_members(document({"parameters": [{"in": "query", "name": "q", "schema": schema}]})).parameters[0][1].type == ""


def test_too_many_members_are_counted() -> None:
    schema = {"properties": {f"m{number}": {"type": "string"} for number in range(MAX_MEMBERS + 10)}}
    members = declared_members(document({"requestBody": {"content": {"application/json": {"schema": schema}}}}))
    assert members.left_out == 11
