"""Gauges of schema learning, read from the database when they are asked for; several control planes on one database tell the same."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from hauberk.errors import Unavailable
from hauberk.storage.database import Database
from hauberk.storage.learning_runs import count_states
from hauberk.storage.learning_tables import AppliedSchema, LearningRun


class LearningMetrics(Collector):
    """
    What learning has come to in all zones together.

    Args:
        database: The control plane's.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name the gauges, without asking the database."""
        yield GaugeMetricFamily("hauberk_learning_operations", "Saved operations by the state of learning", labels=("state",))
        yield GaugeMetricFamily("hauberk_learned_schemas_in_force", "Operations to which a learned schema was applied")
        yield GaugeMetricFamily("hauberk_learning_last_run_timestamp_seconds", "When the last run of learning ended well")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Count; nothing is told while the database does not answer."""
        operations, applied, last_run = self.describe()
        try:
            with self.database.read() as session:
                states = count_states(session)
                in_force = session.scalar(select(func.count()).select_from(AppliedSchema)) or 0
                ended = session.scalar(select(func.max(LearningRun.finished_at)).where(LearningRun.error.is_(None)))
        except (Unavailable, SQLAlchemyError):
            return
        for state, count in states.items():
            operations.add_metric((state,), count)
        applied.add_metric((), in_force)
        yield from (operations, applied)
        if ended is not None:
            last_run.add_metric((), ended.timestamp())
            yield last_run
