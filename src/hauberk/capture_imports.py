"""
Brings captures that were sent over REST into the traffic store: a thread of the control plane, one capture at a time.

A capture waits in a folder of its own below the state folder, and what is read of it is written there first. Only when it was read to its
end do its rows go to the store, all of them; one that is cancelled or fails leaves nothing there, and neither does a control plane that is
killed meanwhile, since the next one clears the folders up (or moves rows that were complete).
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from hauberk.config import Settings
from hauberk.discovery.sightings import zone_of_host
from hauberk.errors import Conflict, HauberkError, InvalidCapture, StorageError
from hauberk.operation import MAX_HOST_CHARACTERS
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
from hauberk.storage.models import Zone, new_hex_id, now
from hauberk.storage.session_identifiers import session_identifiers
from hauberk.traffic import files
from hauberk.traffic.masking_key import masking_key
from hauberk.traffic.staging import StagedRows
from hauberk.traffic.store import TrafficStore
from hauberk.traffic.unpacking import check_unpacked

log = logging.getLogger(__name__)

FOLDER = "imports"
CAPTURE = "capture"
# Each is a file of up to `traffic.max_import_bytes`.
MAX_WAITING = 5
TELL_SECONDS = 1.0
LOOK_SECONDS = 60.0
STOP_SECONDS = 10.0
MAX_HOSTS_TOLD = 20
MAX_HOSTS_COUNTED = 10_000
MAX_UNREADABLE_TOLD = 10
AUTHORIZATION = "header:authorization"


class Cancelled(Exception):
    """Nobody wants it any more, or this control plane stops."""


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
        try:
            reading = _Reading(self, row)
            try:
                reading.begin()
                outcome = reading.read()
                reading.keep()
                self._tell(row.id, state="done", phase=None, finished_at=now(), **outcome)
            except Cancelled:
                if self.stopping.is_set():
                    self._tell(row.id, state="failed", phase=None, finished_at=now(), error="the control plane was stopped")
            except Exception as error:
                reason = error.message if isinstance(error, HauberkError) else type(error).__name__
                if not isinstance(error, HauberkError):
                    log.exception("a capture was not imported", extra={"import_id": row.id})
                self._tell(row.id, state="failed", phase=None, finished_at=now(), error=reason, **reading.counts())
        finally:
            self.discard(row.id)

    def _tell(self, import_id: str, **values: Any) -> bool:
        with self.database.write() as session:
            return tell_import(session, import_id, **values)

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
                    self._tell(folder.name, state="done", phase=None, finished_at=now())
                else:
                    self._tell(folder.name, state="failed", phase=None, finished_at=now(), error=GONE)
            except HauberkError as error:  # the folder stays for the next start
                log.warning("an import that was cut short is not cleared up", extra={"import_id": folder.name, "reason": error.message})
                continue
            self.discard(folder.name)


class _Reading:
    """A capture while it is read."""

    def __init__(self, imports: CaptureImports, row: CaptureImport) -> None:
        self.imports = imports
        self.row = row
        self.staged = StagedRows(imports.folder / row.id)
        self.file = imports.folder / row.id / CAPTURE
        self.hosts: Counter[str] = Counter()
        self.hosts_left_out: Counter[str] = Counter()
        self.kept = self.other_hosts = self.bytes_read = 0
        self.reports: list[files.FileReport] = []
        self._told = 0.0

    def begin(self) -> None:
        """Look how large the capture is."""
        self._tell_now(state="running", phase="checking", started_at=now())
        settings = self.imports.settings
        check_unpacked(self.file, settings.traffic.max_import_bytes, self._tell)
        self._tell_now(phase="reading")

    def read(self) -> dict[str, Any]:
        """Write the capture's rows to where they wait, and tell what it came to."""
        store = self.staged.store(self.row.id)
        try:
            with closing(files.read([self.file], self._options(), self.reports)) as batches:
                written = store.import_rows(self._of_the_zone(batches))
        except InvalidCapture as error:
            raise InvalidCapture(error.message.removeprefix(f"{self.file}: ")) from None
        lost = store.dropped + store.waiting
        if lost:
            raise StorageError(f"{lost} transactions could not be written; nothing of the capture was kept")
        hours = self.staged.hours()
        self.kept = written
        return self.counts() | {
            "bytes_read": self.row.bytes,
            "first_hour": hours and hours[0],
            "last_hour": hours and hours[1],
            "cut_short": self.reports[0].cut_short,
            "format": self.reports[0].format,
        }

    def keep(self) -> None:
        """Put the rows into the store."""
        self._tell_now(phase="keeping")
        self.staged.complete()
        try:
            self.staged.publish(self.imports.target)
        except StorageError:
            self.staged.discard()
            raise

    def counts(self) -> dict[str, Any]:
        """Tell what was read so far."""
        report = self.reports[0] if self.reports else None
        return {
            "bytes_read": self.bytes_read,
            "transactions": self.kept,
            "no_request": report.skipped if report else 0,
            "unreadable": report.bad if report else 0,
            "first_unreadable": [vars(bad) for bad in report.first_bad[:MAX_UNREADABLE_TOLD]] if report else [],
            "other_hosts": self.other_hosts,
            "hosts": dict(self.hosts.most_common(MAX_HOSTS_TOLD)),
            "hosts_left_out": dict(self.hosts_left_out.most_common(MAX_HOSTS_TOLD)),
        }

    def _options(self) -> files.ReadOptions:
        with self.imports.database.read() as session:
            identifiers = [str(identifier.normalised()) for identifier in session_identifiers(session, self.row.zone_id)]
        return files.ReadOptions(
            format=self.row.format,
            default_host=self.row.default_host,
            masking_key=masking_key(self.imports.settings.state_dir),
            session_identifiers=identifiers or [AUTHORIZATION],
        )

    def _of_the_zone(self, batches: Iterator[files.Batch]) -> Iterator[bytes]:
        belongs = self._zone()
        for batch in batches:
            for _, line in batch:
                host = str(json.loads(line)["host"])
                if belongs(host):
                    self.kept += 1
                    _count(self.hosts, host)
                    yield line
                else:
                    self.other_hosts += 1
                    _count(self.hosts_left_out, host)
            self.bytes_read = batch.read_bytes
            self._tell()

    def _zone(self) -> Callable[[str], bool]:
        with self.imports.database.read() as session:
            names = {zone.id: zone.name for zone in session.scalars(select(Zone))}
        known: dict[str, bool] = {}

        def belongs(host: str) -> bool:
            if host not in known:
                if len(known) >= MAX_HOSTS_COUNTED:
                    known.clear()
                known[host] = zone_of_host(host, names.values()) == names.get(self.row.zone_id)
            return known[host]

        return belongs

    def _tell(self) -> None:
        if self.imports.stopping.is_set():
            raise Cancelled
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._tell_now()

    def _tell_now(self, **values: Any) -> None:
        self._told = time.monotonic()
        with self.imports.database.write() as session:
            if not tell_import(session, self.row.id, **self.counts(), **values):
                raise Cancelled
            still_there(session, self.imports.submitted())


def _count(hosts: Counter[str], host: str) -> None:
    """Count a host by what can be told of it: a name from outside may be of any length, and hold what is no character."""
    told = host[:MAX_HOST_CHARACTERS].encode(errors="replace").decode()
    if told in hosts or len(hosts) < MAX_HOSTS_COUNTED:
        hosts[told] += 1
