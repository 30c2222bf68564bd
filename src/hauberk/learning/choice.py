"""
What could be said at one place, the tightest first, and which of it a schema dares to say.

A statement is not either made or left out: where the tightest is too risky a wider one may do. All choices of an operation together have to
keep within its budget, so those that risk most are widened first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from hauberk.learned_schema import Evidence, Statement
from hauberk.learning.priors import Prior

SAYS_ALL = frozenset({"enum", "format"})

# How much more than other statements one may risk. Types and characters are what stops attacks; bounds only keep out what is merely
# odd, and are
# broken in bursts: one long value is followed by more. In a path a number is often one of several things that were taken for one variable.
WORTH_OF_PATH_NUMBER = 3.0
WORTH = {
    "type in json": 10.0,
    "type in query": 3.0,
    "pattern": 4.0,
    "maxLength": 0.05,
    "maxItems": 0.2,
    "maximum": 0.2,
    "minimum": 0.5,
    "closed": 0.05,
}


# How much less the first of options may risk of which the second stops as much.
HEDGE = 100


@dataclass(frozen=True, slots=True)
class Basis:
    """What the statements of a place rest on."""

    samples: int
    sessions: int
    days: int

    share: float = 1.0
    """Of requests, that have a value at this place: a value that does not come breaks nothing."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of the statements that could be made."""

    keyword: str
    value: Any

    probability: float
    """That the next value breaks it."""

    statistic: str

    needs: int | None = None
    """How many more samples it takes, if that can be told; for options that are not confident."""

    prior: Prior | None = None
    """What the probability rests on."""

    schema: tuple[tuple[str, Any], ...] | None = None
    """What stands in the schema, if it is other than keyword and value."""

    weighed: float = field(init=False, compare=False)
    """Its probability, beside that of other statements. Settling asks for it time and again."""

    def __post_init__(self) -> None:
        """Weigh it."""
        object.__setattr__(self, "weighed", self._weighed())

    @classmethod
    def by(
        cls, prior: Prior, keyword: str, value: Any, samples: int, risk: float, statistic: str, *, at_least: float = 0.0, **more: Any
    ) -> Option:
        """
        Judge a statement by what is known of its like.

        Args:
            prior: What is known.

            keyword: Of the statement.

            value: Of the statement.

            samples: How many keep it.

            risk: The most that is risked, for `needs`.

            statistic: What was computed, in words.

            at_least: The probability by another reckoning; the larger one counts.
        """
        probability = max(prior.next_breaks(samples), at_least)
        return cls(keyword, value, probability, statistic, prior.needs(samples, risk), prior, **more)

    def _weighed(self) -> float:
        if self.prior is None:  # reckoned from the operation's own requests
            return self.probability
        location = self.prior.contexts[0] if self.prior.contexts else ""
        is_number = self.keyword == "type" or self.prior.statement == "rung digits digits"
        if is_number and location == "path":
            return self.probability / WORTH_OF_PATH_NUMBER
        # A variable of a path names something, elsewhere a text may be anything.
        keyword = f"type in {location}" if self.keyword == "type" else self.keyword
        return self.probability / (1.0 if keyword == "pattern" and location != "path" else WORTH.get(keyword, 1.0))

    def keywords(self) -> dict[str, Any]:
        """What the schema says."""
        return {self.keyword: self.value} if self.schema is None else dict(self.schema)


