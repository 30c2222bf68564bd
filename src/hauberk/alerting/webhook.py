"""
Posts messages to a URL, from a thread of its own: whoever has one to send never waits.

A message is tried several times, longer and longer apart, and comes at least once: a receiver whose answer got lost sees it again under the
same id. Each is signed, so that the receiver can tell it from a stranger's:

    X-Hauberk-Signature: t=1767225600,v1=<hexadecimal HMAC-SHA256 of "1767225600." and the body>
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from prometheus_client import CollectorRegistry, Counter

log = logging.getLogger(__name__)

SIGNATURE_HEADER = "X-Hauberk-Signature"
ID_HEADER = "X-Hauberk-Alert"
LONGEST_WAIT_SECONDS = 300.0
STOP_SECONDS = 2.0
# Answers that another try can change; any other refusal is final.
TRY_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True)
class WebhookSettings:
    """Where messages go, and how patiently."""

    url: str
    secret: bytes | None
    """Signs them; without one they are not signed."""

    timeout_seconds: float = 10
    tries: int = 6
    first_wait_seconds: float = 1
    """Before the second try; before each later one twice as long, and up to half more by chance."""

    queue_length: int = 1000


def signature(secret: bytes, at: int, body: bytes) -> str:
    """Sign a body that is sent at a time (seconds since 1970), as the header has it."""
    return f"t={at},v1={hmac.new(secret, b'%d.' % at + body, hashlib.sha256).hexdigest()}"


class Webhook:
    """
    The way to one URL.

    Args:
        settings: Where and how.

        delivered: Called with the id of each message that was taken, from this thread.

        registry: Where it counts.
    """

    def __init__(self, settings: WebhookSettings, delivered: Callable[[str], None], registry: CollectorRegistry) -> None:
        self.settings = settings
        self.delivered = delivered
        self._queue: queue.Queue[tuple[str, bytes] | None] = queue.Queue(settings.queue_length)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._outcomes = Counter("hauberk_webhook_messages", "Alerts for the webhook", ("outcome",), registry=registry)
        self._tries = Counter("hauberk_webhook_failed_tries", "Tries the webhook has not answered well", registry=registry)
        for outcome in ("delivered", "failed", "dropped"):
            self._outcomes.labels(outcome)

    def start(self) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End that; what was not sent waits in the database for the next start."""
        self._stopping.set()
        with contextlib.suppress(queue.Full):  # then the thread is awake
            self._queue.put_nowait(None)
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def offer(self, id_: str, message: Mapping[str, Any]) -> bool:
        """Take a message to send soon; false if too many wait, and it was dropped."""
        try:
            self._queue.put_nowait((id_, json.dumps(message, ensure_ascii=False).encode(errors="replace")))
        except queue.Full:
            self._outcomes.labels("dropped").inc()
            log.warning("an alert is not sent to the webhook: too many wait", extra={"alert_id": id_})
            return False
        return True

    def _run(self) -> None:
        with httpx.Client(timeout=self.settings.timeout_seconds, follow_redirects=False) as client:
            while not self._stopping.is_set():
                waiting = self._queue.get()
                if waiting is None:
                    return
                try:
                    self._deliver(client, *waiting)
                except Exception:
                    log.exception("an alert was not sent to the webhook", extra={"alert_id": waiting[0]})

    def _deliver(self, client: httpx.Client, id_: str, body: bytes) -> None:
        for attempt in range(self.settings.tries):
            trouble, again = self._try(client, id_, body)
            if trouble is None:
                self._outcomes.labels("delivered").inc()
                self.delivered(id_)
                return
            self._tries.inc()
            last = attempt == self.settings.tries - 1 or not again
            log.warning(
                "the webhook has not taken an alert", extra={"alert_id": id_, "reason": trouble, "tried": attempt + 1, "last": last}
            )
            if last or self._stopping.wait(self._wait_seconds(attempt)):
                break
        if not self._stopping.is_set():
            self._outcomes.labels("failed").inc()

    def _try(self, client: httpx.Client, id_: str, body: bytes) -> tuple[str | None, bool]:
        """Give what went wrong, nothing if all went well, and whether another try can help."""
        headers = {"Content-Type": "application/json", "User-Agent": "hauberk", ID_HEADER: id_}
        if self.settings.secret is not None:
            headers[SIGNATURE_HEADER] = signature(self.settings.secret, int(time.time()), body)
        try:
            # What it answers is not read: nobody needs it, and it could be without end.
            with client.stream("POST", self.settings.url, content=body, headers=headers) as answer:
                status = answer.status_code
        except httpx.HTTPError as error:
            return type(error).__name__, True
        if 200 <= status < 300:
            return None, False
        return f"it answered {status}", status >= 500 or status in TRY_AGAIN

    def _wait_seconds(self, attempt: int) -> float:
        longest: float = min(self.settings.first_wait_seconds * 2**attempt, LONGEST_WAIT_SECONDS)
        return longest * (1 + random.random() / 2)  # noqa: S311 - so that several control planes do not come at once
