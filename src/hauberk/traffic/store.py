"""
The traffic store: takes transactions, keeps them as Parquet segments for so long and no more than so much, and answers questions.

Rows gather in memory until there are enough for a segment, or it is time. A kill loses what has gathered, and nothing else. Nothing here
is on the way of a request: whoever appends may wait for a disk.
"""

from __future__ import annotations

import itertools
import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
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
    by_host_and_hour,
    host_folder,
    table_of,
)

log = logging.getLogger(__name__)

# A caller who makes up host names must not make as many folders and files: so many hosts have a folder of their own in each hour.
MAX_HOSTS_PER_HOUR = 200
# Of so many hours it is known which those are; an import may bring old ones.
MAX_HOURS_KNOWN = 1000
# What cannot be written waits until so many segments' worth has gathered.
BUFFERED_SEGMENTS = 4
# So many are read at once, in bytes of JSON, where they come one by one.
PIECE_BYTES = 2**20
NO_TRANSACTION = "it is no transaction, or a member of it has another type than it should"
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
        self._gathered: list[pa.Table] = []
        self._bytes = 0
        self._oldest = time.monotonic()
        self._own_folders: dict[datetime, set[str]] = {}
        self._numbers = itertools.count()
        self._trouble = ""

    @property
    def waiting(self) -> int:
        """Rows that have gathered and are not written yet."""
        return sum(table.num_rows for table in self._gathered)

    def append(self, lines: bytes) -> None:
        """Take masked transactions, each a line of JSON; write segments when it is time. Failure is counted and logged, never raised."""
        if not self._gathered:
            self._oldest = time.monotonic()
        self._gather(lines)
        if self._bytes >= self.segment_bytes or time.monotonic() - self._oldest >= self.flush_seconds:
            self.flush()

    def import_rows(self, lines: Iterable[bytes], wanted: Callable[[str, int], bool] | None = None) -> int:
        """
        Take many transactions, e.g. of a capture, and write all of them.

        Args:
            lines: The transactions, one or some whole lines at a time.

            wanted: Asked, with a host and how many transactions of it have come, whether these are taken; default: all are.

        Returns:
            How many were written.
        """
        before = self.stored
        for piece in _joined(lines, min(PIECE_BYTES, self.segment_bytes)):
            self._gather(piece, wanted)
            if self._bytes >= self.segment_bytes * BUFFERED_SEGMENTS:
                self.flush()
        self.flush()
        return self.stored - before

    def flush(self) -> None:
        """Write what has gathered. What cannot be written waits for the next time, until there is too much of it."""
        gathered, self._gathered = self._gathered, []
        size, self._bytes = self._bytes, 0
        for (folder, hour), table in self._in_few_folders(gathered).items():
            try:
                self.folder.write(f"host={folder}/hour={hour.strftime(HOUR_FORMAT)}", self._name(), table)
                self.stored += table.num_rows
                self._trouble = ""
            except (OSError, pa.ArrowException) as error:
                self._wait_or_drop(table, size, error)
        self._bytes = size if self._gathered else 0
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
            self._gathered.clear()
            self._drop(lost, "the gateway ends and the traffic store cannot be written")

    def _gather(self, lines: bytes, wanted: Callable[[str, int], bool] | None = None) -> None:
        table = self._table([line for line in lines.split(b"\n") if line])
        if wanted is not None:
            counts = pc.value_counts(table["host"]).to_pylist()
            unwanted = [count["values"] for count in counts if not wanted(count["values"], count["counts"])]
            table = table.filter(pc.invert(pc.is_in(table["host"], pa.array(unwanted, pa.string())))) if unwanted else table
        if table.num_rows:
            self._gathered.append(table)
            self._bytes += len(lines)

    def _table(self, lines: Sequence[bytes]) -> pa.Table:
        """Read transactions; what is none takes no other with it."""
        if not lines:
            return SCHEMA.empty_table()
        try:
            table = table_of(b"\n".join(lines))
        except (pa.ArrowException, ValueError, OverflowError):
            if len(lines) == 1:
                self._drop(1, NO_TRANSACTION)
                return SCHEMA.empty_table()
            middle = len(lines) // 2
            return pa.concat_tables([self._table(lines[:middle]), self._table(lines[middle:])])
        if homeless := table["host"].null_count:
            self._drop(homeless, NO_TRANSACTION)
            table = table.filter(table["host"].is_valid())
        return table

    def _in_few_folders(self, gathered: Sequence[pa.Table]) -> dict[Partition, pa.Table]:
        """Give the hosts that came first in an hour, of those at once the busiest, folders of their own, and all others one together."""
        if not gathered:
            return {}
        few: dict[Partition, list[pa.Table]] = defaultdict(list)
        other = host_folder(OTHER_HOSTS)
        found = sorted(by_host_and_hour(gathered, datetime.now(UTC)), key=lambda found: found[2].num_rows, reverse=True)
        for name, hour, table in found:
            host, own = host_folder(name), self._own_folders.setdefault(hour, set())
            if len(own) < MAX_HOSTS_PER_HOUR:
                own.add(host)
            few[host if host in own else other, hour].append(table)
        while len(self._own_folders) > MAX_HOURS_KNOWN:
            del self._own_folders[next(iter(self._own_folders))]
        return {partition: pa.concat_tables(tables) for partition, tables in few.items()}

    def _name(self) -> str:
        return f"{self.writer}-{time.time_ns() // 1_000_000:013d}-{next(self._numbers) % 10_000:04d}{SUFFIX}"

    def _wait_or_drop(self, table: pa.Table, size: int, error: Exception) -> None:
        if size < self.segment_bytes * BUFFERED_SEGMENTS:
            self._gathered.append(table)
            self._tell("the traffic store cannot be written; transactions wait", error)
        else:
            self._drop(table.num_rows, f"the traffic store cannot be written: {_reason(error)}")

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


def _joined(lines: Iterable[bytes], least_bytes: int) -> Iterator[bytes]:
    """Join lines, so that they are read many at a time."""
    joined: list[bytes] = []
    size = 0
    for line in lines:
        joined.append(line)
        size += len(line)
        if size >= least_bytes:
            yield b"\n".join(joined)
            joined, size = [], 0
    yield b"\n".join(joined)


def _as_now(table: pa.Table) -> pa.Table:
    """Give a table of before the columns of now."""
    columns = [table[field.name] if field.name in table.column_names else pa.nulls(table.num_rows, field.type) for field in SCHEMA]
    return pa.table(columns, schema=SCHEMA)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
