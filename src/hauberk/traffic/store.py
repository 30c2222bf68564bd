"""
The traffic store: takes transactions, keeps them as Parquet segments for so long and no more than so much, and answers questions.

Rows gather in memory until there are enough for a segment, or it is time. A kill loses what has gathered, and nothing else. Nothing here
is on the way of a request: whoever appends may wait for a disk.
"""

from __future__ import annotations

import itertools
import json
import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from hauberk.traffic.queries import Queries
from hauberk.traffic.segments import (
    HOUR_FORMAT,
    OTHER_HOSTS,
    REPLACES_SUFFIX,
    SCHEMA,
    SUFFIX,
    Segment,
    SegmentFolder,
    host_folder,
    table_of,
    time_of,
)

log = logging.getLogger(__name__)

# A caller who makes up host names must not make as many folders and files: so many hosts have a folder of their own in each hour.
MAX_HOSTS_PER_HOUR = 200
# Of so many hours it is known which those are; an import may bring old ones.
MAX_HOURS_KNOWN = 1000
# What cannot be written waits until so many segments' worth has gathered.
BUFFERED_SEGMENTS = 4
MERGE_FROM = 4
MAX_MERGED_BYTES = 64 * 2**20
# So long a question may take.
READ_WITHIN = timedelta(minutes=5)
# By then all that belongs to the hour has been written.
SETTLED_AFTER = timedelta(minutes=15)

Partition = tuple[str, datetime]


