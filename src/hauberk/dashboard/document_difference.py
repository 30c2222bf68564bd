"""
Two documents of one operation side by side, line by line.

They are walked together instead of being compared as texts: what stands at the same place stands in the same line, the order of members
makes no difference, and the time grows with their size and no faster.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

Kind = Literal["same", "changed", "gone", "new"]

CONTEXT = 3
"""Unchanged lines that are shown on either side of a change."""

MOST_FOLDED = 200
"""Longer unchanged parts are told by their length alone."""

MOST_LINES = 3000
"""What is shown of differences; a document of a megabyte has some forty thousand lines."""

MAX_TEXT = 300
MAX_DEPTH = 60
# What references may come to once they are resolved.
MAX_NODES = 100_000

# Lists whose order says nothing.
_SETS = frozenset({"required", "type", "enum"})
_FIRST = {name: rank for rank, name in enumerate(("parameters", "requestBody", "name", "in", "required", "type", "format"))}
_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_./$*-]*")


@dataclass(frozen=True, slots=True)
class Row:
    """A line on both sides; `None` where one has none."""

    kind: Kind
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that are shown, or unchanged ones that are folded away."""

    rows: Sequence[Row]
    folded: int = 0
    """How many lines; if more than there are rows, they are not given."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two documents laid side by side."""

    blocks: Sequence[Block]
    changed: int
    """Lines that differ."""

    left_out: int
    """Lines beyond those that are shown."""


def side_by_side(before: Mapping[str, Any], after: Mapping[str, Any]) -> SideBySide:
    """Lay two documents of one operation side by side, each as REST gives it: OpenAPI with this operation alone."""
    rows = list(_compared("", _shown(before), _shown(after), 0))
    shown = rows[:MOST_LINES]
    changed = sum(row.kind != "same" for row in rows)
    if changed and all(row.kind == "same" for row in shown):
        # The first change comes late: begin a little before it.
        first = next(place for place, row in enumerate(rows) if row.kind != "same")
        shown = rows[max(first - MOST_FOLDED - 1, 0) :][:MOST_LINES]
    return SideBySide(list(_folded(shown)), changed, len(rows) - len(shown))


def written(document: Mapping[str, Any]) -> list[str]:
    """Write a document of one operation as lines, as the comparison does."""
    return list(_lines("", _shown(document), 0))


def _shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """Take out of a document what is compared: the operation itself, its references resolved, its answers left out."""
    operation: Mapping[str, Any] = next((one for item in document.get("paths", {}).values() for one in item.values()), {})
    resolver = _Resolver(document)
    shown = {name: resolver.resolved(value, name, ()) for name, value in operation.items() if name != "responses"}
    parameters = shown.get("parameters")
    if isinstance(parameters, list):
        shown["parameters"] = sorted(
            parameters, key=lambda one: (str(one.get("in")), str(one.get("name"))) if isinstance(one, dict) else ()
        )
    return shown


