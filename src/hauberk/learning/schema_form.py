"""
A schema in a form in which two can be compared: which kinds of value it allows, and its keywords as JSON Schema 2020-12 spells them.

What only describes (titles, examples, extensions) is gone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Numbers are told apart, so that `integer` is a part of `number`.
KINDS = frozenset({"null", "boolean", "integer", "fraction", "string", "array", "object"})
SCALARS = frozenset({"boolean", "integer", "fraction", "string"})
NUMBERS = frozenset({"integer", "fraction"})

_KINDS_OF = {"number": NUMBERS, **{name: frozenset({name}) for name in KINDS - {"fraction"}}}

# Formats that are asserted (`crates/openapi/src/schema/format.rs`); others are names for people.
TEXT_FORMATS = frozenset(
    {"date-time", "date", "time", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "uuid", "byte"}
)
NUMBER_FORMATS = frozenset({"int32", "int64", "uint64", "float", "double"})

# What a comparison has no opinion on: whoever changes one of these may refuse anything.
OPAQUE = frozenset(
    {
        "$dynamicRef", "contains", "dependencies", "dependentRequired", "dependentSchemas", "discriminator", "else", "if", "maxContains",
        "minContains", "patternProperties", "prefixItems", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_PLAIN = frozenset({"pattern", "uniqueItems", "multipleOf", "maxLength", "maxItems", "maxProperties"})
_COUNTS = frozenset({"minLength", "minItems", "minProperties"})

MAX_HOPS = 32
# Alternatives of alternatives: deeper ones are taken to allow any kind.
MAX_NESTING = 6


@dataclass(frozen=True)
class Form:
    """A schema."""

    kinds: frozenset[str]
    """Of `KINDS`; none at all if it allows nothing."""

    keywords: Mapping[str, Any]
    """
    Those that assert something. `minimum` and `maximum` are pairs of the bound and whether it is exclusive; `enum` is a list (`const` too);
    sub-schemas are as they stand in the document.
    """

    def value(self, keyword: str) -> Any:
        """Give a keyword's value; `None` if it is not there."""
        return self.keywords.get(keyword)


class Source:
    """A document, as far as its schemas are concerned."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.is_30 = str(document.get("openapi", "")).startswith("3.0")

    def resolved(self, node: Any) -> Any:
        """Follow references from a node that is no schema; what leads nowhere is an empty object."""
        for _ in range(MAX_HOPS):
            if not isinstance(node, Mapping) or not isinstance(node.get("$ref"), str):
                return node
            node = self.looked_up(node["$ref"])
        return {}

    def looked_up(self, reference: str) -> Any:
        """Find what a reference into the document leads to."""
        node: Any = self.document
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping):
                node = node.get(name)
            elif isinstance(node, list) and name.isdigit() and int(name) < len(node):
                node = node[int(name)]
            else:
                return {}
        return {} if node is None else node

    def form(self, schema: Any, nesting: int = 0) -> Form:
        """Bring a schema into its form."""
        if self.is_30:
            schema = self.resolved(schema)
        if schema is False:
            return Form(frozenset(), {})
        if not isinstance(schema, Mapping):
            return Form(KINDS, {})
        keywords: dict[str, Any] = {}
        for name, value in schema.items():
            self._put(keywords, schema, name, value)
        if not self.is_30 and isinstance(schema.get("$ref"), str):
            # A reference says its part beside the other keywords.
            keywords["allOf"] = [*keywords.get("allOf", []), self.looked_up(schema["$ref"])]
        kinds = self._kinds(schema, keywords, nesting)
        if keywords.get("not") in (True, {}):
            return Form(frozenset(), {})
        if "fraction" not in kinds:
            _round(keywords)
        return Form(kinds, keywords)

    def _put(self, keywords: dict[str, Any], schema: Mapping[str, Any], name: str, value: Any) -> None:
        if name in {"minimum", "exclusiveMinimum"}:
            _bound(keywords, schema, "minimum", "exclusiveMinimum", max)
        elif name in {"maximum", "exclusiveMaximum"}:
            _bound(keywords, schema, "maximum", "exclusiveMaximum", min)
        elif name == "const":
            keywords["enum"] = [value]
        elif name == "enum" and isinstance(value, list) and "const" not in schema:
            keywords["enum"] = value
        elif name == "required" and isinstance(value, list):
            keywords[name] = [member for member in value if not self._is_read_only(schema, member)]
        elif _asserts(name, value):
            keywords[name] = value

    def _kinds(self, schema: Mapping[str, Any], keywords: Mapping[str, Any], nesting: int) -> frozenset[str]:
        named = schema.get("type")
        if named is None:
            kinds = KINDS
        else:
            names = named if isinstance(named, list) else [named]
            kinds = frozenset().union(*(_KINDS_OF.get(name, KINDS) for name in names if isinstance(name, str)))
            if self.is_30 and schema.get("nullable") is True:
                kinds |= {"null"}
        if nesting >= MAX_NESTING:
            return kinds
        for name in ("anyOf", "oneOf"):
            if name in keywords:
                kinds &= frozenset().union(*(self.form(branch, nesting + 1).kinds for branch in keywords[name]))
        for branch in keywords.get("allOf", []):
            kinds &= self.form(branch, nesting + 1).kinds
        return kinds

    def _is_read_only(self, schema: Mapping[str, Any], name: str) -> bool:
        """Whether a property comes in answers only, so that no request must have it."""
        properties = schema.get("properties")
        declared = properties.get(name) if isinstance(properties, Mapping) else None
        if isinstance(declared, Mapping) and not (self.is_30 and "$ref" in declared) and declared.get("readOnly") is True:
            return True
        followed = self.resolved(declared)
        return isinstance(followed, Mapping) and followed.get("readOnly") is True


def _asserts(name: str, value: Any) -> bool:
    """Tell whether a keyword, with this value, forbids anything, or says of what."""
    if name in _PLAIN or name in OPAQUE:
        return value is not False or name not in _PLAIN
    if name in _COUNTS or name in {"allOf", "anyOf", "oneOf"}:
        return bool(value)
    if name == "format":
        return value in TEXT_FORMATS | NUMBER_FORMATS
    if name == "properties":
        return isinstance(value, Mapping)
    if name == "not":
        return value is not False
    return name in {"additionalProperties", "items"} and value is not True and value != {}


def _bound(keywords: dict[str, Any], schema: Mapping[str, Any], inclusive: str, exclusive: str, tighter: Any) -> None:
    """Join both forms of a bound; in 3.0 `exclusiveMinimum` is a flag beside `minimum`."""
    bound, other = schema.get(inclusive), schema.get(exclusive)
    pairs: list[tuple[Any, bool]] = []
    if _is_number(bound):
        pairs.append((bound, other is True))
    if _is_number(other):
        pairs.append((other, True))
    if pairs:
        keywords[inclusive] = tighter(pairs, key=lambda pair: (pair[0], pair[1] if tighter is max else not pair[1]))


def _round(keywords: dict[str, Any]) -> None:
    """Write the bounds of integers as integers, so that `exclusiveMinimum: 4` is `minimum: 5`."""
    for keyword, inwards, step in (("minimum", math.ceil, 1), ("maximum", math.floor, -1)):
        if keyword in keywords and math.isfinite(keywords[keyword][0]):
            bound, is_exclusive = keywords[keyword]
            whole = inwards(bound)
            keywords[keyword] = (whole + step if is_exclusive and whole == bound else whole, False)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not (isinstance(value, float) and math.isnan(value))
