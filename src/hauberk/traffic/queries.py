"""
Questions about recorded traffic, answered by DuckDB over the segments that are there at the moment of asking.

A segment may go while it is read: retention deleted it, or it was merged with others. Then the question is asked again over what is there
now; whoever asks notices nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from hauberk.errors import StorageError
from hauberk.operation import METHODS
from hauberk.traffic.segments import SCHEMA, SegmentFolder

log = logging.getLogger(__name__)

MAX_TRIES = 8
MEMORY_LIMIT = "1GB"

# What was kept stands for so many. Imported rows stand for themselves.
WEIGHT = "coalesce(weight, 1)"
IN_WINDOW = """
    (len($hosts) = 0 OR list_contains($hosts, host))
    AND ($since IS NULL OR time IS NULL OR time >= to_timestamp($since))
    AND ($until IS NULL OR time IS NULL OR time < to_timestamp($until))
"""

# Successful requests of methods an operation can have, and not of the edge's own pages.
PATHS = f"""
    SELECT host, method, path,
        greatest(1, round(sum({WEIGHT})))::BIGINT AS requests,
        sum(score * {WEIGHT}) FILTER (score IS NOT NULL) / sum({WEIGHT}) FILTER (score IS NOT NULL) AS score,
        least(greatest(1, round(sum({WEIGHT}))), coalesce(round(sum({WEIGHT}) FILTER (session IS NOT NULL)), 0))::BIGINT AS with_session,
        floor(epoch(min(time)))::BIGINT AS first_seen,
        floor(epoch(max(time)))::BIGINT AS last_seen
    FROM transactions
    WHERE {IN_WINDOW} AND status BETWEEN 200 AND 299 AND list_contains($methods, method) AND NOT starts_with(path, '/cdn-cgi/')
    GROUP BY ALL ORDER BY host, method, path
"""  # noqa: S608 - of constants

# The busiest paths, each with its requests step by step; steps without any are left out. A number says both: `requests * $steps + place`.
SERIES = f"""
    SELECT host, method, path, list(requests * $steps + place) AS counts
    FROM (
        SELECT host, method, path,
            greatest(0, least($steps - 1, floor((epoch(time) - $since) / $step)))::INTEGER AS place,
            round(sum({WEIGHT}))::BIGINT AS requests
        FROM transactions
        WHERE {IN_WINDOW} AND time IS NOT NULL
            AND status BETWEEN 200 AND 299 AND list_contains($methods, method) AND NOT starts_with(path, '/cdn-cgi/')
        GROUP BY ALL
    )
    GROUP BY host, method, path ORDER BY sum(requests) DESC, host, method, path LIMIT $limit
"""  # noqa: S608 - of constants

COUNTS = f"""
    SELECT (floor(epoch(time) / $step) * $step)::BIGINT AS since, host,
        round(sum({WEIGHT}))::BIGINT AS requests,
        count(*)::BIGINT AS recorded,
        coalesce(round(sum({WEIGHT}) FILTER (status BETWEEN 400 AND 499)), 0)::BIGINT AS client_errors,
        coalesce(round(sum({WEIGHT}) FILTER (status BETWEEN 500 AND 599)), 0)::BIGINT AS server_errors,
        coalesce(round(sum({WEIGHT}) FILTER (session IS NOT NULL)), 0)::BIGINT AS with_session
    FROM transactions WHERE {IN_WINDOW} AND time IS NOT NULL
    GROUP BY ALL ORDER BY since, host
"""  # noqa: S608 - of constants

# Only what a gateway saw: a capture from elsewhere knows of no certificate.
CERTIFICATES = f"""
    SELECT host,
        count(*)::BIGINT AS recorded,
        round(sum({WEIGHT}))::BIGINT AS requests,
        coalesce(round(sum({WEIGHT}) FILTER (certificate IS NULL)), 0)::BIGINT AS without_certificate
    FROM transactions
    WHERE {IN_WINDOW} AND time IS NOT NULL AND request_id IS NOT NULL
        AND (len($methods) = 0 OR list_contains($methods, method))
        AND (len($paths) = 0 OR list_contains($paths, path))
    GROUP BY host ORDER BY host
