"""
Whom to believe: what only a few of many callers sent teaches nothing that others have not shown.

An attacker may get successful answers to attacks. Where callers can be told apart and there are many, what at most `fringe` of them sent
is left out,
if it lies far from what the others sent. Where nobody can be told apart nothing can be left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hauberk.learning.settings import LearnOptions

# Marks that code is injected with; elsewhere they are rare enough to ask for more than a few callers.
SUSPECT_MARKS = frozenset("\"'`<>;|&$\\{}()*%!#^") | {"control"}


@dataclass(frozen=True, slots=True)
class Trust:
    """Who may teach an operation something."""

    is_known: bool
    """Whether callers are told apart in nearly all requests."""

    min_sources: int

    @classmethod
    def of(cls, profile: Mapping[str, Any], options: LearnOptions) -> Trust:
        """Look at who called an operation."""
        return cls(profile.get("identified", 0) >= 0.9 * max(1, profile["requests"]), options.min_sources)

    def fringe(self, sources: int) -> int:
        """So few of so many callers teach nothing alone; 0 where nothing can be left out."""
        return max(3, sources // 50) if self.is_known and sources >= self.min_sources else 0

    def is_fringe(self, support: Mapping[str, int], among: int) -> bool:
        """Tell whether something was sent by a few of `among` callers only."""
        fringe = self.fringe(among)
        return fringe > 0 and support["sources"] <= fringe

    def outermost(self, ends: Sequence[Sequence[Any]], among: int, far: float) -> tuple[float | None, int]:
        """
        Find the outermost value that is to be believed.

        Args:
            ends: Values and their callers, the outermost first, one a caller.

            among: How many callers there are.

            far: How many times the size of the next value counts as far outside.

        Returns:
            The value, and how many were left out.
        """
        if not ends:
            return None, 0
        left_out = 0
        for index in range(min(self.fringe(among), len(ends) - 1)):
            if abs(ends[index][0]) > far * max(1, abs(ends[index + 1][0])):
                left_out = index + 1
        return ends[left_out][0], left_out
