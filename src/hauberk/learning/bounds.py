"""
Bounds of numbers, lengths and counts, with room beyond what was seen.

How far the next value may lie beyond the largest is told by two sources: by other APIs, as a factor that depends on the number of values,
and, where
many values were seen, by the spacing of the largest ones. The more careful of the two counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from hauberk.learning.choice import Basis, Option
from hauberk.learning.looks import Place
from hauberk.learning.priors import prior
from hauberk.learning.statistics import tail_index
from hauberk.learning.trust import Trust

FACTORS = (2, 4, 16, 64, 256)
FAR = 4.0
LARGEST_EXACT = 2**53


def upper_options(
    keyword: str, found: Mapping[str, Any], place: Place, basis: Basis, trust: Trust, risk: float, smallest: int
) -> Iterator[Option]:
    """
    Bound values from above.

    Args:
        keyword: `maximum`, `maxLength` or `maxItems`.

        found: The range of values seen.

        smallest: No bound is smaller.
    """
    largest, left_out = trust.outermost(found["high"], basis.sessions, FAR)
    if largest is None:
        return
    statistic = f"largest of {basis.samples} values" + (f", {left_out} of few callers left out" if left_out else "")
    for factor in FACTORS:
        if largest * factor >= LARGEST_EXACT:  # also what no binary64 holds
            return
        bound = round_up(max(largest * factor, smallest))
        known = prior(f"{keyword} x{factor}", [place.location, f"look:{place.look}", f"word:{place.word}"])
        beyond = tail([value for value, _ in found["high"]][left_out:], basis.samples, bound)
        told = f"{statistic}, with {factor} times the room"
        yield Option.by(known, keyword, bound, basis.samples, risk, told, at_least=beyond)


def tail(largest: Sequence[float], samples: int, bound: float) -> float:
    """The probability that the next value is beyond a bound, by the spacing of the largest; 0 if there are too few to tell."""
    kept = [value for value in largest if value > 0][: max(4, min(32, samples // 8))]
    if samples < 50 or len(kept) < 4 or bound <= kept[0]:
        return 0.0
    index = tail_index(kept)
    if index == 0:
        return 0.0
    return float(min(1.0, (len(kept) / samples) * (bound / kept[-1]) ** (-1 / index)))


def round_up(value: float) -> int:
    """Round to one significant digit and a half, upwards: 100, 150, 200, …"""
    if value <= 16:
        return math.ceil(value)
    step = int(10 ** (len(str(int(value))) - 1)) // 2
    return math.ceil(value / step) * step


def number_options(
    found: Mapping[str, Any], place: Place, basis: Basis, trust: Trust, risk: float, distinct: int
) -> tuple[list[Option], list[Option]]:
    """Bound numbers from below and above."""
    if not found["low"]:
        return [], []
    smallest, left_out = trust.outermost(found["low"], basis.sessions, FAR)
    lower = []
    known_contexts = [place.location, f"look:{place.look}", f"word:{place.word}"]
    told = f"smallest of {basis.samples} values" + (f", {left_out} of few callers left out" if left_out else "")
    for bound in (1, 0):
        if smallest is not None and smallest >= bound:
            known = prior(f"minimum {bound}", known_contexts)
            lower.append(Option.by(known, "minimum", bound, basis.samples, risk, told))
    largest, _ = trust.outermost(found["high"], basis.sessions, FAR)
    if largest is None or has_no_bound(found, largest, place, distinct, basis.samples):
        return lower, []
    return lower, list(upper_options("maximum", found, place, basis, trust, risk, smallest=100))


def has_no_bound(found: Mapping[str, Any], largest: float, place: Place, distinct: int, samples: int) -> bool:
    """Whether values are identifiers or times, or grow: what comes next lies beyond whatever was seen."""
    if place.location == "path" or place.look in {"id", "date"} or (place.look in {"other", "name"} and distinct > 0.5 * samples):
        return True
    if 9e8 <= largest <= 2.2e9 or 9e11 <= largest <= 2.2e12:  # Unix time
        return True
    return distinct > 10 and distinct > 0.8 * samples and _rises(found["by_day"])


def _rises(days: Sequence[Sequence[float]]) -> bool:
    highs = [high for _, _, high, _ in days]
    rising = sum(after > before for before, after in pairwise(highs))
    return len(highs) >= 3 and rising >= 0.7 * (len(highs) - 1)
