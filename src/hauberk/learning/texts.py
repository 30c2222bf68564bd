"""Texts: enumeration, format, structure, characters, and lengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hauberk.learning import enums, formats, structures
from hauberk.learning.bounds import upper_options
from hauberk.learning.choice import Basis, Option
from hauberk.learning.ladder import LADDER, tightest
from hauberk.learning.looks import Place
from hauberk.learning.priors import prior
from hauberk.learning.trust import SUSPECT_MARKS, Trust


def shapes(value: Mapping[str, Any], strings: int, place: Place, basis: Basis, trust: Trust, risk: float) -> Iterator[Option]:
    """
    Say what texts look like: one of a list, of a format, built alike, or of certain characters; the tightest first.

    Args:
        value: Their profile.

        strings: How many requests had a text here, secrets left out.
    """
    texts = value.get("texts")
    if not texts or not strings or value.get("secret"):
        return
    listed = enums.option(value, place, basis, trust, risk)
    if listed:
        yield listed
    yield from formats.options(value, strings, place, basis, trust, risk)
    built = structures.option(value, place, basis, trust, risk)
    if built:
        yield built
    yield from characters(value, place, basis, trust, risk)


def characters(value: Mapping[str, Any], place: Place, basis: Basis, trust: Trust, risk: float) -> Iterator[Option]:
    """Say which characters texts are made of."""
    classes = value["texts"]["classes"]
    among = max((support["sources"] for support in classes.values()), default=0)
    suspect = {name for name, support in classes.items() if name in SUSPECT_MARKS and trust.is_fringe(support, among)}
    first = tightest([name for name in classes if name not in suspect])
    statistic = f"{basis.samples} texts" + (f", marks of few callers left out: {len(suspect)}" if suspect else "")
    for rung in LADDER[first:]:
        known = prior(f"rung {LADDER[first].name} {rung.name}", contexts(value, place))
        words = place.words if rung.name in {"digits", "alphanumeric"} else 0.0
        yield Option.by(known, "pattern", rung.pattern, basis.samples, risk, f"{statistic}, {rung.name}", at_least=words)


def contexts(value: Mapping[str, Any], place: Place) -> list[str]:
    """What the rate of other characters depends on."""
    longest = value["lengths"]["high"][0][0]
    size = "short" if longest <= 8 else "medium" if longest <= 24 else "long"
    return [place.location, f"look:{place.look}", f"{place.location}/{place.look}", f"size:{size}", f"word:{place.word}"]


def lengths(value: Mapping[str, Any], place: Place, basis: Basis, trust: Trust, risk: float) -> tuple[list[Option], list[Option]]:
    """Bound the number of characters from below and above."""
    found = value.get("lengths")
    if not found or not found["high"]:
        return [], []
    shortest = found["low"][0][0]
    least = []
    if shortest >= 1:
        known = prior("not empty", [place.location, f"look:{place.look}", f"{place.location}/{place.look}", f"word:{place.word}"])
        least = [Option.by(known, "minLength", 1, basis.samples, risk, f"{basis.samples} texts, none empty")]
    return least, list(upper_options("maxLength", found, place, basis, trust, risk, smallest=16))
