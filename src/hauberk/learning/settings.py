"""How sure a statement must be before a schema makes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LearnOptions:
    """What an owner may ask of a learned schema."""

    confidence: float = 0.999
    """A statement is made only if the next legitimate request keeps it with at least this probability."""

    budget: float = 0.001
    """At most so large may the sum of what an operation's statements risk be, as a probability for each request."""

    min_samples: int = 1
    """With fewer samples nothing is stated of an operation but that it exists."""

    min_sources: int = 20
    """From so many sources on, what only a few of them sent moves no statement."""

    def __post_init__(self) -> None:
        if not 0.5 <= self.confidence < 1:
            raise ValueError("confidence must be from 0.5 to below 1")
        if not 0 < self.budget <= 1:
            raise ValueError("budget must be above 0 and at most 1")
        if self.min_samples < 1:
            raise ValueError("min_samples must be at least 1")

    @property
    def risk(self) -> float:
        """The most that a single statement may risk."""
        return 1 - self.confidence
