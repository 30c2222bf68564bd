"""
Which statement of a schema a request broke: from a violation, as the validator names it, to what an owner can relax.

A violation names a place in the document, a statement the place in a request (`Statement.rule`: `query/page maximum`). Where a schema
offers alternatives (`anyOf`, `oneOf`), the violation tells that none fits and not why; `narrowed` makes the documents that tell, one for
each alternative, and `nearest` says by their verdicts which one the value comes nearest to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hauberk.learning.place import Step, at_steps, escaped, steps_of, with_at

ALTERNATIVES = ("anyOf", "oneOf")
# Refused by how requests are read: no statement of a schema, so nothing to relax.
UNREADABLE = frozenset({"too_many_values", "body_size"})
# Of a body that is declared: that it says what it is, and is it.
CONTENT = frozenset({"invalid_encoding", "invalid_syntax", "unsupported_media_type"})

# Where it is a statement that a name comes once.
_ONCE = {"query": "single"}
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


@dataclass(frozen=True, slots=True)
class Blame:
    """What a violation says is broken."""

    pointer: str
    """Where in the request, as in `Statement.pointer`."""

    keyword: str
    """What, as in `Statement.keyword`; a kind of error where no statement is broken."""

    place: str
    """The place in the document."""

    stated: bool
    """Whether it is a statement. A body that is no JSON breaks none, so there is nothing to relax."""

    @property
    def rule(self) -> str:
        """As `Statement.rule`."""
        return f"{self.pointer} {self.keyword}"

    @property
    def is_open(self) -> bool:
        """Whether only the alternatives can tell what is broken."""
        return self.stated and self.place.endswith(tuple(f".{keyword}" for keyword in ALTERNATIVES))


def blame(violation: Mapping[str, Any], document: Mapping[str, Any]) -> Blame:
    """
    Tell what a violation says is broken.

    Args:
        violation: `{"location", "target", "error_class", "error_detail", "rule"}`, as the validator gives it.

        document: The document it was judged by.
    """
    location, kind, place = str(violation["location"]), str(violation["error_class"]), str(violation["rule"])
    try:
        steps = steps_of(place)
    except ValueError:
        steps = ()
    pointer, keyword = _read(steps, location, kind, document)
    if pointer is None:  # behind a `$ref`, which learned documents have none of: the place in the request alone is known
        return Blame(location, str(violation["error_detail"] or kind), place, stated=False)
    if location == "body" and (kind in CONTENT or violation["error_detail"] == "invalid_content_type"):
        return Blame("body", "content", place, stated=True)
    # A name that a body repeats breaks no statement either.
    if keyword is None or kind in UNREADABLE | CONTENT:
        return Blame(pointer, kind, place, stated=False)
    return Blame(pointer, keyword, place, stated=True)


def narrowed(document: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    """Give a document for each alternative of a place that ends in `.anyOf` or `.oneOf`, in which it is the only one."""
    steps = steps_of(place)
    schema, branches = at_steps(document, steps[:-1]), at_steps(document, steps)
    if not isinstance(schema, Mapping) or not isinstance(branches, list):
        return []
    beside = {key: value for key, value in schema.items() if key not in {steps[-1], "discriminator"}}
    return [with_at(document, steps[:-1], {**beside, **branch}) for branch in branches if isinstance(branch, Mapping)]


def nearest(verdicts: Sequence[Sequence[Mapping[str, Any]]], place: str) -> tuple[int, list[Mapping[str, Any]]] | None:
    """
    Tell which alternative a value comes nearest to, and what it breaks of that.

    Args:
        verdicts: For each document of `narrowed`, the violations of the request.

        place: As given to `narrowed`.

    Returns:
        The position in `verdicts`, and the violations at that place; `None` if every alternative is of another type, or several of `oneOf`
        fit.
    """
    above = place.rpartition(".")[0]
    inside = [[violation for violation in violations if _is_at(str(violation["rule"]), above)] for violations in verdicts]
    of_its_type = [i for i, violations in enumerate(inside) if not any(_is_type_of(violation, above) for violation in violations)]
    # The fewest, and of equal ones the first, so that the answer is the same each time.
    best = min(of_its_type, key=lambda i: len(inside[i]), default=None)
    return None if best is None or not inside[best] else (best, inside[best])


def _is_at(rule: str, above: str) -> bool:
    # A parameter of another type is told at the parameter, above its schema.
    return rule == above or rule.startswith((f"{above}.", f"{above}[")) or f"{rule}.schema" == above


def _is_type_of(violation: Mapping[str, Any], above: str) -> bool:
    return violation["error_class"] == "invalid_type" and violation["rule"] in {f"{above}.type", above, above.removesuffix(".schema")}


def _read(steps: Sequence[Step], location: str, kind: str, document: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Give pointer and keyword; no pointer where the place does not tell, no keyword where it is no statement."""
    if len(steps) < 3 or steps[0] != "paths":
        return None, None
    at = 3 if steps[2] in _METHODS else 2
    if len(steps) == at:  # what is not declared at all is told at the operation
        return location, "closed"
    part, parameter = steps[at], at_steps(document, steps[: at + 2])
    if part == "parameters" and isinstance(parameter, Mapping) and "in" in parameter:
        where, name = str(parameter["in"]), str(parameter["name"])
        pointer = f"{where}/{escaped(name.lower() if where == 'header' else name)}"
        return _in_schema(pointer, _after_content(steps[at + 2 :]), kind)
    if part == "requestBody" and len(steps) < at + 3:
        return "body", {"missing_required": "required", "invalid_media_type": "closed"}.get(kind)
    if part == "requestBody":
        return _in_schema(f"body/{escaped(str(steps[at + 2]))}", steps[at + 3 :], kind)
    return None, None


def _after_content(steps: Sequence[Step]) -> Sequence[Step]:
    return steps[2:] if steps[:1] == ("content",) else steps


def _in_schema(pointer: str, steps: Sequence[Step], kind: str) -> tuple[str, str | None]:
    if not steps or steps == ("schema",):
        return pointer, {
            "missing_required": "required",
            "invalid_type": "type",
            "duplicate_value": _ONCE.get(pointer.partition("/")[0]),
        }.get(kind)
    rest = list(steps[1:])  # after `schema`
    while rest:
        keyword, *after = rest
        if not after:
            return pointer, _as_stated(str(keyword))
        if keyword == "required":
            return f"{pointer}/{escaped(str(after[0]))}", "required"
        if keyword in {"properties", "patternProperties", "dependentSchemas"}:
            pointer, rest = f"{pointer}/{escaped(str(after[0])) if keyword == 'properties' else '*'}", after[1:]
        elif keyword in {"items", "additionalProperties", "additionalItems", "contains", "unevaluatedItems", "unevaluatedProperties"}:
            pointer, rest = f"{pointer}/*", after
        elif keyword == "prefixItems":
            pointer, rest = f"{pointer}/*", after[1:]
        elif keyword in {*ALTERNATIVES, "allOf"}:
            rest = after[1:]
        elif keyword == "propertyNames":
            return pointer, "propertyNames"
        else:  # a keyword that goes on in its value, such as an entry of an enumeration
            return pointer, _as_stated(str(keyword))
    # The place is a schema and no keyword of it: the schema `false`, or a type told at the schema.
    return pointer, "type"


def _as_stated(keyword: str) -> str:
    """Name a keyword as statements do: a union of types is a statement on the type."""
    return "type" if keyword in ALTERNATIVES else keyword
