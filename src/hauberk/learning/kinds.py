"""
Types: which kinds of values a place takes.

Where text is all there is (paths, queries, forms), a text that spells a number is one, unless others at the place do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hauberk.learning.choice import Basis, Option
from hauberk.learning.looks import Place
from hauberk.learning.priors import prior
from hauberk.learning.trust import Trust

# Longer numbers in text are identifiers that are written in digits; many clients cannot hold them as numbers.
MOST_DIGITS_OF_NUMBERS = 15
_ORDER = ("null", "boolean", "integer", "number", "string", "array", "object")


def believed(value: Mapping[str, Any], trust: Trust) -> tuple[frozenset[str], int]:
    """The kinds seen at a place, and how many were left out because only a few callers sent them."""
    kinds = value["kinds"]
    among = max((support["sources"] for support in kinds.values()), default=0)
    # A missing value or a decimal place is not far from what others send.
    near = {"null", "number"} if "integer" in kinds else {"null"}
    kept = frozenset(kind for kind, support in kinds.items() if kind in near or not trust.is_fringe(support, among))
    return kept, len(kinds) - len(kept)


def of_text(kinds: frozenset[str], digits: int) -> frozenset[str]:
    """The kind of a parameter, of the kinds its texts spell."""
    if kinds <= {"integer"} and digits > MOST_DIGITS_OF_NUMBERS:
        return frozenset({"string"})
    if kinds == {"integer", "number"}:
        return frozenset({"number"})
    return kinds if len(kinds) == 1 else frozenset({"string"})


def options(kinds: frozenset[str], place: Place, basis: Basis, risk: float, left_out: int) -> Iterator[Option]:
    """
    Say which kinds of values there are, then the same with those that come beside them sooner or later.

    Args:
        kinds: Those believed; `of_text` of them where all is text.

        place: Where.

        basis: What is known of the place.

        risk: The most that is risked, for `needs`.

        left_out: Kinds that were left out.
    """
    if not kinds or kinds == {"null"}:
        return
    told = f"{basis.samples} values" + (f", {left_out} kinds of few callers left out" if left_out else "")
    for statement, widened in _widened(kinds, place):
        if widened == {"string"} and place.location in {"path", "query", "header", "cookie"}:
            yield Option("type", ("string",), 0.0, "any text is one", 1)
            return
        known = prior(statement, contexts(kinds, place))
        types = tuple(kind for kind in _ORDER if kind in widened)
        yield Option.by(known, "type", types, basis.samples, risk, told, at_least=place.words)


def contexts(kinds: frozenset[str], place: Place) -> list[str]:
    """What the rate of other kinds depends on."""
    joined = "+".join(sorted(kinds))
    return [place.location, f"kinds:{joined}", f"{place.location}/{joined}", f"look:{place.look}", f"word:{place.word}"]


def _widened(kinds: frozenset[str], place: Place) -> Iterator[tuple[str, frozenset[str]]]:
    if "integer" in kinds and "number" in kinds:
        kinds -= {"integer"}
    if place.is_text:
        if place.location == "form" and place.name.endswith("]"):
            # Such a field comes as often as there are values, and one that is declared to be a single value may come once only.
            yield "kinds several", kinds | {"array", "string"}
            return
        yield "kinds", kinds
        if not kinds.isdisjoint({"array", "object"}):
            yield "kinds several", kinds | {"array", "object", "string"}
            return
        if kinds == {"integer"} and place.location != "path":
            yield "kinds number", frozenset({"number"})
        if kinds != {"string"}:
            yield "kinds text", frozenset({"string"})
        return
    wider = kinds | {"null"}
    yield "kinds", kinds
    if wider != kinds:
        yield "kinds null", wider
    if "integer" in kinds:
        wider = wider - {"integer"} | {"number"}
        yield "kinds null number", wider
    if "object" in kinds or "array" in kinds:
        yield "kinds null several", wider | {"object", "array"}
