import json
from typing import Any

import pytest
from benchmarks.learning.documents import Document
from benchmarks.learning.mutate import MOST_OF_A_KIND, PROBE, Mutant, mutants, observe
from benchmarks.learning.places import Request

TEMPLATE = "/users/{name}/keys/{id}"
DOCUMENT = Document(
    {
        "paths": {
            TEMPLATE: {
                "put": {
                    "parameters": [
                        {"name": "name", "in": "path", "schema": {"type": "string"}},
                        {"name": "id", "in": "path", "schema": {"type": "integer"}},
                        {"name": "per_page", "in": "query", "required": True, "schema": {"type": "integer", "maximum": 100}},
                        {"name": "q", "in": "query", "schema": {"type": "string"}},
                    ],
                    "requestBody": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["state"],
                                    "properties": {
                                        "state": {"type": "string", "enum": ["open", "closed"]},
                                        "title": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                                        "labels": {"type": "array", "items": {"type": "string"}},
                                    },
                                }
                            }
                        }
                    },
                }
            }
        }
    }
)
BODY = {"state": "open", "title": "a", "labels": ["x"]}


def request_of(query: str = "per_page=30&q=cats", body: Any = BODY) -> Request:
    row = {
        "file": "one",
        "method": "PUT",
        "url": f"https://api.example.com/users/ann/keys/7?{query}",
        "request_headers": [["Content-Type", "application/json"]],
        "request_body": None if body is None else json.dumps(body),
    }
    return Request(row, TEMPLATE)


def made(request: Request, seed: int = 1) -> list[Mutant]:
    return mutants(request, DOCUMENT.operations["PUT", "/users/{}/keys/{}"], observe([request]), seed)


def details(kind: str) -> set[tuple[str, str]]:
    """Gather what is made over some seeds, since one draws only some."""
    return {(mutant.name, mutant.detail) for seed in range(20) for mutant in made(request_of(), seed) if mutant.kind == kind}


def test_a_type_is_broken_only_where_the_document_holds_it() -> None:
    found = details("type")
    assert ("id", "integer → word") in found
    assert ("per_page", "integer → word") in found
    assert ("title", "string → integer") not in found  # a title may be a number
    assert not any(name == "q" for name, _ in found)  # in a query, everything is a string


def test_bounds_are_broken_by_one() -> None:
    rows = [mutant.row["url"] for mutant in made(request_of()) if mutant.detail == "above the document's maximum"]
    assert rows == ["https://api.example.com/users/ann/keys/7?per_page=101&q=cats"]


def test_required_and_enumerated_values_are_broken() -> None:
    assert details("missing") == {("per_page", "parameter"), ("state", "member")}
    assert {name for name, _ in details("enum")} == {"state"}


def test_what_is_unknown_is_added_beside_what_is_there() -> None:
    found = [mutant for mutant in made(request_of()) if mutant.kind == "unknown"]
    bodies = [json.loads(mutant.row["request_body"]) for mutant in found]
    assert BODY | {PROBE: "zz"} in bodies
    assert any(mutant.row["url"].endswith(f"&{PROBE}=zz") for mutant in found)


def test_a_path_variable_is_never_free_text_and_stays_one_segment() -> None:
    attacks = [mutant for mutant in made(request_of(body=None)) if mutant.kind == "attack" and mutant.location == "path"]
    assert {mutant.restraint for mutant in attacks} <= {"path", "integer"}
    assert all(mutant.row["url"].partition("?")[0].count("/") == 6 for mutant in attacks)


def test_one_thing_is_changed_at_a_time_and_never_the_recording() -> None:
    request = request_of()
    before = json.dumps(request.row)
    for mutant in made(request):
        changed = {name for name in request.row if request.row[name] != mutant.row[name]}
        assert len(changed) == 1, mutant
    assert json.dumps(request.row) == before


def test_mutants_follow_from_the_seed() -> None:
    assert made(request_of(), 3) == made(request_of(), 3)
    assert made(request_of(), 3) != made(request_of(), 4)


def test_a_deep_body_yields_no_more_than_others() -> None:
    deep = request_of(body=BODY | {"labels": ["x"] * 100})
    assert sum(mutant.kind == "attack" for mutant in made(deep)) == MOST_OF_A_KIND


@pytest.mark.parametrize(("values", "is_broken"), [(["1", "22", "333"], True), (["1", "1", "1"], False), (["1", "2", "x"], False)])
def test_without_a_document_the_corpus_tells_what_is_a_number(values: list[str], is_broken: bool) -> None:
    requests = [request_of(query=f"page={value}", body=None) for value in values]
    found = mutants(requests[0], None, observe(requests), 1)
    assert any(mutant.kind == "type" and mutant.name == "page" for mutant in found) == is_broken
