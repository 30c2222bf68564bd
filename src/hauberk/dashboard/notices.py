"""
What visitors are told after a change, and how they can take it back: kept for an hour, for the session that made the change.

It lives in memory: after a restart of the control plane a change stays made, and its button is gone.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

KEEP_SECONDS = 3600
MAX_NOTICES = 2000
# All that undos would send, together: one may hold a whole document.
MAX_CHARACTERS = 64_000_000


@dataclass(frozen=True)
class Left:
    """
    What a change has left behind, as a REST resource tells it.

    Attributes:
        path: The resource.

        read: Takes out of its result what the change was about.

        seen: What that was after the change.

        query: Parameters of the resource.
    """

    path: str
    read: Callable[[Any], Any]
    seen: Any
    query: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Undo:
    """
    REST calls that take a change back.

    Attributes:
        calls: `(method, path, JSON body or None)`, played in order.

        label: The button's text.

        address: Where to send the visitor afterwards, if the page that tells of the change is then gone.

        left: What has to be there still, or somebody has changed it since and nothing is taken back. Not needed where the calls themselves
            say what they are `instead_of`, or where the change could go one way only.
    """

    calls: tuple[tuple[str, str, Any], ...]
    label: str = "Undo"
    address: str = ""
    left: Left | None = None

    @classmethod
    def call(cls, method: str, path: str, json: Any = None, label: str = "Undo", left: Left | None = None) -> Undo:
        """Make one of a single call."""
        return cls(((method, path, json),), label, left=left)


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
        self._kept: OrderedDict[tuple[str, str], tuple[float, int, Notice]] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def add(self, session_id: str, notice: Notice) -> str:
        """Keep a notice; the answer is its key, which the address carries."""
        key = secrets.token_urlsafe(9)
        characters = len(json.dumps(notice.undo.calls)) if notice.undo is not None else 0
        with self._lock:
            self._kept[session_id, key] = (self._clock(), characters, replace(notice, key=key))
            self._characters += characters
            while self._has_too_many():
                _, (_, gone, _) = self._kept.popitem(last=False)
                self._characters -= gone
        return key

    def find(self, session_id: str, key: str) -> Notice | None:
        """Give a notice of this session, if it is not too old."""
        with self._lock:
            at, _, notice = self._kept.get((session_id, key), (0.0, 0, None))
            return notice if notice is not None and self._clock() - at < KEEP_SECONDS else None

    def take(self, session_id: str, key: str) -> tuple[Notice, Undo] | None:
        """Give a notice of this session with its undo, to nobody else any more: of two clicks one takes the change back."""
        notice = self.find(session_id, key)
        with self._lock:
            at, characters, now = self._kept.get((session_id, key), (0.0, 0, None))
            if notice is None or now is None or now.undo is None:
                return None
            self._kept[session_id, key] = (at, 0, replace(now, undo=None))
            self._characters -= characters
            return notice, now.undo

    def _has_too_many(self) -> bool:
        oldest, _, _ = next(iter(self._kept.values()))
        return (
            len(self._kept) > MAX_NOTICES
            or self._clock() - oldest >= KEEP_SECONDS
            or (self._characters > MAX_CHARACTERS and len(self._kept) > 1)
        )
