"""How often something may be tried: a few times at once, then after a wait that doubles with each failure."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_TRIES = 5
FIRST_WAIT_SECONDS = 1.0
# Failures are forgotten after so long without another.
FORGET_SECONDS = 3600.0
# A few megabytes. Beyond it those go first that failed the longest time ago.
MAX_KEYS = 20_000


@dataclass
class _Tries:
    failures: int = 0
    last: float = 0.0
    not_before: float = 0.0


class Throttle:
    """
    Counts the failures of each key, such as an address or a name.

    A try counts as a failure from its beginning, so that many at once gain nothing; `succeeded` takes that back.

    Args:
        longest_wait_seconds: However many failures there were.

        clock: Seconds that only go up.
    """

    def __init__(self, longest_wait_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest = longest_wait_seconds
        self._clock = clock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, key: str) -> float:
        """
        Begin a try, unless the key has to wait.

        Returns:
            How many seconds it has to wait; 0 if this is a try.
        """
        with self._lock:
            now = self._clock()
            tries = self._tries.get(key)
            if tries is not None and now < tries.not_before:
                return tries.not_before - now
            if tries is None or now - max(tries.last, tries.not_before) > FORGET_SECONDS:
                tries = _Tries()
            tries.failures += 1
            tries.last = now
            beyond = tries.failures - FREE_TRIES
            # The exponent is bounded: nobody waits for a number of a million digits.
            tries.not_before = now + (min(self._longest, FIRST_WAIT_SECONDS * 2.0 ** min(beyond, 32)) if beyond >= 0 else 0.0)
            self._tries[key] = tries
            self._tries.move_to_end(key)
            while len(self._tries) > MAX_KEYS:
                self._tries.popitem(last=False)
            return 0.0

    def succeeded(self, key: str, *, clear: bool) -> None:
        """
        Note that the try was no failure.

        Args:
            key: Who tried.

            clear: Whether the failures before it are forgotten as well.
        """
        with self._lock:
            tries = self._tries.get(key)
            if tries is None:
                return
            tries.failures -= 1
            tries.not_before = tries.last
            if clear or tries.failures <= 0:
                del self._tries[key]
