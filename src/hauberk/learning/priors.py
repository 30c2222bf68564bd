"""
How likely a statement is broken by the next value, before an operation has told enough itself.

Most operations have been seen a few times only. That a parameter was an integer three times says little; that parameters which were an
integer
three times stay so in other APIs says nearly all there is to know. The table `priors.json` holds what was counted over recordings of many
APIs
(`training/learning`): for each kind of statement a Beta distribution of the rate at which it is broken, and factors by which contexts
differ
from the whole, such as the location, what the name promises, or its last word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class _Entry:
    a: float
    b: float
    factors: Mapping[str, float]


# A statement that was never tried: broken as likely as not at first, so that only what an operation itself has shown can make it.
_UNTRIED = _Entry(1.0, 1.0, {})


@cache
def _table() -> Mapping[str, _Entry]:
    text = resources.files("hauberk.learning").joinpath("priors.json").read_text("utf-8")
    return {name: _Entry(entry["a"], entry["b"], entry["factors"]) for name, entry in json.loads(text)["statements"].items()}


def prior(statement: str, contexts: Sequence[str]) -> Prior:
    """
    Look up the prior of a statement.

    Args:
        statement: E.g. `kinds` or `rung identifier name`.

        contexts: From the widest to the narrowest; the factors of those that are known are multiplied.
    """
    entry = _table().get(statement, _UNTRIED)
    a = entry.a
    for context in contexts:
        a *= entry.factors.get(context, 1.0)
    return Prior(statement, tuple(contexts), a, entry.b)