"""  # noqa: S608 - of constants

SAMPLE = f"""
    SELECT * FROM transactions
    WHERE {IN_WINDOW}
        AND ($method IS NULL OR method = $method)
        AND ($path IS NULL OR path = $path)
        AND ($path_pattern IS NULL OR regexp_full_match(path, $path_pattern))
        AND ($operation_id IS NULL OR operation_id = $operation_id)
        AND ($session IS NULL OR session = $session)
        AND ($action IS NULL OR action = $action)
        AND ($least_score IS NULL OR score >= $least_score)
        AND ($least_status IS NULL OR status >= $least_status)
        AND ($most_status IS NULL OR status <= $most_status)
    ORDER BY time DESC NULLS LAST, request_id LIMIT $limit
"""  # noqa: S608 - of constants


@dataclass(frozen=True)
class PathSighting:
    """How often one path of a host was asked for with success."""

    host: str
    method: str
    path: str
    """As sent, without the query."""

    requests: int
    """All that the kept ones stand for."""

    score: float | None
    """Mean likelihood that they are API calls; `None` if none was scored."""

    with_session: int
    """Of the requests, those with a session identifier."""

    first_seen: int | None
    """Seconds since 1970; `None` if no row tells its time."""

    last_seen: int | None


@dataclass(frozen=True)
class Filters:
    """Which transactions are wanted; `None` means any."""

    method: str | None = None
    path: str | None = None
    path_pattern: str | None = None
    """A regular expression for the whole path (RE2)."""

    operation_id: str | None = None
    session: str | None = None
    action: str | None = None
    least_score: float | None = None
    least_status: int | None = None
    most_status: int | None = None


class Queries:
    """Questions about the segments of a folder."""

    def __init__(self, folder: SegmentFolder) -> None:
        self.folder = folder

    def paths(self, hosts: Sequence[str] = (), since: datetime | None = None, until: datetime | None = None) -> list[PathSighting]:
        """
        Count successful requests by host, method and path, ordered by these.

        Args:
            hosts: Only these; none means all.

            since: From then on; rows that do not tell their time count always.

            until: Before then.

        Raises:
            StorageError: If the store cannot be read.
        """
        table = self.query(PATHS, {"methods": list(METHODS)}, hosts, since, until)
        return [PathSighting(**row) for row in table.to_pylist()]

    def counts(
        self, hosts: Sequence[str] = (), since: datetime | None = None, until: datetime | None = None, step: timedelta = timedelta(hours=1)
    ) -> list[dict[str, Any]]:
        """
        Count requests over time, by host.

        Returns:
            `{"since", "host", "requests", "recorded", "client_errors", "server_errors", "with_session"}`, in order of time; `since` is
            when the step began, in seconds since 1970, `recorded` how many rows the others are estimated from.

        Raises:
            StorageError: If the store cannot be read.
        """
        return list(self.query(COUNTS, {"step": max(1.0, step.total_seconds())}, hosts, since, until).to_pylist())

    def without_certificate(
        self, hosts: Sequence[str], methods: Sequence[str], paths: Sequence[str], since: datetime, until: datetime
    ) -> list[dict[str, Any]]:
        """
        Count what gateways recorded of requests without a client certificate that is verified and not revoked.

        Args:
            hosts: Only these; none means all.

            methods: As `hosts`.

            paths: As `hosts`; compared as a whole, with what is masked in them.

            since: From then on.

            until: Before then.

        Returns:
            `{"host", "recorded", "requests", "without_certificate"}` of each host that has any; `recorded` is how many rows the other two
            are estimated from.

        Raises:
            StorageError: If the store cannot be read.
        """
        return list(self.query(CERTIFICATES, {"methods": list(methods), "paths": list(paths)}, hosts, since, until).to_pylist())

    def series(
        self, hosts: Sequence[str], since: datetime, until: datetime, steps: int, limit: int
    ) -> Iterator[tuple[str, str, str, list[tuple[int, int]]]]:
        """
        Count successful requests of paths over time.

        Args:
            hosts: Only these; none means all.

            since: When the first step begins.

            until: When the last one ends.

            steps: How many there are.

            limit: Only so many paths, those with the most requests.

        Returns:
            Host, method, path, and requests by the number of the step, from 0.

        Raises:
            StorageError: If the store cannot be read.
        """
        step = max((until - since).total_seconds() / steps, 1.0)
        values = {"methods": list(METHODS), "steps": steps, "step": step, "limit": limit}
        table = self.query(SERIES, values, hosts, since, until)
        columns = (table.column(name).to_pylist() for name in ("host", "method", "path", "counts"))
        for host, method, path, counts in zip(*columns, strict=True):
            yield host, method, path, [(count % steps, count // steps) for count in counts]

    def sample(
        self,
        filters: Filters | None = None,
        limit: int = 100,
        hosts: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """
        Give transactions as they are kept, the newest first.

        Raises:
            StorageError: If the store cannot be read, or the pattern is none.
        """
        wanted = vars(filters or Filters())
        return list(self.query(SAMPLE, {**wanted, "limit": limit}, hosts, since, until).to_pylist())

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        hosts: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pa.Table:
        """
        Ask anything of the table `transactions`, whose columns are those of `segments.SCHEMA`.

        Args:
            sql: A SELECT; `$hosts`, `$since` and `$until` (seconds since 1970) may be used in it.

            parameters: Further values.

            hosts: Segments of others are not even opened. The statement filters rows itself (`IN_WINDOW`): a segment may hold more.

            since: As `hosts`.

            until: As `hosts`.

        Raises:
            StorageError: If the store cannot be read, or DuckDB refuses the statement.
        """
        values = {
            "hosts": list(hosts),
            "since": None if since is None else since.timestamp(),
            "until": None if until is None else until.timestamp(),
            **(parameters or {}),
        }
        values = {name: value for name, value in values.items() if f"${name}" in sql}
        # Gateways write to stores and never ask; they need not hold it in memory.
        import duckdb  # noqa: PLC0415

        try:
            return self._over_what_is_there(sql, values, hosts, since, until)
        except (OSError, pa.ArrowException, duckdb.Error) as error:
            # DuckDB's message may quote values; the log of the control plane must not.
            raise StorageError(f"the traffic store cannot be asked: {type(error).__name__}") from error

    def _over_what_is_there(
        self, sql: str, values: dict[str, Any], hosts: Sequence[str], since: datetime | None, until: datetime | None
    ) -> pa.Table:
        import duckdb  # noqa: PLC0415 - as above

        paths: list[str] | None = None
        for attempt in range(MAX_TRIES):
            before, paths = paths, [segment.path for segment in self.folder.segments(hosts or None, since, until)]
            try:
                return self._ask(sql, values, paths)
            except (OSError, pa.ArrowException, duckdb.Error):
                # Nothing was deleted or merged in between, so it is something else.
                if before == paths:
                    readable = [path for path in paths if self._is_readable(path)]
                    if len(readable) == len(paths):
                        raise
                    return self._ask(sql, values, readable)
                if attempt == MAX_TRIES - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _is_readable(self, path: str) -> bool:
        """Tell whether a segment is one; a damaged one is left out of the answer rather than in the way of all others."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - as below

        try:
            with self.folder.fs.open_input_file(path) as file:
                pq.read_metadata(file)
        except (OSError, pa.ArrowException) as error:
            log.warning(
                "a segment of the traffic store cannot be read and is left out", extra={"segment": path, "reason": type(error).__name__}
            )
            return False
        return True

    def _ask(self, sql: str, values: dict[str, Any], paths: list[str]) -> pa.Table:
        import duckdb  # noqa: PLC0415 - as above
        import pyarrow.dataset as ds  # noqa: PLC0415 - as above

        if paths:
            transactions: Any = ds.dataset(paths, schema=SCHEMA, format="parquet", filesystem=self.folder.fs)
        else:
            transactions = SCHEMA.empty_table()
        # Statements reach the rows and nothing else: no files, no network, no variables of ours.
        settings: dict[str, Any] = {
            "enable_external_access": "false",
            "memory_limit": MEMORY_LIMIT,
            "python_enable_replacements": "false",
            "threads": "2",
        }
        with duckdb.connect(config=settings) as connection:
            connection.register("transactions", transactions)
            return connection.sql(sql, params=values).to_arrow_table()