class _Resolver:
    """Puts what references refer to in their place, except where that would never end."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.left = MAX_NODES

    def resolved(self, value: Any, name: str, within: tuple[str, ...]) -> Any:
        self.left -= 1
        if isinstance(value, Mapping):
            reference = value.get("$ref")
            if isinstance(reference, str) and reference not in within and self.left > 0 and len(within) < MAX_DEPTH:
                target = self._target(reference)
                if target is not None:
                    return self.resolved(target, name, (*within, reference))
            return {key: self.resolved(item, key, within) for key, item in value.items() if key != "x-hauberk-evidence"}
        if isinstance(value, list):
            items = [self.resolved(item, "", within) for item in value]
            return sorted(items, key=_canonical) if name in _SETS and not any(isinstance(item, (dict, list)) for item in items) else items
        return value

    def _target(self, reference: str) -> Any:
        node: Any = self.document
        for part in reference.removeprefix("#/").split("/"):
            node = node.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(node, Mapping) else None
        return node


def _compared(name: str, before: Any, after: Any, depth: int) -> Iterator[Row]:
    if isinstance(before, Mapping) and isinstance(after, Mapping) and before and after:
        yield from _heading(name, depth)
        inner = depth + 1 if name else depth
        for key in sorted({*before, *after}, key=_rank):
            if key not in after:
                yield from _only("gone", key, before[key], inner)
            elif key not in before:
                yield from _only("new", key, after[key], inner)
            else:
                yield from _compared(key, before[key], after[key], inner)
    elif isinstance(before, list) and isinstance(after, list) and before and after:
        yield from _heading(name, depth)
        yield from _lists(before, after, depth + 1)
    elif type(before) is type(after) and before == after:
        yield from (Row("same", line, line) for line in _lines(name, before, depth))
    elif isinstance(before, (Mapping, list)) or isinstance(after, (Mapping, list)):
        yield from _only("gone", name, before, depth)
        yield from _only("new", name, after, depth)
    else:
        yield Row("changed", next(_lines(name, before, depth)), next(_lines(name, after, depth)))


def _lists(before: list[Any], after: list[Any], depth: int) -> Iterator[Row]:
    """Pair what is the same, or has the same name; the rest by place."""
    ours, theirs = [_identity(item) for item in before], [_identity(item) for item in after]
    for tag, begin, end, its_begin, its_end in SequenceMatcher(None, ours, theirs, autojunk=True).get_opcodes():
        if tag in {"equal", "replace"} and all(_is_nameless(item) for item in (*before[begin:end], *after[its_begin:its_end])):
            pairs = min(end - begin, its_end - its_begin)
        else:
            pairs = end - begin if tag == "equal" else 0
        for place in range(pairs):
            yield from _compared("-", before[begin + place], after[its_begin + place], depth)
        for item in before[begin + pairs : end]:
            yield from _only("gone", "-", item, depth)
        for item in after[its_begin + pairs : its_end]:
            yield from _only("new", "-", item, depth)


def _identity(item: Any) -> str:
    """What makes two items the same one: a parameter's place and name, else all of it."""
    if _is_nameless(item):
        return _canonical(item)
    return _canonical([item["in"], item["name"]])


def _is_nameless(item: Any) -> bool:
    return not (isinstance(item, Mapping) and "in" in item and "name" in item)


def _only(kind: Literal["gone", "new"], name: str, value: Any, depth: int) -> Iterator[Row]:
    for line in _lines(name, value, depth):
        yield Row(kind, line if kind == "gone" else None, line if kind == "new" else None)


def _heading(name: str, depth: int) -> Iterator[Row]:
    if name:
        line = f"{'  ' * depth}{_label(name)}"
        yield Row("same", line, line)


def _lines(name: str, value: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, Mapping) and value:
        if name:
            yield f"{indent}{_label(name)}"
        for key in sorted(value, key=_rank):
            yield from _lines(key, value[key], depth + 1 if name else depth)
    elif isinstance(value, list) and value:
        if name:
            yield f"{indent}{_label(name)}"
        for item in value:
            yield from _lines("-", item, depth + 1)
    else:
        text = _canonical(value)
        text = text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text):,} characters)"
        yield f"{indent}{_label(name)} {text}"


def _label(name: str) -> str:
    return "-" if name == "-" else f"{name if _PLAIN.fullmatch(name) else _canonical(name)}:"


def _rank(name: str) -> tuple[int, str]:
    return _FIRST.get(name, len(_FIRST)), name


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(", ", ": "))


def _folded(rows: Sequence[Row]) -> Iterator[Block]:
    """Fold unchanged lines away, but for some around each change."""
    changes = [place for place, row in enumerate(rows) if row.kind != "same"]
    near = {place for change in changes for place in range(change - CONTEXT, change + CONTEXT + 1)}
    begin = 0
    for place in range(1, len(rows) + 1):
        if place == len(rows) or (place in near) != (begin in near):
            part = rows[begin:place]
            if begin in near or len(part) <= CONTEXT:
                yield Block(part)
            else:
                yield Block(part if len(part) <= MOST_FOLDED else (), len(part))
            begin = place
