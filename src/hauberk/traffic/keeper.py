"""Takes what a gateway has sampled and keeps it in the store; tidies the store now and then."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path

from hauberk import _native
from hauberk.errors import StorageError
from hauberk.traffic.store import TrafficStore

log = logging.getLogger(__name__)

TAKEN_BYTES = 4 * 2**20
WAIT_SECONDS = 0.5
TIDY_SECONDS = 300
# What goes on for long is told this often.
TELL_SECONDS = 60
PENDING_FILE = "traffic-pending"


class TrafficKeeper:
    """
    Brings transactions from a gateway to a store.

    Args:
        core: The gateway.

        store: Where transactions are kept.

        state_dir: Holds the number of transactions that have gathered and are not written, so that those a kill takes are counted.

    Raises:
        StorageError: If the state folder cannot be written.
    """

    def __init__(self, core: _native.Gateway, store: TrafficStore, state_dir: Path) -> None:
        self.core = core
        self.store = store
        self.lost = 0
        """Transactions that were taken from the gateway and not kept, those of a run that was killed included."""
        self._told = 0
        self._seen_full = 0
        self._tells_again = 0.0
        self._pending = 0
        path = state_dir / PENDING_FILE
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            before = os.read(self._file, 32)
        except OSError as error:
            raise StorageError(f"the file {path} cannot be used: {error.strerror}") from error
        if before.strip().isdigit() and int(before):
            log.warning("transactions that had not been written are lost: the gateway was killed", extra={"transactions": int(before)})
            self._count_lost(int(before))
        self._note(0)

    def keep(self, stopping: threading.Event) -> None:
        """Take and keep until told to stop. Nothing that goes wrong ends it."""
        while not stopping.is_set():
            try:
                self._keep_some(WAIT_SECONDS)
            except Exception:
                log.exception("transactions were not kept")
                stopping.wait(WAIT_SECONDS)

    def tidy(self, stopping: threading.Event) -> None:
        """Delete what is old and merge what is small, now and every few minutes until told to stop."""
        while True:
            try:
                self.store.retain()
                self.store.compact()
            except Exception:
                log.exception("the traffic store was not tidied")
            if stopping.wait(TIDY_SECONDS):
                return

    def close(self) -> None:
        """Keep what the gateway still has, and write all that has gathered."""
        while self._keep_some(0):
            pass
        self.store.close()
        self._account()
        os.close(self._file)

    def _keep_some(self, wait_seconds: float) -> bool:
        lines = self.core.take_transactions(TAKEN_BYTES, wait_seconds)
        self.store.append(lines)
        self._account()
        return bool(lines)

    def _account(self) -> None:
        self._count_lost(self.store.dropped - self._told)
        self._told = self.store.dropped
        dropped = self.core.transactions_dropped
        if dropped != self._seen_full and time.monotonic() >= self._tells_again:
            log.warning(
                "transactions were dropped: more were sampled than could be masked and taken in time",
                extra={"transactions": dropped - self._seen_full, "dropped": dropped},
            )
            self._seen_full, self._tells_again = dropped, time.monotonic() + TELL_SECONDS
        if self.store.waiting != self._pending:
            self._note(self.store.waiting)

    def _count_lost(self, count: int) -> None:
        if count:
            self.lost += count
            self.core.transactions_lost(count)

    def _note(self, pending: int) -> None:
        """Write the number down. Not synchronised: it outlives the process, and need not outlive the machine."""
        self._pending = pending
        try:
            os.pwrite(self._file, b"%-20d\n" % pending, 0)
        except OSError:
            log.warning("the number of transactions that wait to be written could not be noted", exc_info=True)
