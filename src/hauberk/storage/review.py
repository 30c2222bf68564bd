"""Candidates as they are looked through: narrowed down, counted, moved many at a time, and moved back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, update
from sqlalchemy.orm import Session

from hauberk.candidate import State
from hauberk.errors import NotFound
from hauberk.operation import OperationKey
from hauberk.storage.applied_schemas import applied_to
from hauberk.storage.candidates import candidates_of, filter_candidates
from hauberk.storage.discovery_tables import DiscoveredOperation, DiscoveryRun
from hauberk.storage.models import new_hex_id, now
from hauberk.storage.operations import delete_operations, own_actions, save_operations

Row = DiscoveredOperation

ReviewOrder = Literal["host", "method", "endpoint", "requests", "score", "distinct_paths", "first_seen", "last_seen", "found_at"]

# Below the number of variables SQLite and PostgreSQL take in one statement.
BATCH = 5000
MAX_HOSTS = 1000


@dataclass(frozen=True)
class Filters:
    """Which candidates are meant; the defaults mean all."""

    states: Sequence[str] = ()
    hosts: Sequence[str] = ()
    methods: Sequence[str] = ()

    endpoint: str | None = None
    """Text that the endpoint contains, in whatever case."""

    prefix: str | None = None
    """Text that the endpoint begins with."""

    origin: str | None = None
    least_score: float | None = None
    most_score: float | None = None

    def narrow(self, query: Select[Row]) -> Select[Row]:
        """Leave in a selection what is meant."""
        query = filter_candidates(
            query, hosts=self.hosts, methods=self.methods, endpoint=self.endpoint, origin=self.origin, states=self.states
        )
        if self.prefix:
            # Not by LIKE, in which SQLite takes upper and lower case for the same.
            query = query.where(func.substr(Row.endpoint, 1, len(self.prefix)) == self.prefix)
        if self.least_score is not None:
            query = query.where(Row.score >= self.least_score)
        if self.most_score is not None:
            query = query.where(Row.score <= self.most_score)
        return query


@dataclass(frozen=True)
class Moved:
    """A change of many candidates."""

    id: str
    count: int
    skipped: int
    """Of those that were named, the ones that were there already, or have vanished."""


def order_review(query: Select[Row], order: ReviewOrder | None, *, descending: bool) -> Select[Row]:
    """Order by one column, then host, endpoint and method. What is not known comes last."""
    columns: dict[str, ColumnElement[Any]] = {
        name: getattr(Row, name).expression
        for name in ("host", "endpoint", "method", "requests", "score", "distinct_paths", "first_seen", "last_seen", "found_at")
    }
    rest = [columns[name].asc() for name in ("host", "endpoint", "method") if name != order]
    if order is None:
        return query.order_by(*rest)
    first = columns[order]
    return query.order_by((first.desc() if descending else first.asc()).nulls_last(), *rest)


def count_states(session: Session, zone_id: str, filters: Filters) -> dict[str, int]:
    """Count the candidates of each state that filters leave."""
    query = filters.narrow(candidates_of(zone_id)).with_only_columns(Row.state, func.count()).group_by(Row.state)
    found = dict(session.execute(query).all())
    return {state.value: found.get(state.value, 0) for state in State}


def count_places(session: Session, zone_id: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Tell which hosts there are, those with the most candidates first, and which methods."""
    by_host = candidates_of(zone_id).with_only_columns(Row.host, func.count().label("candidates")).group_by(Row.host)
    hosts = session.execute(by_host.order_by(func.count().desc(), Row.host).limit(MAX_HOSTS))
    methods = session.scalars(candidates_of(zone_id).with_only_columns(Row.method).distinct().order_by(Row.method))
    return [{"host": host, "candidates": count} for host, count in hosts], list(methods)


def find_candidate(session: Session, zone_id: str, candidate_id: str) -> Row:
    """
    Find a candidate.

    Raises:
        NotFound: If the zone has none of this id.
    """
    row = session.get(Row, candidate_id.lower()) if "\0" not in candidate_id else None
    if row is None or row.zone_id != zone_id:
        raise NotFound(f"the zone has no discovered operation '{candidate_id[:64]}': it may have vanished, as those do whose traffic stops")
    return row


