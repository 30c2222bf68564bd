"""
A rule's expression as rows that people edit, and what is certain of it before a request comes.

The language itself is read in Rust; this is about the tree it gives (`_native.expression_tree`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hauberk import _native

TEXT_OPERATORS = ("eq", "ne", "in", "not in")
FLAG_OPERATORS = ("true", "false")
OPERATORS: Mapping[bool, tuple[str, ...]] = {True: TEXT_OPERATORS, False: FLAG_OPERATORS}
"""By whether the field's value is text."""

Match = Literal["all", "any"]
Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Condition:
    """One row: a field, how it is compared, and with what."""

    field: str

    operator: str
    """One of `TEXT_OPERATORS`, or of `FLAG_OPERATORS` for a field that is true or false."""

    values: tuple[str, ...] = ()
    """One for `eq` and `ne`, one or more for `in` and `not in`, none for a field that is true or false."""

    def __str__(self) -> str:
        """Write it in the language."""
        match self.operator:
            case "true":
                return self.field
            case "false":
                return f"not {self.field}"
            case "in" | "not in":
                listed = " ".join(quoted(value) for value in self.values)
                return f"{'not ' if self.operator == 'not in' else ''}{self.field} in {{{listed}}}"
            case _:
                return f"{self.field} {self.operator} {quoted(self.values[0])}"


@dataclass(frozen=True)
class Rows:
    """
    Conditions in groups: two levels, which is what fits on a page.

    With `match="all"` every group must hold, and a group holds if one of its conditions does; with `match="any"` it is the other way
    round.
    """

    match: Match

    groups: tuple[tuple[Condition, ...], ...]

    def __str__(self) -> str:
        """Write the expression."""
        outer, inner = (" and ", " or ") if self.match == "all" else (" or ", " and ")
        # `and` binds tighter, so only groups of `or` need parentheses; the others have them to be read more easily.
        parts = [inner.join(map(str, group)) for group in self.groups]
        if len(parts) == 1:
            return parts[0]
        return outer.join(f"({part})" if len(group) > 1 else part for part, group in zip(parts, self.groups, strict=True))


def quoted(text: str) -> str:
    """Write a string of the language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def tree_of(expression: str) -> dict[str, Any]:
    """
    Compile an expression and give its tree.

    Raises:
        _native.ExpressionError: If it does not compile.
    """
    return dict(json.loads(_native.expression_tree(expression)))


def rows_of(tree: Tree) -> Rows | None:
    """Give an expression as rows; `None` if it says more than two levels can, or is a constant."""
    plain = _without_not(tree, negated=False)
    match, parts = ("any", plain["any"]) if "any" in plain else ("all", plain.get("all", [plain]))
    opposite = "all" if match == "any" else "any"
    groups = []
    for part in parts:
        leaves = part.get(opposite, [part])
        if not all("field" in leaf for leaf in leaves):
            return None
        groups.append(tuple(Condition(leaf["field"], leaf["operator"], tuple(leaf["values"])) for leaf in leaves))
    return Rows("any" if match == "any" else "all", tuple(groups))


def holds(tree: Tree, known: Mapping[str, str | bool]) -> bool | None:
    """
    Tell whether an expression holds for a request of which some fields are known.

    Args:
        tree: The expression.

        known: Values of fields; a host in lower case.

    Returns:
        `None` if that depends on fields which are not known.
    """
    if "constant" in tree:
        return bool(tree["constant"])
    if "not" in tree:
        inner = holds(tree["not"], known)
        return None if inner is None else not inner
    if "field" not in tree:
        joined, decisive = ("all", False) if "all" in tree else ("any", True)
        answers = {holds(part, known) for part in tree[joined]}
        return decisive if decisive in answers else None if None in answers else not decisive
    value = known.get(tree["field"])
    if value is None:
        return None
    if isinstance(value, bool):
        return value is (tree["operator"] == "true")
    return bool((value in tree["values"]) == (tree["operator"] in {"eq", "in"}))


def fields_of(tree: Tree) -> set[str]:
    """Name the fields that stand in an expression."""
    if "field" in tree:
        return {tree["field"]}
    parts = [tree["not"]] if "not" in tree else tree.get("all") or tree.get("any") or []
    return {field for part in parts for field in fields_of(part)}


def values_of(tree: Tree, field: str) -> set[str]:
    """Give the values a field is compared with."""
    if "field" in tree:
        return set(tree["values"]) if tree["field"] == field else set()
    parts = [tree["not"]] if "not" in tree else tree.get("all") or tree.get("any") or []
    return {value for part in parts for value in values_of(part, field)}


_OPPOSITE = {"true": "false", "false": "true", "eq": "ne", "ne": "eq", "in": "not in", "not in": "in"}


def _without_not(tree: Tree, *, negated: bool) -> dict[str, Any]:
    """Bring every negation down to the comparisons (De Morgan), and join what is joined in the same way."""
    if "not" in tree:
        return _without_not(tree["not"], negated=not negated)
    if "constant" in tree:
        return {"constant": tree["constant"] != negated}
    if "field" in tree:
        return {**tree, "operator": _OPPOSITE[tree["operator"]]} if negated else dict(tree)
    joined = "all" if ("all" in tree) != negated else "any"
    parts = [_without_not(part, negated=negated) for part in tree.get("all") or tree["any"]]
    return {joined: [leaf for part in parts for leaf in part.get(joined, [part])]}
