"""
Reading a store on a Spark cluster: its segments are spread, each worker sums up what it reads, and the driver puts the sums together.

Workers open segments by themselves, by the same URL, so the store must be one that all of them reach, and hauberk must be installed there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from hauberk import _native
from hauberk.store_learning.engine import LearnerPlan, Operation
from hauberk.traffic.replay import PathTotal, lines, path_totals
from hauberk.traffic.segments import SegmentFolder

# So much of a store, as it lies there, is one task.
TASK_BYTES = 64 * 2**20

_TOTALS = "host string, method string, path string, weight double, score double, scored double, with_session double, \
first_seen long, last_seen long"
_PROFILES = "operation long, profile binary, rows long"
_ROWS = 10_000

Batches = Iterator[pa.RecordBatch]


class SparkMissing(Exception):
    """PySpark cannot be used here; the message says why."""


class SparkEngine:
    """
    Reads a store with Spark.

    Args:
        store: A folder that all workers see, or a URL that `pyarrow` knows.

        hosts: Only these, with or without their port; none means all.

        session: A `pyspark.sql.SparkSession`. Default: the one there is, or one as Spark's own settings say; `spark-submit` or
            `SPARK_REMOTE` and the like decide about it.

    Raises:
        SparkMissing: If PySpark is not installed, or Spark does not start.

        ConfigurationError: If the URL is none.

        OSError: If the store cannot be listed.
    """

    def __init__(self, store: str | Path, hosts: Sequence[str] = (), session: Any = None) -> None:
        self.store = str(store) if "://" in str(store) else str(Path(store).absolute())
        self.hosts = list(hosts)
        segments = SegmentFolder(self.store).segments()
        self.bytes = sum(segment.bytes for segment in segments)
        self._paths = [segment.path for segment in segments]
        self._session = session or _session()
        self._tasks = max(1, min(len(segments), max(-(-self.bytes // TASK_BYTES), _parallelism(self._session))))
        self._rows = 0

    def path_totals(self) -> Iterator[PathTotal]:
        """Count the successful requests of each path."""
        self._rows = 0
        # All at once: an iterator would have the workers wait for one another.
        for row in self._spread().mapInArrow(_totals_of(self.store, self.hosts), _TOTALS).collect():
            yield PathTotal(*row)

    def learned(self, operations: Sequence[Operation], plan: LearnerPlan) -> _native.Learner:
        """Learn from all rows: a learner for each task; then what they know of one operation is put together, each by one task."""
        self._rows = 0
        listed = list(operations)
        profiles = self._spread().mapInArrow(_profiles_of(self.store, self.hosts, listed, plan), _PROFILES)
        joined = profiles.repartition(self._tasks, "operation").mapInArrow(_joined_of(listed, plan), _PROFILES)
        learner = plan.learner(listed)
        for _, profile, rows in joined.collect():
            learner.load(bytes(profile))
            self._rows += rows
        return learner

    def progress(self) -> tuple[int, int]:
        """Tell how many rows have come back in this pass; bytes are known to the workers alone."""
        return 0, self._rows

    def _spread(self) -> Any:
        paths = self._session.createDataFrame([(path,) for path in self._paths], "path string")
        return paths.repartition(self._tasks)


def _session() -> Any:
    try:
        from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SparkMissing(f"PySpark is not installed: {error.name} is missing") from None
    # Workers on this machine are the same Python, with the same packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        return SparkSession.builder.appName("hauberk learn").getOrCreate()
    except (PySparkException, RuntimeError, OSError) as error:
        raise SparkMissing(f"Spark does not start: {type(error).__name__}") from error


def _totals_of(store: str, hosts: list[str]) -> Callable[[Iterable[pa.RecordBatch]], Batches]:
    """Make what a worker does with its share of the segments in the first pass."""

    def totals(batches: Iterable[pa.RecordBatch]) -> Batches:
        added: dict[tuple[str, str, str], PathTotal] = {}
        for total in path_totals(SegmentFolder(store), _paths_in(batches), hosts):
            key = (total.host, total.method, total.path)
            added[key] = added[key].added(total) if key in added else total
        rows = list(added.values())
        for at in range(0, len(rows), _ROWS):
            columns = zip(*map(astuple, rows[at : at + _ROWS]), strict=True)
            names = [field.name for field in fields(PathTotal)]
            yield pa.RecordBatch.from_arrays([_column(name, column) for name, column in zip(names, columns, strict=True)], names)

    return totals


def _profiles_of(
    store: str, hosts: list[str], operations: list[Operation], plan: LearnerPlan
) -> Callable[[Iterable[pa.RecordBatch]], Batches]:
    """Make what a worker does in the second pass."""

    def profiles(batches: Iterable[pa.RecordBatch]) -> Batches:
        learner = plan.learner(operations)
        rows = 0
        for _, batch in lines(SegmentFolder(store), _paths_in(batches), hosts):
            learner.feed(batch)
            rows += batch.count(b"\n") + 1
        yield from _dumped(learner, operations, rows)

    return profiles


def _joined_of(operations: list[Operation], plan: LearnerPlan) -> Callable[[Iterable[pa.RecordBatch]], Batches]:
    """Make what a worker does with all profiles of its share of the operations."""

    def joined(batches: Iterable[pa.RecordBatch]) -> Batches:
        learner = plan.learner(operations)
        rows = 0
        for batch in batches:
            for profile, count in zip(batch.column(1), batch.column(2), strict=True):
                learner.load(profile.as_py())
                rows += count.as_py()
        yield from _dumped(learner, operations, rows)

    return joined


def _dumped(learner: _native.Learner, operations: list[Operation], rows: int) -> Batches:
    """Give what a learner knows, an operation at a time; how many rows it has read stands beside the first."""
    numbers = {operation: number for number, operation in enumerate(operations)}
    for operation in learner.operations():
        columns = [pa.array([numbers[operation]], pa.int64()), pa.array([learner.dump(*operation)], pa.binary())]
        yield pa.RecordBatch.from_arrays([*columns, pa.array([rows], pa.int64())], ["operation", "profile", "rows"])
        rows = 0


def _parallelism(session: Any) -> int:
    try:
        return int(session.sparkContext.defaultParallelism)
    except (AttributeError, NotImplementedError):  # of a remote session nobody knows
        return 1


def _paths_in(batches: Iterable[pa.RecordBatch]) -> Iterator[str]:
    for batch in batches:
        yield from batch.column(0).to_pylist()


def _column(name: str, values: Sequence[Any]) -> pa.Array:
    kinds = {"host": pa.string(), "method": pa.string(), "path": pa.string(), "first_seen": pa.int64(), "last_seen": pa.int64()}
    return pa.array(values, kinds.get(name, pa.float64()))