def move_candidates(session: Session, zone_id: str, to: State, filters: Filters | None, ids: Sequence[str] = ()) -> Moved:
    """
    Save, ignore or take back many candidates, and remember what they were.

    Args:
        session: To write in.

        zone_id: Whose they are.

        to: The state; for `saved` their operations are saved.

        filters: Which ones. Saved ones are not meant: their operations would have to be deleted.

        ids: Which ones, if there are no filters.
    """
    meant = candidates_of(zone_id).where(Row.state != State.SAVED, Row.state != to.value)
    columns = (Row.id, Row.method, Row.host, Row.endpoint)
    if filters is not None:
        rows = session.execute(filters.narrow(meant).with_only_columns(*columns)).all()
        skipped = 0
    else:
        wanted = list(dict.fromkeys(id_.lower() for id_ in ids if "\0" not in id_))
        of_these = meant.with_only_columns(*columns)
        rows = [row for batch in _batches(wanted) for row in session.execute(of_these.where(Row.id.in_(batch)))]
        skipped = len(ids) - len(rows)
    change = new_hex_id()
    values = {"state_before": Row.state, "state": to.value, "change_id": change, "last_updated": now()}
    for batch in _batches(row.id for row in rows):
        session.execute(update(Row).where(Row.id.in_(batch)).values(values), execution_options={"synchronize_session": False})
    if to is State.SAVED and rows:
        save_operations(session, zone_id, [OperationKey(row.method, row.host, row.endpoint) for row in rows])
    return Moved(change, len(rows), skipped)


def move_back(session: Session, zone_id: str, change_id: str) -> tuple[int, int]:
    """
    Take a change of many back: each candidate that nobody has moved since becomes what it was.

    Returns:
        How many did, and how many stay saved: somebody has given their operations an action since, or put a learned schema in force.

    Raises:
        NotFound: If there is nothing left of the change.
    """
    moved = candidates_of(zone_id).where(Row.change_id == change_id).with_only_columns(Row.id, Row.state)
    rows = session.execute(moved).all() if "\0" not in change_id else []
    if not rows:
        raise NotFound("nothing is left of this change: it was taken back, or its candidates were moved since or have vanished")
    saved = [row.id for row in rows if row.state == State.SAVED]
    used = {id_ for id_, action in own_actions(session, zone_id, saved).items() if action is not None} | applied_to(session, saved).keys()
    back = [row.id for row in rows if row.id not in used]
    values = {"state": Row.state_before, "state_before": None, "change_id": None, "last_updated": now()}
    for batch in _batches(back):
        session.execute(update(Row).where(Row.id.in_(batch)).values(values), execution_options={"synchronize_session": False})
    delete_operations(session, [id_ for id_ in saved if id_ not in used])
    return len(back), len(used)


def record_series(session: Session, zone_id: str, since: datetime, step_seconds: float, counts: Mapping[str, Sequence[int]]) -> None:
    """Keep how the requests of candidates are spread over a window; those without any lose what they had."""
    begun = since.isoformat()
    known = session.scalars(candidates_of(zone_id).with_only_columns(Row.id))
    values = [
        {"id": id_, "series": {"since": begun, "step_seconds": step_seconds, "requests": list(counts[id_])} if id_ in counts else None}
        for id_ in known
    ]
    if values:
        session.execute(update(Row), values)


def series_due(session: Session, zone_id: str, found: set[str], every: timedelta) -> bool:
    """Tell whether it is time to count traffic over time: somebody asked, it is long ago, or a candidate has none yet."""
    run = session.get(DiscoveryRun, zone_id)
    if run is None or run.series_at is None or abs(now() - run.series_at) >= every:
        return True
    if run.requested_at is not None and run.requested_at > run.series_at:
        return True
    return not found <= set(session.scalars(candidates_of(zone_id).with_only_columns(Row.id).where(Row.series.is_not(None))))


def _batches(ids: Iterable[str]) -> list[list[str]]:
    listed = list(ids)
    return [listed[at : at + BATCH] for at in range(0, len(listed), BATCH)]
