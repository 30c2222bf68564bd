"""What a statement demands, in words for an owner who decides whether to relax it."""

from __future__ import annotations

from typing import Any

_MEASURES = {
    "minimum": "a value below {}",
    "exclusiveMinimum": "a value of {} or below",
    "maximum": "a value above {}",
    "exclusiveMaximum": "a value of {} or above",
    "minLength": "a text shorter than {} characters",
    "maxLength": "a text longer than {} characters",
    "minItems": "fewer than {} items",
    "maxItems": "more than {} items",
    "minProperties": "fewer than {} members",
    "maxProperties": "more than {} members",
    "multipleOf": "a value that is no multiple of {}",
}
_OTHERS = {
    "content": "a body that is not what its content type says, or that has none",
    "additionalProperties": "a member that is not declared",
    "single": "a parameter that comes more than once",
    "required": "it is missing",
    "uniqueItems": "an item that comes twice",
    "propertyNames": "a member's name of another form",
    "missing_required": "it is missing",
    "invalid_encoding": "it is no text of the encoding it should have",
    "invalid_syntax": "it cannot be parsed",
    "duplicate_value": "a name that comes more than once",
    "too_many_values": "more parts than a gateway takes",
    "body_size": "a body larger than a gateway takes",
    "unsupported_media_type": "a parameter of its content type that cannot be read",
    "ambiguous_path": "a path that an origin can read in several ways",
    "lookalike_path": "another spelling of a saved operation's path",
    "method_override": "a header that names another method",
    "malformed_header": "a header that is not well-formed",
}


def demanded(keyword: str, value: Any, location: str) -> str:
    """
    Say what a refused request has.

    Args:
        keyword: As in `Statement.keyword`, or the kind of error where no statement is broken.

        value: Of the keyword in the document; `None` if that does not matter.

        location: The first part of the pointer.

    Returns:
        A phrase such as `a value above 100`.
    """
    if keyword in _MEASURES and value is not None:
        return _MEASURES[keyword].format(f"{value:,}" if isinstance(value, int) else value)
    said = value if isinstance(value, str) else None
    phrases = {
        "type": f"another type than {_types(value)}" if _types(value) else "another type",
        "enum": f"none of its {len(value)} values" if isinstance(value, list) and len(value) > 1 else "another value than its only one",
        "format": f"no {said}" if said else "another format",
        "pattern": f"a text that does not match {said}" if said else "a text of another form",
        "closed": {"query": "a parameter that is not declared"}.get(location, "a content type that is not declared, or a body at all"),
    }
    return phrases.get(keyword) or _OTHERS.get(keyword) or f"a departure from '{keyword}'"


def _types(value: Any) -> str:
    """Name the types of a `type`, of alternatives or of a whole schema."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return _types(value.get("type") or value.get("anyOf") or value.get("oneOf"))
    if isinstance(value, list):
        names = [_types(one) for one in value]
        return " or ".join(dict.fromkeys(name for name in names if name)) if all(names) else ""
    return ""
