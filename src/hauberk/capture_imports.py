"""
Brings captures that were sent over REST into the traffic store: a thread of the control plane, one capture at a time.

A capture waits in a folder of its own below the state folder, and what is read of it is written there first. Only when it was read to its
end do its rows go to the store, all of them; one that is cancelled or fails leaves nothing there, and neither does a control plane that is
killed meanwhile, since the next one clears the folders up (or moves rows that were complete).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hauberk.capture_reading import CAPTURE, Cancelled, CaptureReading
from hauberk.config import Settings
from hauberk.errors import Conflict, HauberkError, InvalidCapture, StorageError
from hauberk.storage.capture_imports import (
    GONE,
    add_import,
    cancel_import,
    import_json,
    still_there,
    tell_import,
    waiting_imports,
)
from hauberk.storage.database import Database
from hauberk.storage.import_tables import CaptureImport
from hauberk.storage.models import new_hex_id, now
from hauberk.traffic.staging import StagedRows
from hauberk.traffic.store import TrafficStore

log = logging.getLogger(__name__)

FOLDER = "imports"
# Each is a file of up to `traffic.max_import_bytes`.
MAX_WAITING = 5
LOOK_SECONDS = 60.0
SAY_SECONDS = 30.0
TRIES = 5
RETRY_SECONDS = 1.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Sent:
    """What is told of a capture by whoever sends it."""

    zone_id: str
    name: str
    format: str | None = None
    default_host: str | None = None


class CaptureImports:
    """
    Captures on their way to the traffic store.

    Args:
        database: Knows the zones, and keeps how far each is.

        settings: Name the state folder and the limits.

        store: Where the rows go.
    """

    def __init__(self, database: Database, settings: Settings, store: TrafficStore) -> None:
        self.database = database
        self.settings = settings
        self.target = store.folder
        self.folder = settings.state_dir / FOLDER
        self.stopping = threading.Event()
        self._sending: set[str] = set()
        self._submitted: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._said = 0.0

    def start(self) -> None:
        """Begin to work in the background, first of all on what an earlier process left; calling it again changes nothing."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="imports", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End that. What waits or is being read is told to have failed, and deleted."""
        self.stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def new_file(self) -> tuple[str, Path]:
        """
        Make an empty file for a capture, which only this user may read.

        Returns:
            The id its import will have, and the file. Whoever calls this calls `submit` or `discard` afterwards.

        Raises:
            Conflict: If as many wait as may.
            StorageError: If the file cannot be made.
        """
        self.start()
        import_id = new_hex_id()
        with self._lock:
            if len(self._sending | self._submitted) >= MAX_WAITING:
                raise Conflict(f"{MAX_WAITING} captures are being sent or wait to be imported, and no more may: send it when one is done")
            self._sending.add(import_id)
        file = self.folder / import_id / CAPTURE
        try:
            file.parent.mkdir(parents=True, mode=0o700)
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except OSError as error:
            self.discard(import_id)
            raise StorageError(f"the capture cannot be kept: {error.strerror}") from error
        return import_id, file

    def discard(self, import_id: str) -> None:
        """Delete what is there of a capture."""
        StagedRows(self.folder / import_id).discard()
        with self._lock:
            self._sending.discard(import_id)
            self._submitted.discard(import_id)

    def submit(self, import_id: str, sent: Sent) -> dict[str, Any]:
        """
        Have a capture imported, whose file is complete.

        Raises:
            InvalidCapture: If it is empty.
        """
        size = (self.folder / import_id / CAPTURE).stat().st_size
        if not size:
            raise InvalidCapture("the capture is empty: send the file's content as the body, or as the form's field 'file'")
        with self.database.write() as session:
            row = CaptureImport(
                id=import_id,
                zone_id=sent.zone_id,
                name=sent.name,
                format=sent.format,
                default_host=sent.default_host,
                state="waiting",
                bytes=size,
            )
            add_import(session, row)
            told = import_json(row)
        with self._lock:
            self._sending.discard(import_id)
            self._submitted.add(import_id)
        self._wake.set()
        return told

    def submitted(self) -> list[str]:
        """List the imports whose files are here."""
        with self._lock:
            return sorted(self._submitted)

    def cancel(self, zone_id: str, import_id: str) -> dict[str, Any]:
        """
        Cancel an import; nothing of it will be in the store.

        Raises:
            NotFound: If the zone has none of this id.
            Conflict: If it has ended, or its rows are being put into the store already.
        """
        with self.database.write() as session:
            told = import_json(cancel_import(session, zone_id, import_id))
        self._wake.set()
        return told

    def _run(self) -> None:
        self._clear_up()
        while not self.stopping.is_set():
            self._wake.clear()
            try:
                while (row := self._next()) is not None:
                    self._import(row)
            except Exception:
                log.exception("captures are not imported")
            self._wake.wait(LOOK_SECONDS)
        with self._lock:
            self._submitted.clear()
        self._clear_up()

    def _next(self) -> CaptureImport | None:
        """Give what is to be read next, and let go of what was cancelled while it waited."""
        if self.stopping.is_set():
            return None
        ids = self.submitted()
        with self.database.write() as session:
            still_there(session, ids)
            waiting = waiting_imports(session, ids)
        for import_id in {*ids}.difference(row.id for row in waiting):
            self.discard(import_id)
        return waiting[0] if waiting else None

    def _import(self, row: CaptureImport) -> None:
        reading = CaptureReading(row, self.folder / row.id, self.database, self.settings, self._goes_on)
        try:
            reading.begin()
            outcome = reading.read()
            reading.keep(self.target, outcome)
        except Cancelled:
            if self.stopping.is_set():
                self._end(row.id, "failed", error="the control plane was stopped")
        except Exception as error:
            reason = error.message if isinstance(error, HauberkError) else type(error).__name__
            if not isinstance(error, HauberkError):
                log.exception("a capture was not imported", extra={"import_id": row.id})
            self._end(row.id, "failed", error=reason, **reading.counts())
        else:
            self._end(row.id, "done", **outcome)
        finally:
            self.discard(row.id)

    def _goes_on(self) -> None:
        """Say that captures which wait are still here; stop reading if this control plane does."""
        if self.stopping.is_set():
            raise Cancelled
        if time.monotonic() - self._said > SAY_SECONDS:
            self._said = time.monotonic()
            with self.database.write() as session:
                still_there(session, self.submitted())

    def _end(self, import_id: str, state: str, **values: Any) -> None:
        """Tell how an import has ended; a database that is locked or full for a moment must not leave that untold."""
        for attempt in range(TRIES):
            try:
                with self.database.write() as session:
                    tell_import(session, import_id, state=state, phase=None, finished_at=now(), **values)
            except StorageError as error:
                log.warning("how an import has ended is not told yet", extra={"import_id": import_id, "reason": error.message})
                if attempt == TRIES - 1 or self.stopping.wait(RETRY_SECONDS):
                    return
            else:
                return

    def _clear_up(self) -> None:
        """Finish or take away what no thread works on."""
        if not self.folder.is_dir():
            return
        for folder in sorted(self.folder.iterdir()):
            with self._lock:
                if folder.name in self._sending | self._submitted:
                    continue
            staged = StagedRows(folder)
            try:
                if staged.is_complete:
                    staged.publish(self.target)
                    self._end(folder.name, "done")
                else:
                    self._end(folder.name, "failed", error=GONE)
            except HauberkError as error:  # the folder stays for the next start
                log.warning("an import that was cut short is not cleared up", extra={"import_id": folder.name, "reason": error.message})
                continue
            self.discard(folder.name)
