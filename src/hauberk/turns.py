"""Costly work in turns: little of it at a time, few who wait, and whoever comes beyond is sent away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hauberk.errors import TooManyRequests


class Turns:
    """
    Bounds what is done in many threads.

    Args:
        at_once: How many may do it at a time.

        waiting: How many may wait for that.

        refusal: What to tell those beyond.

        retry_after_seconds: When they may try again.
    """

    def __init__(self, at_once: int, waiting: int, refusal: str, retry_after_seconds: float) -> None:
        self._working = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._refusal = refusal
        self._retry_after_seconds = retry_after_seconds

    @contextmanager
    def turn(self) -> Iterator[None]:
        """
        Wait for one's turn, and have it until the end of the block.

        Raises:
            TooManyRequests: If too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise TooManyRequests(self._refusal, self._retry_after_seconds)
        try:
            with self._working:
                yield
        finally:
            self._places.release()
