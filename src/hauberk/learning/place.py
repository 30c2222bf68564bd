"""
Places in an OpenAPI document as violations name them: `.paths["/users/{var1}"].get.parameters[0].schema.maximum`.

They are written by `crates/openapi/src/place.rs`: a plain name after a dot, any other as Rust's debug form of a string between brackets,
the index of a list between brackets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Step = str | int

_STEP = re.compile(r"""\.([A-Za-z_$][A-Za-z0-9_$-]*)|\[([0-9]+)\]|\["((?:[^"\\]|\\.)*)"\]""", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def steps_of(place: str) -> tuple[Step, ...]:
    """
    Split a place into names and indices.

    Raises:
        ValueError: If it is none.
    """
    steps: list[Step] = []
    at = 0
    while at < len(place):
        match = _STEP.match(place, at)
        if match is None:
            raise ValueError("this is no place in a document")
        plain, index, quoted = match.groups()
        steps.append(int(index) if index is not None else plain if plain is not None else _ESCAPE.sub(_unescaped, quoted))
        at = match.end()
    return tuple(steps)


def at_steps(document: Any, steps: Sequence[Step]) -> Any:
    """Give what stands at a place; `None` if nothing does."""
    for step in steps:
        if isinstance(document, Mapping) and isinstance(step, str):
            document = document.get(step)
        elif isinstance(document, Sequence) and not isinstance(document, str) and isinstance(step, int) and step < len(document):
            document = document[step]
        else:
            return None
    return document


def with_at(document: Any, steps: Sequence[Step], value: Any) -> Any:
    """
    Give the document with another value at a place. What is not on the way there is shared with the original, which stays as it is.

    Raises:
        LookupError: If there is no such place.
    """
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(document, Mapping) and isinstance(step, str) and step in document:
        return {**document, step: with_at(document[step], rest, value)}
    if isinstance(document, list) and isinstance(step, int) and step < len(document):
        return [*document[:step], with_at(document[step], rest, value), *document[step + 1 :]]
    raise LookupError("there is no such place in the document")


def escaped(name: str) -> str:
    """Write a name as a part of a JSON Pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(match: re.Match[str]) -> str:
    point, character = match.groups()
    if point is not None:
        return chr(int(point, 16))
    return _ESCAPED.get(character, character)
