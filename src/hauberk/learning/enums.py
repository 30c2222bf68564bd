"""Enumerations: where the values seen are all there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hauberk.learning.choice import Basis, Option
from hauberk.learning.looks import Place
from hauberk.learning.priors import prior
from hauberk.learning.statistics import missing_mass
from hauberk.learning.trust import Trust

MOST_VALUES = 24
_WORD = re.compile(r"[A-Za-z][0-9A-Za-z_.:/+-]{0,31}")
_HEX = re.compile(r"[0-9a-f-]{8,}", re.IGNORECASE)


def option(value: Mapping[str, Any], place: Place, basis: Basis, trust: Trust, risk: float) -> Option | None:
    """List the values, if they are words and few."""
    listed = value.get("values")
    if not listed or value.get("secret"):
        return None
    texts = [entry for entry in listed if isinstance(entry["value"], str)]
    among = max((entry["support"]["sources"] for entry in texts), default=0)
    kept = [
        entry for entry in texts if not (trust.is_fringe(entry["support"], among) and entry["support"]["samples"] <= basis.samples / 20)
    ]
    words = sorted({entry["value"] for entry in kept})
    if not 0 < len(words) <= MOST_VALUES or not all(is_word(word) for word in words):
        return None
    once = sum(entry["support"]["samples"] == 1 for entry in kept)
    left_out = len(texts) - len(kept)
    known = prior("enum", contexts(len(words), once, place))
    unseen = missing_mass(once, basis.samples) if once else 0.0
    statistic = f"{len(words)} values in {basis.samples} samples, {once} of them once" + (
        f", {left_out} of few callers left out" if left_out else ""
    )
    return Option.by(known, "enum", tuple(words), basis.samples, risk, statistic, at_least=unseen, schema=(("enum", words),))


def contexts(distinct: int, once: int, place: Place) -> list[str]:
    """What the rate of new values depends on."""
    return [place.location, f"distinct:{min(distinct, 6)}", f"once:{min(once, 2)}", f"look:{place.look}", f"word:{place.word}"]


def is_word(text: str) -> bool:
    """Whether a text is such as people choose for a list of alternatives, and no identifier, address or token."""
    return bool(_WORD.fullmatch(text)) and not (_HEX.fullmatch(text) and any(character.isdigit() for character in text))
