"""
The few formulas that statements rest on, in closed form.

All of them give the probability that the *next* value departs from what was seen, because that is what an owner pays for: not whether a
bound is
true of all times, but how often it will be wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def next_breaks(a: float, b: float, clean: int) -> float:
    """
    Tell how likely the next value breaks a statement that none of `clean` values broke.

    The rate of breaks is drawn from a Beta distribution; what is returned is the mean of its posterior.
    """
    return a / (a + b + clean)


def samples_needed(a: float, b: float, clean: int, risk: float) -> int:
    """Tell how many more clean values it takes until `next_breaks` is at most `risk`."""
    return max(1, math.ceil(a / risk - a - b) - clean)


def missing_mass(once: int, samples: int) -> float:
    """
    Tell the probability that the next value is one never seen: Good and Turing's estimate, with half a value more seen once.

    The half keeps it above zero where nothing was seen only once, as it does for the estimate of a rate by Krichevsky and Trofimov.
    """
    return min(1.0, (once + 0.5) / (samples + 1)) if samples else 1.0


def upper_rate(breaks: int, trials: int, confidence: float) -> float:
    """
    Bound a rate from above (Clopper and Pearson).

    Returns:
        The largest rate under which so few breaks, or fewer, still come with probability `1 - confidence`.
    """
    if trials == 0 or breaks >= trials:
        return 1.0
    low, high = breaks / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(breaks, trials, middle) > 1 - confidence else (low, middle)
    return high


def at_most(successes: int, trials: int, rate: float) -> float:
    """The probability of at most so many successes (binomial)."""
    if rate <= 0:
        return 1.0
    if rate >= 1:
        return 1.0 if successes >= trials else 0.0
    log_odds = [
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * math.log(rate) + (trials - k) * math.log1p(-rate)
        for k in range(successes + 1)
    ]
    return min(1.0, math.fsum(math.exp(term) for term in log_odds))


def tail_index(largest: Sequence[float]) -> float:
    """
    Estimate how heavy a tail is from its largest values, the largest first: Hill's estimator on the logarithms.

    Returns:
        0 for values that do not spread; 1 means that a bound ten times as far is exceeded a tenth as often.
    """
    positive = [value for value in largest if value > 0]
    if len(positive) < 3:
        return math.inf
    threshold = math.log(positive[-1])
    return math.fsum(math.log(value) - threshold for value in positive[:-1]) / (len(positive) - 1)
