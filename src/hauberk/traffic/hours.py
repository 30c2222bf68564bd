"""
The store hour by hour, for work that reads each row once: which hours there are, whether one has changed, and its rows as JSON lines.

Questions are asked of all rows at once (`queries.py`); here they come in pieces that fit in memory, however large an hour is.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hauberk.errors import StorageError
from hauberk.operation import METHODS
from hauberk.traffic.segments import SCHEMA, Segment, SegmentFolder

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
# Of rows with large bodies fewer at a time.
BYTES_AT_ONCE = 16 * 2**20
MOST_ROWS_AT_ONCE = 8192
# Nothing is learned from responses but their status, nor from what the gateway worked out.
LEFT_OUT = frozenset({"path", "response_headers", "response_body", "response_body_size", "resource_type", "duration_us", "score", "weight"})


@dataclass(frozen=True)
class RecordedHour:
    """One hour of one folder of the store."""

    part: str
    """The folder's name: of a host, or `%2A` for those that have none of their own."""

    hour: datetime
    """When it began, in UTC."""

    segments: tuple[Segment, ...]

    @property
    def digest(self) -> str:
        """Another one means that segments were written, merged or deleted."""
        return hashlib.sha256("\n".join(sorted(segment.name for segment in self.segments)).encode()).hexdigest()

    @property
    def day(self) -> int:
        """Days since 1970-01-01."""
        return int(self.hour.timestamp()) // 86400


class RecordedHours:
    """
    The hours of a store.

    Args:
        folder: Its files.
    """

    def __init__(self, folder: SegmentFolder) -> None:
        self.folder = folder
        self._database: Any = None
        self._making = threading.Lock()

    def hours(self, since: datetime, until: datetime) -> list[RecordedHour]:
        """
        List what was recorded in a time, by folder and hour.

        Raises:
            StorageError: If the store cannot be listed.
        """
        try:
            segments = self.folder.segments(None, since, until)
        except OSError as error:
            raise StorageError(f"the traffic store cannot be listed: {error.strerror or type(error).__name__}") from error
        found: dict[tuple[str, datetime], list[Segment]] = defaultdict(list)
        for segment in segments:
            found[segment.host, segment.hour].append(segment)
        return [RecordedHour(part, hour, tuple(found[part, hour])) for part, hour in sorted(found)]

    def rows(self, hour: RecordedHour) -> int:
        """
        Count the rows of an hour without reading them; a damaged segment has none.

        Raises:
            StorageError: If a segment is gone meanwhile.
        """
        return sum(file.metadata.num_rows for _, file in self._open(hour.segments))

    def lines(self, *hours: RecordedHour, successful: bool = True) -> Iterator[bytes]:
        """
        Give the rows of hours that were answered with 2xx and not blocked, as JSON lines, some at a time and in no order.

        Args:
            hours: The hours.

            successful: Leave others out; else all of their rows are given.

        Raises:
            StorageError: If a segment is gone meanwhile, or cannot be read to its end.
        """
        import duckdb  # noqa: PLC0415 - gateways never need it

        with self._connection() as connection:
            for segment, table in self._tables(segment for hour in hours for segment in hour.segments):
                try:
                    connection.register("batch", table)
                    yield b"".join(_lines(connection, table.column_names, successful=successful))
                except (pa.ArrowException, duckdb.Error) as error:
                    # DuckDB's message may quote values.
                    raise _unreadable(segment, error) from error

    def _tables(self, segments: Iterable[Segment]) -> Iterator[tuple[Segment, pa.Table]]:
        """Give the rows of segments, those of small ones together: each has cost of its own. With them comes the first of the segments."""
        first: Segment | None = None
        batches: list[pa.RecordBatch] = []
        rows = size = 0
        for segment, file in self._open(segments):
            there = set(file.schema_arrow.names)
            columns = [name for name in SCHEMA.names if name in there and name not in LEFT_OUT]
            most = _rows_at_once(file.metadata)
            try:
                for batch in file.iter_batches(most, columns=columns):
                    rows, size = rows + batch.num_rows, size + batch.nbytes
                    if first is not None and (rows > most or size > BYTES_AT_ONCE or batch.schema != batches[0].schema):
                        yield first, pa.Table.from_batches(batches)
                        first, batches, rows, size = None, [], batch.num_rows, batch.nbytes
                    first = first or segment
                    batches.append(batch)
            except (OSError, pa.ArrowException) as error:
                raise _unreadable(segment, error) from error
        if first is not None:
            yield first, pa.Table.from_batches(batches)

    def _connection(self) -> Any:
        """Give a connection to a database in memory; a database takes a while to make, a second connection to it does not."""
        import duckdb  # noqa: PLC0415 - as above

        with self._making:
            if self._database is None:
                settings: dict[str, Any] = {"enable_external_access": "false", "python_enable_replacements": "false", "threads": "1"}
                self._database = duckdb.connect(config=settings)
            return self._database.cursor()

    def _open(self, segments: Iterable[Segment]) -> Iterator[tuple[Segment, pq.ParquetFile]]:
        for segment in segments:
            try:
                stream = self.folder.fs.open_input_file(segment.path)
            except OSError as error:
                raise _unreadable(segment, error) from error
            with stream:
                try:
                    file = pq.ParquetFile(stream)
                except (OSError, pa.ArrowException) as error:
                    log.warning(
                        "a segment of the traffic store cannot be read and is left out",
                        extra={"segment": segment.path, "reason": type(error).__name__},
                    )
                    continue
                yield segment, file


def _rows_at_once(metadata: Any) -> int:
    size: int = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    return max(1, min(MOST_ROWS_AT_ONCE, BYTES_AT_ONCE * int(metadata.num_rows) // max(1, size)))


def _lines(connection: Any, columns: Sequence[str], *, successful: bool) -> Iterator[bytes]:
    members = ", ".join(f"{name} := {_TIME if name == 'time' else name}" for name in columns)
    conditions = ["list_contains($methods, method)"]
    if successful:
        conditions += ["status BETWEEN 200 AND 299"] + (["action IS DISTINCT FROM 'blocked'"] if "action" in columns else [])
    sql = f"SELECT to_json(struct_pack({members}))::VARCHAR || chr(10) AS line FROM batch WHERE {' AND '.join(conditions)}"  # noqa: S608 - of constants
    for chunk in connection.sql(sql, params={"methods": list(METHODS)}).to_arrow_table().column("line").chunks:
        yield "".join(chunk.to_pylist()).encode()


_TIME = "strftime(time AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')"


def _unreadable(segment: Segment, error: Exception) -> StorageError:
    reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
    return StorageError(f"a segment of the traffic store, {segment.name}, cannot be read: {reason}")
