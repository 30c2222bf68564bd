"""The traffic store read again from its beginning: counted paths for discovery, and all rows as the JSON lines they came as."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from hauberk.errors import StorageError
from hauberk.operation import METHODS
from hauberk.traffic.queries import MEMORY_LIMIT, WEIGHT
from hauberk.traffic.segments import SCHEMA, SegmentFolder

log = logging.getLogger(__name__)

# Enough that little is done for each batch, little enough that bodies of the largest size do not fill the memory.
BATCH_ROWS = 8192

# A host counts with or without its port.
OF_HOSTS = r"(len($hosts) = 0 OR list_contains($hosts, lower(host)) OR list_contains($hosts, regexp_replace(lower(host), ':\d*$', '')))"

# Sums, so that those of parts can be added.
PATHS = f"""
    SELECT host, method, path,
        sum({WEIGHT})::DOUBLE AS weight,
        coalesce(sum(score * {WEIGHT}), 0)::DOUBLE AS score,
        coalesce(sum({WEIGHT}) FILTER (score IS NOT NULL), 0)::DOUBLE AS scored,
        coalesce(sum({WEIGHT}) FILTER (session IS NOT NULL), 0)::DOUBLE AS with_session,
        floor(epoch(min(time)))::BIGINT AS first_seen,
        floor(epoch(max(time)))::BIGINT AS last_seen
    FROM transactions
    WHERE {OF_HOSTS} AND status BETWEEN 200 AND 299 AND list_contains($methods, method) AND NOT starts_with(path, '/cdn-cgi/')
    GROUP BY ALL
"""  # noqa: S608 - of constants

# Of answers no body, since nobody learns from it. Headers of a row that has none are null; in a line they are an empty list.
LINES = f"""
    SELECT to_json(row) AS line FROM (
        SELECT * EXCLUDE (path, response_body) REPLACE (
            coalesce(request_headers, []) AS request_headers,
            coalesce(response_headers, []) AS response_headers,
            strftime(time AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ') AS time
        )
        FROM transactions WHERE {OF_HOSTS}
    ) AS row
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class PathTotal:
    """What the successful requests of one path in a part of the store add up to."""

    host: str
    method: str
    path: str
    """As sent, without the query."""

    weight: float
    """How many requests the rows stand for."""

    score: float
    """Sum of their likelihoods to be API calls."""

    scored: float
    """Of the requests, those with such a likelihood."""

    with_session: float
    first_seen: int | None
    """Unix seconds."""

    last_seen: int | None

    def added(self, other: PathTotal) -> PathTotal:
        """Add those of the same path in another part."""
        return PathTotal(
            self.host,
            self.method,
            self.path,
            self.weight + other.weight,
            self.score + other.score,
            self.scored + other.scored,
            self.with_session + other.with_session,
            min((time for time in (self.first_seen, other.first_seen) if time is not None), default=None),
            max((time for time in (self.last_seen, other.last_seen) if time is not None), default=None),
        )


def path_totals(folder: SegmentFolder, segments: Iterable[str], hosts: Sequence[str] = ()) -> Iterator[PathTotal]:
    """
    Count the successful requests of each path, for each segment by itself.

    Args:
        folder: The store.

        segments: Paths of segments. One that is gone or damaged is left out, and logged.

        hosts: Only these, with or without their port; none means all.
    """
    values = {"hosts": [host.lower() for host in hosts], "methods": list(METHODS)}
    for _, batch in _asked(folder, segments, PATHS, values):
        for row in batch.to_pylist():
            yield PathTotal(**row)


def lines(folder: SegmentFolder, segments: Iterable[str], hosts: Sequence[str] = ()) -> Iterator[tuple[str, bytes]]:
    """
    Give the rows of segments in batches, each row a line of JSON, with the segment they are from. The arguments are those of `path_totals`.
    """
    for segment, batch in _asked(folder, segments, LINES, {"hosts": [host.lower() for host in hosts]}):
        yield segment, "\n".join(batch.column(0).to_pylist()).encode(errors="surrogatepass")


def _asked(folder: SegmentFolder, segments: Iterable[str], sql: str, values: dict[str, list[str]]) -> Iterator[tuple[str, pa.RecordBatch]]:
    import duckdb  # noqa: PLC0415 - gateways write to stores and never ask; they need not hold it in memory
    import pyarrow.dataset as ds  # noqa: PLC0415 - as above

    settings = {"enable_external_access": "false", "memory_limit": MEMORY_LIMIT, "python_enable_replacements": "false", "threads": "1"}
    with duckdb.connect(config=dict(settings)) as connection:
        for segment in segments:
            try:
                rows = ds.dataset([segment], schema=SCHEMA, format="parquet", filesystem=folder.fs)
                connection.register("transactions", rows)
                for batch in connection.sql(sql, params=values).to_arrow_reader(BATCH_ROWS):
                    yield segment, batch
            except (OSError, pa.ArrowException, duckdb.Error) as error:
                if not isinstance(error, OSError) and _is_readable(folder, segment):
                    # DuckDB's message may quote values.
                    raise StorageError(f"the traffic store cannot be asked: {type(error).__name__}") from error
                told = {"segment": segment, "reason": type(error).__name__}
                log.warning("a segment of the traffic store cannot be read and is left out", extra=told)


def _is_readable(folder: SegmentFolder, segment: str) -> bool:
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    try:
        with folder.fs.open_input_file(segment) as file:
            pq.read_table(file, columns=["host"])
    except (OSError, pa.ArrowException):
        return False
    return True
