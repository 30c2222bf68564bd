"""
The latency of each operation's last 24 hours, kept beside the hours so that thousands of operations can be ordered by it.

It changes in the transaction that adds metrics. When an hour begins, what is 24 hours old falls out: operations that are called are brought
up to date by their next metrics, the others by `refresh_latency`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hauberk import _native
from hauberk.storage.endpoint_tables import OperationLatency
from hauberk.storage.models import OperationMetric

WINDOW = timedelta(hours=24)
QUANTILES = (0.5, 0.95, 0.99)
# Hours of so many operations are in memory at once: some ten megabytes.
AT_ONCE = 500


def add_latency(session: Session, added: Mapping[str, Sequence[tuple[datetime, str]]], hour: datetime) -> None:
    """
    Add sketches of hours to the latency of operations.

    Args:
        session: A session that writes; the hours themselves are in it already.

        added: Operation to hours and their new sketches, which were checked.

        hour: The present one.
    """
    outdated: list[str] = []
    for ids in _parts(list(added)):
        rows = {row.operation_id: row for row in session.scalars(select(OperationLatency).where(OperationLatency.operation_id.in_(ids)))}
        for id_ in ids:
            row = rows.get(id_)
            if row is None or row.until != hour:
                outdated.append(id_)
            else:
                _put(row, [row.sketch, *(sketch for its_hour, sketch in added[id_] if its_hour >= hour - WINDOW)])
    _rebuild(session, outdated, hour)


def refresh_latency(session: Session, hour: datetime, most: int = 1000) -> int:
    """Bring the latency of operations up to date that had no requests since the hour began; tell of how many, at most so many."""
    query = select(OperationLatency.operation_id).where(OperationLatency.until < hour).limit(most)
    outdated = list(session.scalars(query))
    _rebuild(session, outdated, hour)
    return len(outdated)


def _rebuild(session: Session, operation_ids: Sequence[str], hour: datetime) -> None:
    for ids in _parts(operation_ids):
        sketches: dict[str, list[str]] = defaultdict(list)
        hours = select(OperationMetric.operation_id, OperationMetric.latency).where(
            OperationMetric.operation_id.in_(ids), OperationMetric.hour >= hour - WINDOW
        )
        for id_, sketch in session.execute(hours):
            sketches[id_].append(sketch)
        rows = {row.operation_id: row for row in session.scalars(select(OperationLatency).where(OperationLatency.operation_id.in_(ids)))}
        gone = [id_ for id_ in rows if not any(sketches[id_])]
        session.execute(delete(OperationLatency).where(OperationLatency.operation_id.in_(gone)))
        for id_ in ids:
            if any(sketches[id_]):
                row = rows.get(id_) or OperationLatency(operation_id=id_)
                row.until = hour
                _put(row, sketches[id_])
                session.add(row)


def _put(row: OperationLatency, sketches: list[str]) -> None:
    row.sketch = _native.merge_sketches(sketches)
    p50, p95, p99 = _native.sketch_quantiles([row.sketch], list(QUANTILES))
    row.p50, row.p95, row.p99 = p50 or 0.0, p95 or 0.0, p99 or 0.0


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(ids), AT_ONCE):
        yield ids[at : at + AT_ONCE]
