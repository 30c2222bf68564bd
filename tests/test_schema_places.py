"""Places of a document's problems: as pointers, and as lines of the text; the judge is PyYAML, which knows where its nodes begin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hauberk.schema_places import Spot, find_spots, pointer_of, spot_of_reading_error, steps_of

NAMES = st.sampled_from(["paths", "/temps/{id}", "200", "a b", "x-y", "$ref", "it's", 'say "so"', "- dash", "a: b", "#c", "é", "?q", "-n"])
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "plain",
            "two\nlines",
            "ends\n",
            "\n\n  indented:\n- x",
            "key: value",
            "- item",
            "it's",
            "x" * 90,
            "word " * 40,
            "{a",
            "#no",
            "'",
        ]
    ),
    st.integers(),
    st.booleans(),
    st.none(),
)
TREES = st.dictionaries(NAMES, st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4)))
STYLES = st.fixed_dictionaries({"indent": st.sampled_from([2, 4]), "width": st.sampled_from([30, 80, 10**6])})


class Offset(yaml.SafeDumper):
    """Indents the items of lists, as many people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


class Literal(Offset):
    """Writes texts of several lines as they stand."""


Literal.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)
)


def spots(node: yaml.Node, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Spot]]:
    """Every place of a document, where its key or item begins."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*steps, key.value), Spot(key.start_mark.line + 1, key.start_mark.column + 1)
            yield from spots(value, (*steps, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*steps, index), Spot(value.start_mark.line + 1, value.start_mark.column + 1)
            yield from spots(value, (*steps, index))


@given(tree=TREES, style=STYLES, dumper=st.sampled_from([yaml.SafeDumper, Offset, Literal]))
def test_every_place_of_a_yaml_document_is_on_the_line_that_its_reader_tells(
    tree: dict[str, Any], style: dict[str, int], dumper: Any
) -> None:
    text = yaml.dump(tree, Dumper=dumper, default_flow_style=False, allow_unicode=True, **style)
    all_places = dict(spots(yaml.compose(text, yaml.SafeLoader)))
    together = find_spots(text, all_places)
    for steps, wanted in all_places.items():
        found = find_spots(text, [steps])[steps]
        assert found == together[steps]
        assert found.line == wanted.line, (text, steps)
        if isinstance(steps[-1], str):  # of an item the dash is told
            assert found == wanted, (text, steps)


@given(tree=TREES, indent=st.sampled_from([None, 1, 4]))
def test_every_place_of_a_json_document_is_where_its_reader_tells(tree: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=False)
    text = "\n " + text
    all_places = dict(spots(yaml.compose(text, yaml.SafeLoader)))
    assert find_spots(text, all_places) == all_places, text
    for steps, wanted in all_places.items():
        assert find_spots(text, [steps]) == {steps: wanted}, (text, steps)


YAML = """\
# a comment: not a key
%YAML 1.2
---
openapi: 3.0.3
info: {title: "t: x",
  version: '1'}
paths:
  "/a/{id}":   # with a comment
    get:
      description: >-
        folded: text
        - no item
      tags: [one,
        "two]"]
      parameters:
      - name: x
        in: query
      -
        name: y
      - &anchor
        name: z
      responses: &all
        200: {description: ok}
    post:
      summary: 'quoted
        over: lines'
      responses: *all
      x-last: 1
"""


@pytest.mark.parametrize(
    ("location", "line", "column"),
    [
        (".openapi", 4, 1),
        (".info", 5, 1),
        (".info.version", 5, 1),
        ('.paths["/a/{id}"]', 8, 3),
        ('.paths["/a/{id}"].get.description', 10, 7),
        ('.paths["/a/{id}"].get.tags[1]', 13, 7),
        ('.paths["/a/{id}"].get.parameters', 15, 7),
        ('.paths["/a/{id}"].get.parameters[0].in', 17, 9),
        ('.paths["/a/{id}"].get.parameters[1].name', 19, 9),
        ('.paths["/a/{id}"].get.parameters[2].name', 21, 9),
        ('.paths["/a/{id}"].get.responses["200"].description', 23, 9),
        ('.paths["/a/{id}"].post.responses["200"]', 27, 7),
        ('.paths["/a/{id}"].post.x-last', 28, 7),
        (".nowhere", 1, 1),
        (".", 1, 1),
    ],
)
def test_places_people_write(location: str, line: int, column: int) -> None:
    steps = steps_of(location)
    assert steps is not None
    assert find_spots(YAML, [steps]) == {tuple(steps): Spot(line, column)}


@pytest.mark.parametrize(
    "text", ["{", '{"a": [1, {"b"', "{a: 1}", "", "- a\n-- b\n?", "[" * 5000, '{"a":' * 5000, "a: 'x\nb: 1", ": :", "? a\n: b"]
)
def test_any_text_has_a_place(text: str) -> None:
    assert len(find_spots(text, [["a", 0, "b", "c"]])) == 1


LARGE = 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "a" + " " * LARGE + "b\npaths: 1\n",
        " " * LARGE + "a: 1\n",
        "a: [" + '"x", ' * LARGE + "]\n",
        "a: {" + "b" * LARGE + " '" + "\n",
        'a: "' + "\\" * LARGE,
        "a: '" + "''" * LARGE,
        '"' + "\\" * LARGE,
        "- " * LARGE + "x\n",
        "- " * LARGE + "'x\n",
        "a:\n" + " b: 1\n" * (LARGE // 20),
        "a:\n" + "- b\n" * (LARGE // 20),
        "? " * LARGE + "\n",
        "a: " + "&x " * LARGE + "\n b: 1\n",
        "a: " + "[" * LARGE,
        "\n" * LARGE + "#" * LARGE,
        "".join(" " * depth + "a:\n" for depth in range(1000)),
        '{"a": ' + "[" * LARGE,
        '{"a": [' + "1," * LARGE,
    ],
    ids=lambda text: f"{text[:8]!r}",
)
def test_the_work_grows_with_the_length_of_the_text_alone(text: str) -> None:
    # What grows with its square does not end.
    steps = [["a"] * 120, ["a", 0, 0, 0], ["a", LARGE - 1], ["b"], [0, 0, "x"], ["paths"]]
    assert len(find_spots(text, steps)) == len(steps)


@given(text=st.text(alphabet="ab:-? {}[]'\"#&*|>\n\t,", max_size=60), steps=st.lists(st.sampled_from(["a", "b", 0, 1]), max_size=4))
def test_no_text_is_too_strange(text: str, steps: list[str | int]) -> None:
    (found,) = find_spots(text, [steps]).values()
    assert 1 <= found.line <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("location", "pointer"),
    [
        (".", ""),
        ('.paths["/a/{id}"].get', "/paths/~1a~1{id}/get"),
        (r'.x["a\"b\\c\n\u{1f}~"][12]', '/x/a"b\\c\n\x1f~0/12'),
        ("paths", None),
        (".a[", None),
        ('.a["b]', None),
    ],
)
def test_pointers(location: str, pointer: str | None) -> None:
    steps = steps_of(location)
    assert (None if steps is None else pointer_of(steps)) == pointer


def test_where_reading_ended() -> None:
    assert spot_of_reading_error("line 2, column 4: mapping values are not allowed") == Spot(2, 4)
    assert spot_of_reading_error("the document is too large") is None