@dataclass(slots=True)
class Choice:
    """The statements of which one is made, or none."""

    pointer: str
    basis: Basis
    options: list[Option]
    at: int = 0
    """Which one is made; beyond the last: none."""

    only_with: tuple[Choice, frozenset[Any]] | None = None
    """Another choice, and which of its values this one is about: of numbers nothing is said where a text is expected."""

    is_always_made: bool = False
    """
    Whether one of the options is taken at any rate, the widest if need be, and the budget left alone: what stops so much, and is broken so
    seldom, is the last to be given up.
    """

    is_hedged: bool = False
    """Whether the first option has to be far more likely to hold than others, because the second one stops as much."""

    unless: Choice | None = None
    """Another choice from which this one follows if it says anything of `SAYS_ALL`."""

    @property
    def made(self) -> Option | None:
        """What is said."""
        if self.at >= len(self.options) or self.is_void:
            return None
        return self.options[self.at]

    @property
    def is_void(self) -> bool:
        """Whether there is nothing that this choice could be about."""
        # Each is asked once: it asks the one above it, and so on up to the root.
        if self.only_with is not None:
            other, values = self.only_with
            made = other.made
            if made is None or not values.intersection(made.value):
                return True
        made = self.unless.made if self.unless else None
        return made is not None and made.keyword in SAYS_ALL

    @property
    def risk(self) -> float:
        """What the next request risks by it."""
        made = self.made
        return made.probability * self.basis.share if made else 0.0

    @property
    def weighed(self) -> float:
        """The same, weighed by what the statement is worth."""
        made = self.made
        return made.weighed * self.basis.share if made else 0.0

    def statements(self) -> Iterable[Statement]:
        """What is said, and before it what is not confident yet."""
        if self.is_void:
            return
        for index, option in enumerate(self.options[: self.at + 1]):
            is_made = index == self.at
            if not is_made and option.needs is None:
                continue
            evidence = Evidence(
                self.basis.samples,
                self.basis.sessions,
                self.basis.days,
                option.statistic,
                _rounded(option.probability * self.basis.share),
                None if is_made else option.needs,
            )
            yield Statement(self.pointer, option.keyword, option.value, evidence)


class Ledger:
    """All choices of an operation."""

    def __init__(self, relaxed: Collection[str] = ()) -> None:
        self.choices: list[Choice] = []
        self._relaxed = frozenset(relaxed)

    def choose(self, pointer: str, basis: Basis, options: Iterable[Option]) -> Choice:
        """Note what could be said at a place, the tightest first; what the owner relaxed is not among it."""
        kept = [option for option in options if f"{pointer} {option.keyword}" not in self._relaxed]
        choice = Choice(pointer, basis, kept)
        self.choices.append(choice)
        return choice

    def is_relaxed(self, rule: str) -> bool:
        """Whether the owner does not want a statement."""
        return rule in self._relaxed

    def settle(self, risk: float, budget: float) -> float:
        """
        Decide what is said.

        Args:
            risk: The most that a single statement may risk.

            budget: The most that all may risk together; either is weighed by what a statement is worth (`WORTH`).

        Returns:
            What they risk together, not weighed.
        """
        if self._take(risk, 1.0) <= budget:
            return self._risk()
        # The most that one statement may risk of the budget, so that all keep within it: what risks more is widened or left out.
        bounds = sorted({option.weighed * choice.basis.share for choice in self.choices for option in choice.options})
        low, high = 0, len(bounds)
        while low < high:
            middle = (low + high) // 2
            if self._take(risk, bounds[middle]) <= budget:
                low = middle + 1
            else:
                high = middle
        self._take(risk, bounds[low - 1] if low else -1.0)
        return self._risk()

    def _risk(self) -> float:
        return min(1.0, sum(choice.risk for choice in self.choices))

    def _take(self, risk: float, most: float) -> float:
        """Make the tightest statements that risk no more, and tell what they risk together, weighed."""
        total = 0.0
        for choice in self.choices:
            choice.at = 0
            for option in choice.options:
                most_risk = risk / HEDGE if choice.is_hedged and not choice.at else risk
                if option.weighed <= most_risk and (option.weighed * choice.basis.share <= most or (choice.is_always_made and choice.at)):
                    break
                choice.at += 1
            if choice.is_always_made:
                choice.at = min(choice.at, len(choice.options) - 1)
            else:
                total += choice.weighed
        return total


def _rounded(probability: float) -> float:
    """Two digits: more would feign an accuracy that nobody has."""
    return float(f"{min(max(probability, 0.0), 1.0):.2g}")