class TrafficStore(Queries):
    """
    A store of transactions.

    Args:
        store: A folder, a URL that `pyarrow` knows, or a file system of pyarrow.

        writer: Who writes, e.g. the gateway's id; writers merge segments of their own only. Default: nobody known.

        segment_bytes: A segment is written once so much has gathered, in bytes of JSON.

        flush_seconds: And after so long at the latest.

        keep_days: Rows older than this are deleted.

        max_bytes: The oldest hours are deleted when all segments together are larger.

    Raises:
        ConfigurationError: If the URL is none.
    """

    def __init__(
        self,
        store: str | Path | fs.FileSystem,
        *,
        writer: str | None = None,
        segment_bytes: int = 8 * 2**20,
        flush_seconds: float = 30,
        keep_days: int = 30,
        max_bytes: int = 5 * 2**30,
    ) -> None:
        super().__init__(SegmentFolder(store))
        self.writer = (writer or uuid.uuid4().hex)[:12].replace("-", "_")
        self.segment_bytes = segment_bytes
        self.flush_seconds = flush_seconds
        self.keep_days = keep_days
        self.max_bytes = max_bytes
        self.stored = 0
        """Rows written."""
        self.dropped = 0
        """Rows that could not be written, or were no transactions."""
        self._rows: dict[Partition, list[dict[str, Any]]] = defaultdict(list)
        self._bytes = 0
        self._oldest = time.monotonic()
        self._own_folders: dict[datetime, set[str]] = {}
        self._numbers = itertools.count()
        self._trouble = ""

    @property
    def waiting(self) -> int:
        """Rows that have gathered and are not written yet."""
        return sum(len(rows) for rows in self._rows.values())

    def append(self, lines: bytes) -> None:
        """Take masked transactions, each a line of JSON; write segments when it is time. Failure is counted and logged, never raised."""
        if not self._rows:
            self._oldest = time.monotonic()
        for line in lines.splitlines():
            if line:
                self._gather(line)
        if self._bytes >= self.segment_bytes or time.monotonic() - self._oldest >= self.flush_seconds:
            self.flush()

    def import_rows(self, lines: Iterable[bytes]) -> int:
        """Take many transactions, e.g. of a capture, and write all of them; returns how many were written."""
        before = self.stored
        for line in lines:
            self._gather(line)
            if self._bytes >= self.segment_bytes * BUFFERED_SEGMENTS:
                self.flush()
        self.flush()
        return self.stored - before

    def flush(self) -> None:
        """Write what has gathered. What cannot be written waits for the next time, until there is too much of it."""
        gathered, self._rows = self._rows, defaultdict(list)
        size, self._bytes = self._bytes, 0
        for (folder, hour), rows in self._in_few_folders(gathered).items():
            try:
                table = self._table(rows)
                if table.num_rows:
                    self.folder.write(f"host={folder}/hour={hour.strftime(HOUR_FORMAT)}", self._name(), table)
                self.stored += table.num_rows
                self._trouble = ""
            except (OSError, pa.ArrowException) as error:
                self._wait_or_drop((folder, hour), rows, size, error)
        self._bytes = size if self._rows else 0
        self._oldest = time.monotonic()

    def retain(self, now: datetime | None = None) -> int:
        """
        Delete what is too old or too much, the oldest hours first; returns how many segments that were.

        What was imported counts from when it was written. Other stores may delete at the same time.
        """
        now = now or datetime.now(UTC)
        try:
            self.folder.delete(self.folder.left_over(now))
            segments = self.folder.segments()
        except OSError as error:
            self._tell("the traffic store cannot be listed; nothing is deleted from it", error)
            return 0
        limit = now - timedelta(days=self.keep_days)
        old = [segment for segment in segments if max(segment.hour + timedelta(hours=1), segment.written_at) < limit]
        excess = sum(segment.bytes for segment in segments) - sum(segment.bytes for segment in old) - self.max_bytes
        gone = {segment.path for segment in old}
        too_much: list[Segment] = []
        for segment in segments:
            if excess <= 0:
                break
            if segment.path not in gone:
                too_much.append(segment)
                excess -= segment.bytes
        if too_much:
            log.warning(
                "the traffic store is full: its oldest hours were deleted",
                extra={"segments": len(too_much), "until": too_much[-1].hour.isoformat(), "max_bytes": self.max_bytes},
            )
        self._delete(old + too_much)
        return len(old) + len(too_much)

    def compact(self, now: datetime | None = None) -> int:
        """
        Merge this writer's small segments of each past hour into one; returns how many were merged.

        A note beside the merged segment names those it replaces, so that no row is read twice. They are deleted by a later call: a
        question that was asked before the merge can still read them.
        """
        now = now or datetime.now(UTC)
        merged = 0
        try:
            self._finish_merges(now)
            groups: dict[str, list[Segment]] = defaultdict(list)
            for segment in self.folder.segments(until=now - SETTLED_AFTER - timedelta(hours=1)):
                if segment.name.startswith(f"{self.writer}-"):
                    groups[segment.folder].append(segment)
            for folder, segments in groups.items():
                if len(segments) >= MERGE_FROM and sum(segment.bytes for segment in segments) <= MAX_MERGED_BYTES:
                    self._merge(folder, segments)
                    merged += len(segments)
        except (OSError, pa.ArrowException) as error:
            self._tell("segments of the traffic store were not merged", error)
        return merged

    def close(self) -> None:
        """Write what has gathered; what cannot be written now is lost, and counted."""
        self.flush()
        if lost := self.waiting:
            self._rows.clear()
            self._drop(lost, "the gateway ends and the traffic store cannot be written")

    def _gather(self, line: bytes) -> None:
        try:
            row = json.loads(line)
            at = time_of(row) or datetime.now(UTC)
            partition = (host_folder(str(row["host"])), at.replace(minute=0, second=0, microsecond=0))
        except (ValueError, TypeError, KeyError, AttributeError):
            self._drop(1, "it is no transaction")
            return
        self._rows[partition].append(row)
        self._bytes += len(line)

    def _table(self, rows: list[dict[str, Any]]) -> pa.Table:
        try:
            return table_of(rows)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            good = []
            for row in rows:  # one bad row must not take the others with it
                try:
                    good.append(table_of([row]))
                except (pa.ArrowException, ValueError, TypeError, OverflowError):
                    self._drop(1, "a member of it has another type than it should")
            return pa.concat_tables(good) if good else SCHEMA.empty_table()

    def _in_few_folders(self, gathered: dict[Partition, list[dict[str, Any]]]) -> dict[Partition, list[dict[str, Any]]]:
        """Give the hosts that came first in an hour, of those at once the busiest, folders of their own, and all others one together."""
        few: dict[Partition, list[dict[str, Any]]] = defaultdict(list)
        other = host_folder(OTHER_HOSTS)
        for (host, hour), rows in sorted(gathered.items(), key=lambda item: len(item[1]), reverse=True):
            own = self._own_folders.setdefault(hour, set())
            if len(own) < MAX_HOSTS_PER_HOUR:
                own.add(host)
            few[host if host in own else other, hour] += rows
        while len(self._own_folders) > MAX_HOURS_KNOWN:
            del self._own_folders[next(iter(self._own_folders))]
        return few

    def _name(self) -> str:
        return f"{self.writer}-{time.time_ns() // 1_000_000:013d}-{next(self._numbers) % 10_000:04d}{SUFFIX}"

    def _wait_or_drop(self, partition: Partition, rows: list[dict[str, Any]], size: int, error: Exception) -> None:
        if size < self.segment_bytes * BUFFERED_SEGMENTS:
            self._rows[partition] += rows
            self._tell("the traffic store cannot be written; transactions wait", error)
        else:
            self._drop(len(rows), f"the traffic store cannot be written: {_reason(error)}")

    def _drop(self, count: int, why: str) -> None:
        self.dropped += count
        if self._trouble != why:
            self._trouble = why
            log.error("transactions were dropped", extra={"reason": why, "transactions": count, "dropped": self.dropped})

    def _tell(self, what: str, error: Exception) -> None:
        """Log a recurring trouble when it is new."""
        reason = f"{what}: {_reason(error)}"
        if self._trouble != reason:
            self._trouble = reason
            log.warning(what, extra={"reason": _reason(error)})

    def _delete(self, segments: Iterable[Segment]) -> None:
        folders = set()
        for segment in segments:
            self.folder.delete([segment.path])
            folders.add(segment.folder)
        for folder in folders:
            self.folder.tidy(folder)
            self.folder.tidy(folder.rpartition("/")[0])

    def _merge(self, folder: str, segments: list[Segment]) -> None:
        tables = []
        for segment in segments:
            with self.folder.fs.open_input_file(segment.path) as stream:
                tables.append(_as_now(pq.read_table(stream)))
        name = self._name()
        note = f"{folder}/{name.removesuffix(SUFFIX)}{REPLACES_SUFFIX}"
        self.folder.put(note, "\n".join(segment.name for segment in segments).encode())
        self.folder.write(folder, name, pa.concat_tables(tables))

    def _finish_merges(self, now: datetime) -> None:
        """Delete what was merged some time ago, and the notes of merges that did not come about."""
        for note, written_at, merged in self.folder.notes(self.writer):
            if merged and written_at is not None and now - written_at < READ_WITHIN:
                continue
            if merged:
                self.folder.delete(self.folder.replaced_by(note))
            self.folder.delete([note])


def _as_now(table: pa.Table) -> pa.Table:
    """Give a table of before the columns of now."""
    columns = [table[field.name] if field.name in table.column_names else pa.nulls(table.num_rows, field.type) for field in SCHEMA]
    return pa.table(columns, schema=SCHEMA)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
