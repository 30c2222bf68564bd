"""Tells which requests learning has held back, so that schemas can be tried on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hauberk.operation import OperationKey
from hauberk.profile_keeping import Learner

# A learner only says whether it takes a request; so that what it remembers stays small it is made anew after so many.
LEARNER_ROWS = 50_000


class HeldBack:
    """
    The requests that were held back: a learner that holds back does not take such a one, and one that does not takes it.

    Args:
        learner: Makes a learner.

        operations: The operations.

        rules: What else decides.
    """

    def __init__(self, learner: Callable[..., Learner], operations: Sequence[OperationKey], rules: Mapping[str, Any]) -> None:
        self._learner = learner
        self._rules = {**rules, "operations": [tuple(key) for key in operations]}
        self._learners: list[Learner] = []
        self._fed = 0

    def has(self, line: bytes) -> bool:
        """Tell whether a request, a line of JSON, was held back."""
        if self._fed % LEARNER_ROWS == 0:
            self._learners = [self._learner(**self._rules, held_back=held_back) for held_back in (True, False)]
        self._fed += 1
        holding, other = self._learners
        return holding.feed(line) == 0 and other.feed(line) > 0
