"""
How likely a statement is broken by the next value, before an operation has told enough itself.

Most operations have been seen a few times only. That a parameter was an integer three times says little; that parameters which were an integer
three times stay so in other APIs says nearly all there is to know. The table `priors.json` holds what was counted over recordings of many APIs
(`training/learning`): for each kind of statement a Beta distribution of the rate at which it is broken, and factors by which contexts differ
from the whole, such as the location, what the name promises, or its last word.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from hauberk.learning.statistics import next_breaks, samples_needed


@dataclass(frozen=True, slots=True)
class Prior:
    """The rate at which a kind of statement is broken: a Beta distribution."""

    statement: str
    contexts: tuple[str, ...]
    a: float
    b: float

    def next_breaks(self, clean: int) -> float:
        """The probability that the next value breaks it after so many that did not."""
        return next_breaks(self.a, self.b, clean)

    def needs(self, clean: int, risk: float) -> int:
        """How many more values it takes until that is at most `risk`."""
        return samples_needed(self.a, self.b, clean, risk)


@cache
def _table() -> dict[str, dict[str, object]]:
    text = resources.files("hauberk.learning").joinpath("priors.json").read_text("utf-8")
    table: dict[str, dict[str, object]] = json.loads(text)["statements"]
    return table


def prior(statement: str, contexts: Sequence[str]) -> Prior:
    """
    Look up the prior of a statement.

    Args:
        statement: E.g. `kinds` or `rung identifier`.

        contexts: From the widest to the narrowest; the factors of those that are known are multiplied.

    Raises:
        KeyError: If there is no such statement.
    """
    entry = _table()[statement]
    a, b, factors = entry["a"], entry["b"], entry["factors"]
    assert isinstance(a, float | int)
    assert isinstance(b, float | int)
    assert isinstance(factors, dict)
    for context in contexts:
        a *= factors.get(context, 1.0)
    return Prior(statement, tuple(contexts), float(a), float(b))
