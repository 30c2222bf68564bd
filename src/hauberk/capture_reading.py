"""One capture read: looked at, masked, narrowed to the hosts of its zone, and written to where its rows wait to be complete."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import select

from hauberk.config import Settings
from hauberk.discovery.sightings import zone_of_host
from hauberk.errors import InvalidCapture, StorageError
from hauberk.operation import MAX_HOST_CHARACTERS
from hauberk.storage.capture_imports import tell_import
from hauberk.storage.database import Database
from hauberk.storage.import_tables import CaptureImport
from hauberk.storage.models import Zone, now
from hauberk.storage.session_identifiers import session_identifiers
from hauberk.traffic import files
from hauberk.traffic.masking_key import masking_key
from hauberk.traffic.segments import SegmentFolder
from hauberk.traffic.staging import StagedRows
from hauberk.traffic.unpacking import check_unpacked

CAPTURE = "capture"
"""The file's name in its folder."""

TELL_SECONDS = 1.0
MAX_HOSTS_TOLD = 20
MAX_HOSTS_COUNTED = 10_000
MAX_UNREADABLE_TOLD = 10
AUTHORIZATION = "header:authorization"


class Cancelled(Exception):
    """Nobody wants it any more, or this control plane stops."""


class CaptureReading:
    """
    A capture while it is read.

    Args:
        row: As it was submitted.

        folder: Holds the file, and what is made of it.

        database: Keeps how far it is.

        settings: Name the limits.

        goes_on: Called now and then; what it raises ends the reading.
    """

    def __init__(self, row: CaptureImport, folder: Path, database: Database, settings: Settings, goes_on: Callable[[], None]) -> None:
        self.row = row
        self.database = database
        self.settings = settings
        self.goes_on = goes_on
        self.staged = StagedRows(folder)
        self.file = folder / CAPTURE
        self.hosts: Counter[str] = Counter()
        self.hosts_left_out: Counter[str] = Counter()
        self.kept = self.other_hosts = self.bytes_read = 0
        self.reports: list[files.FileReport] = []
        self._told = 0.0

    def begin(self) -> None:
        """Look how large the capture is."""
        self._tell_now(state="running", phase="checking", started_at=now())
        check_unpacked(self.file, self.settings.traffic.max_import_bytes, self._tell)
        self._tell_now(phase="reading")

    def read(self) -> dict[str, Any]:
        """Write the capture's rows to where they wait, and tell what it came to."""
        store = self.staged.store(self.row.id)
        try:
            with closing(files.read([self.file], self._options(), self.reports)) as batches:
                written = store.import_rows(self._lines(batches), self._is_wanted())
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

    def keep(self, target: SegmentFolder, outcome: Mapping[str, Any]) -> None:
        """
        Put the rows into the store.

        Args:
            target: The store.

            outcome: What `read` has told, for whoever has to finish this.
        """
        self._tell_now(phase="keeping", **outcome)
        self.staged.complete()
        try:
            self.staged.publish(target)
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
        with self.database.read() as session:
            identifiers = [str(identifier.normalised()) for identifier in session_identifiers(session, self.row.zone_id)]
        return files.ReadOptions(
            format=self.row.format,
            default_host=self.row.default_host,
            masking_key=masking_key(self.settings.state_dir),
            session_identifiers=identifiers or [AUTHORIZATION],
        )

    def _lines(self, batches: Iterator[files.Batch]) -> Iterator[bytes]:
        for batch in batches:
            yield batch.lines
            self.bytes_read = batch.read_bytes
            self._tell()

    def _is_wanted(self) -> Callable[[str, int], bool]:
        belongs = self._zone()

        def is_wanted(host: str, transactions: int) -> bool:
            if belongs(host):
                self.kept += transactions
                _count(self.hosts, host, transactions)
                return True
            self.other_hosts += transactions
            _count(self.hosts_left_out, host, transactions)
            return False

        return is_wanted

    def _zone(self) -> Callable[[str], bool]:
        with self.database.read() as session:
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
        self.goes_on()
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._tell_now()

    def _tell_now(self, **values: Any) -> None:
        self._told = time.monotonic()
        with self.database.write() as session:
            if not tell_import(session, self.row.id, **{**self.counts(), **values}):
                raise Cancelled


def _count(hosts: Counter[str], host: str, transactions: int) -> None:
    """Count transactions of a host by what can be told of it: a name from outside may be of any length, and hold what is no character."""
    told = host[:MAX_HOST_CHARACTERS].encode(errors="replace").decode()
    if told in hosts or len(hosts) < MAX_HOSTS_COUNTED:
        hosts[told] += transactions
