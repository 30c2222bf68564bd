"""
What visitors are told after a change, and how they can take it back: kept for an hour, for the session that made the change.

It lives in memory: after a restart of the control plane a change stays made, and its button is gone.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

KEEP_SECONDS = 3600
MAX_NOTICES = 2000


@dataclass(frozen=True)
class Undo:
    """
    REST calls that take a change back.

    Attributes:
        calls: `(method, path, JSON body or None)`, played in order.

        label: The button's text.

        address: Where to send the visitor afterwards, if the page that tells of the change is then gone.
    """

    calls: tuple[tuple[str, str, Any], ...]
    label: str = "Undo"
    address: str = ""

    @classmethod
    def call(cls, method: str, path: str, json: Any = None, label: str = "Undo") -> Undo:
        """Make one of a single call."""
        return cls(((method, path, json),), label)


@dataclass(frozen=True)
class Notice:
    """What a visitor is told."""

    text: str
    kind: str
    version: int | None
    """The snapshot that holds the change; the page tells when all gateways enforce it."""

    undo: Undo | None
    address: str
    """Where the visitor was sent."""

    key: str = ""


class Notices:
    """
    Notices by session.

    Args:
        clock: Seconds that only go up.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], tuple[float, Notice]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, session_id: str, notice: Notice) -> str:
        """Keep a notice; the answer is its key, which the address carries."""
        key = secrets.token_urlsafe(9)
        with self._lock:
            self._kept[session_id, key] = (self._clock(), replace(notice, key=key))
            while len(self._kept) > MAX_NOTICES:
                self._kept.popitem(last=False)
        return key

    def find(self, session_id: str, key: str) -> Notice | None:
        """Give a notice of this session, if it is not too old."""
        with self._lock:
            at, notice = self._kept.get((session_id, key), (0.0, None))
            return notice if notice is not None and self._clock() - at < KEEP_SECONDS else None

    def forget_undo(self, session_id: str, key: str) -> None:
        """Note that a notice's change was taken back."""
        with self._lock:
            if (session_id, key) in self._kept:
                at, notice = self._kept[session_id, key]
                self._kept[session_id, key] = (at, replace(notice, undo=None))
