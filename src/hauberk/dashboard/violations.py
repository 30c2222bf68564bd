"""What was wrong with a request, in words for people: events have the code, which is what programs and filters go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS = {
    "missing_required": "it is required, and missing",
    "invalid_type": "of another type",
    "invalid_encoding": "no text that can be read",
    "invalid_syntax": "not written as it has to be",
    "invalid_media_type": "of a content type that is not declared",
    "unsupported_media_type": "in a coding that cannot be read",
    "duplicate_value": "there twice, where once is allowed",
    "too_many_values": "more members or parameters than are allowed",
    "body_size": "too large to be judged",
    "not_evaluated": "not judged",
}

DETAILS = {
    "forbidden_value": "not declared: nothing like it may be here",
    "missing_required_property": "a required member is missing in it",
    "invalid_enum_variant": "none of the values that are listed",
    "different_const_value": "not the only value that is allowed",
    "number_too_small": "below the least number allowed",
    "number_too_big": "above the greatest number allowed",
    "multiple_of": "not a multiple of the number given",
    "string_length_not_in_range": "too short or too long",
    "pattern_no_match": "does not match the pattern",
    "pattern_too_costly": "takes too many steps to match with the pattern",
    "invalid_array_item_count": "too few or too many items",
    "invalid_object_property_count": "too few or too many members",
    "value_too_deep": "nests too deep, or takes too many steps to judge",
    "any_of": "fits none of the alternatives",
    "one_of": "fits none of the alternatives, or more than one",
    "not": "is what it must not be",
    "lookalike_path": "another spelling of the path of a saved endpoint",
    "invalid_json": "no JSON",
    "invalid_form_urlencoded": "no form",
    "body_timeout": "not judged: it came too slowly",
    "no_room": "not judged: there was no memory left for it",
    "expected:one_of": "of none of the types allowed",
}


def in_words(violation: Mapping[str, Any]) -> str:
    """Say what a violation is; nothing for a kind that is not known here."""
    detail = str(violation.get("error_detail") or "")
    about, _, named = detail.partition(":")
    if detail not in DETAILS and about in {"expected", "format_violation"}:
        return f"not of the {'type' if about == 'expected' else 'format'} {named}"
    return DETAILS.get(detail) or KINDS.get(str(violation.get("error_class")), "")
