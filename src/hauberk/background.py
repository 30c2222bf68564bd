"""Work on each zone that a control plane does in the background: a thread, whose turn it is, and how it ends."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.errors import HauberkError
from hauberk.holders import has_ended, holder_name
from hauberk.storage.database import Database
from hauberk.storage.leases import LeasedRun, end_lease, lease_owners, renew_lease
from hauberk.storage.models import Zone

log = logging.getLogger(__name__)

# Another control plane may have been asked for the work, so the wait is short even where it is due seldom.
LOOK_SECONDS = 2.0
STOP_SECONDS = 10.0

GONE = "the control plane that was at it has ended"


class LeaseLost(Exception):
    """Another control plane does the work now, or this one stops."""


@contextmanager
def leased(database: Database, table: type[LeasedRun], zone_id: str, owner: str, **progress: Any) -> Iterator[Session]:
    """
    Write what work on a zone has come to, in a transaction that renews the lease.

    Raises:
        LeaseLost: If another control plane has it by now; nothing is written then.
    """
    with database.write() as session:
        if not renew_lease(session, table, zone_id, owner, **progress):
            raise LeaseLost
        yield session


class ZoneWork(ABC):
    """
    A thread that does its work on each zone when it is due.

    Args:
        database: Knows the zones.

        title: The thread's name.

        every_seconds: How often work on a zone is due.
    """

    runs: type[LeasedRun]
    """The table that says who is at it."""

    def __init__(self, database: Database, title: str, every_seconds: int) -> None:
        self.database = database
        self.name = holder_name()
        """Tells this control plane from others on the same database."""
        self._title = title
        self._look_seconds = min(every_seconds, LOOK_SECONDS)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether there is anything to work with."""

    @abstractmethod
    def is_due(self, session: Session, zone_id: str) -> bool:
        """Tell whether it is time to work on a zone."""

    @abstractmethod
    def work_on(self, zone_id: str) -> None:
        """Do the work on a zone now; what it raises is logged."""

    def start(self) -> None:
        """Begin to work in the background."""
        self._thread = threading.Thread(target=self._run, name=self._title, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End that; work under way is left unfinished, and done by whoever comes next. What takes long is not waited for."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def wake(self) -> None:
        """Look at once whether work is due."""
        self._wake.set()

    def _run(self) -> None:
        self._free_what_was_left()
        while not self._stopping.is_set():
            self._wake.clear()
            if self.is_ready():
                for zone_id in self._due():
                    if not self._stopping.is_set():
                        self._work_quietly(zone_id)
            self._wake.wait(self._look_seconds)

    def _free_what_was_left(self) -> None:
        """Say of work that a process of this machine was at when it was killed that it has failed, instead of waiting for its lease."""
        try:
            with self.database.write() as session:
                for zone_id, owner in lease_owners(session, self.runs).items():
                    if has_ended(owner, self.name):
                        end_lease(session, self.runs, zone_id, owner, error=GONE)
        except HauberkError as error:
            log.warning("what a killed control plane was at is not cleared up", extra={"work": self._title, "reason": error.message})

    def _due(self) -> list[str]:
        try:
            with self.database.read() as session:
                return [zone_id for zone_id in session.scalars(select(Zone.id).order_by(Zone.name)) if self.is_due(session, zone_id)]
        except Exception:
            log.exception("it cannot be told which zones are due", extra={"work": self._title})
            return []

    def _work_quietly(self, zone_id: str) -> None:
        try:
            self.work_on(zone_id)
        except Exception:
            log.exception("work on a zone was not done", extra={"work": self._title, "zone_id": zone_id})
