"""What a schema allows: its alternatives, types, enumerations and forms, as far as a comparison with a profile asks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_KINDS = {
    "integer": {"integer"},
    "number": {"integer", "number"},
    "string": {"string"},
    "boolean": {"boolean"},
    "array": {"array"},
    "object": {"object"},
    "null": {"null"},
}
# As requests are judged, but for rare forms: what these let through is judged by the gateway, not here.
_FORMATS = {
    "date": r"\d{4}-\d\d-\d\d",
    "date-time": r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)",
    "uuid": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "email": r"\S+@\S+",
    "ipv4": r"(\d{1,3}\.){3}\d{1,3}",
}


def branches_of(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the alternatives of a schema, or it alone."""
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return [inner for branch in schema[keyword] if isinstance(branch, Mapping) for inner in branches_of(branch)]
    return [schema]


def types_of(branches: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the types that alternatives state."""
    types: dict[str, None] = {}
    for branch in branches:
        stated = branch.get("type", [])
        types |= dict.fromkeys([stated] if isinstance(stated, str) else stated)
    return list(types)


def allows(branch: Mapping[str, Any], kind: str, *, text: bool = False) -> bool:
    """Tell whether a schema allows values of a kind. In text (a parameter, a form field) a string is allowed to look like a number."""
    types = types_of([branch])
    if not types or (kind == "null" and (branch.get("nullable") or None in branch.get("enum", ()))):
        return True
    if text and "string" in types and kind != "array":
        return True
    return any(kind in _KINDS.get(name, ()) for name in types)


def kind_of(value: Any) -> str:
    """Name the kind of a scalar."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if float(value).is_integer() else "number"
    return "string" if isinstance(value, str) else "null"


def lists(branch: Mapping[str, Any], value: Any, *, text: bool) -> bool:
    """Tell whether a schema's enumeration, if it has one, holds a value; in text all are text."""
    if "enum" not in branch:
        return True
    if text:
        return str(value) in {str(one) for one in branch["enum"]}
    return any(one == value and isinstance(one, bool) == isinstance(value, bool) for one in branch["enum"])


def takes_tag(schema: Mapping[str, Any], name: str, value: str) -> bool:
    """Tell whether an object with this tag can be meant by a schema."""
    property_ = (schema.get("properties") or {}).get(name)
    return property_ is None or any(lists(branch, value, text=False) for branch in branches_of(property_))


def either(schemas: Sequence[Any]) -> Any:
    """Give the schema of what may be any of these."""
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def joined(schemas: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Give what an object may be that can be any of several: closed if all are, required what all require."""
    properties: dict[str, list[Any]] = {}
    for schema in schemas:
        for name, property_ in (schema.get("properties") or {}).items():
            properties.setdefault(name, []).append(property_)
    together: dict[str, Any] = {"properties": {name: either(several) for name, several in properties.items()}}
    together["required"] = sorted(set.intersection(*(set(schema.get("required") or ()) for schema in schemas)))
    if all(schema.get("additionalProperties") is False for schema in schemas):
        together["additionalProperties"] = False
    return together


def form_of(keyword: str, rule: Any) -> re.Pattern[str] | None:
    """Give a `pattern` or `format` as an expression to search with; `None` if it is none, or this comparison cannot tell."""
    text = _FORMATS.get(rule) if keyword == "format" and isinstance(rule, str) else rule
    try:
        return re.compile(text if keyword == "pattern" else rf"\A(?:{text})\Z") if isinstance(text, str) else None
    except re.error:  # written for another engine: the gateway judges by it, this comparison leaves it out
        return None
