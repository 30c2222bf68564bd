"""Candidates: recorded from each look at traffic, listed, and moved between `review`, `saved` and `ignored`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, delete, insert, select, update
from sqlalchemy.orm import Session

from hauberk.candidate import Candidate, Finding, Origin, State
from hauberk.errors import Conflict, NotFound
from hauberk.operation import MAX_ENDPOINT_CHARACTERS, OperationKey, is_in_zone
from hauberk.storage.discovery_tables import DiscoveredOperation
from hauberk.storage.models import Operation, Zone, now
from hauberk.template_rule import TemplateRule

Row = DiscoveredOperation

# The period of traffic statistics.
PERIOD = timedelta(hours=1)

# Numbers that have hardly changed are left as they are for so long: thousands of rows need not be written every minute, and a row that is
# not written does not stand in the way of an owner who saves or ignores it.
COUNTED_EVERY = timedelta(hours=1)
HARDLY = 0.01

# Below the number of variables SQLite and PostgreSQL take in one statement.
BATCH = 5000

# One that was moved by itself is no longer part of the change of many that moved it before (`review.py`).
NO_CHANGE_OF_MANY: Mapping[str, None] = {"change_id": None, "state_before": None}

_COMPARED = (Row.id, Row.state, Row.ml, Row.session_identifier, Row.requests_per_period, Row.distinct_paths, Row.counted_at)

CandidateOrder = Literal["host", "method", "endpoint", "traffic_stats.requests", "traffic_stats.last_updated"]


@dataclass(frozen=True)
class Window:
    """The time that was looked at."""

    since: datetime
    until: datetime

    @property
    def periods(self) -> float:
        """How many periods it has, at least one: what was seen in less than that is not made more of."""
        return max(1.0, (self.until - self.since) / PERIOD)

    def from_first(self, *first_seen: int) -> Window:
        """Leave out the time before anything was seen; with no time given (Unix seconds) the whole of it stays."""
        begun = [second for second in first_seen if second > self.since.timestamp()]
        if len(begun) < len(first_seen) or not begun:
            return self
        return Window(min(self.until, datetime.fromtimestamp(min(*begun, self.until.timestamp()), UTC)), self.until)


@dataclass(frozen=True)
class Recorded:
    """What became of the candidates of one look."""

    stored: int
    new: int

    vanished: int
    """Rows taken out: neither saved nor ignored, and not found any more."""

    refused: int
    """Candidates that no operation could be saved for, or of hosts outside the zone."""


def record_candidates(
    session: Session, zone: Zone, candidates: Iterable[Candidate], window: Window, rules: Sequence[TemplateRule] = ()
) -> Recorded:
    """
    Make the inventory what one look at a window of traffic has found.

    What was found before and is not now vanishes, unless it is saved or ignored; an ignored one vanishes when a rule of the owner puts
    something else in its place. Saved operations are not touched.

    Args:
        session: To write in.

        zone: Whose candidates they are.

        candidates: All of the zone's, in whatever order; hosts may have ports.

        window: What was looked at.

        rules: The owner's, as they were applied.
    """
    found, refused = _by_id(zone, candidates)
    known = {row.id: row for row in session.execute(select(*_COMPARED).where(Row.zone_id == zone.id))}
    saved = set(session.scalars(select(Operation.operation_id).where(Operation.zone_id == zone.id)))
    moment = now()
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for id_, candidate in found.items():
        before = known.get(id_)
        state = _state(id_, before.state if before is not None else None, saved)
        values = {"id": id_, "state": state, **_numbers(candidate, window), "counted_at": moment, "last_updated": moment}
        if before is None:
            new.append(values | {"zone_id": zone.id, **candidate.key._asdict(), "found_at": moment})
        elif _differs(before, values):
            changed.append(values)
    if new:
        session.execute(insert(Row), new)
    if changed:
        session.execute(update(Row), changed)
    vanished = _gone(session, zone, {id_: row.state for id_, row in known.items()}, found, saved, rules)
    for batch in _batches(vanished):
        session.execute(delete(Row).where(Row.id.in_(batch)), execution_options={"synchronize_session": False})
    return Recorded(len(found), len(new), len(vanished), refused)


def candidates_of(zone_id: str) -> Select[Row]:
    """Select the candidates of a zone, in no order yet."""
    return select(Row).where(Row.zone_id == zone_id)


def filter_candidates(
    query: Select[Row],
    *,
    hosts: Sequence[str] = (),
    methods: Sequence[str] = (),
    endpoint: str | None = None,
    origin: str | None = None,
    states: Sequence[str] = (),
    not_saved: bool = False,
) -> Select[Row]:
    """
    Narrow a selection of candidates.

    Args:
        query: The selection.

        hosts: Only these hosts; none means all.

        methods: Only these methods; none means all.

        endpoint: Only endpoints that contain this text, in whatever case.

        origin: Only those this way finds, whether or not the other does, too; one we have not got finds none.

        states: Only these states; none means all.

        not_saved: Only those that are not saved.
    """
    if hosts:
        query = query.where(Row.host.in_(hosts))
    if methods:
        query = query.where(Row.method.in_(methods))
    if endpoint:
        query = query.where(Row.endpoint.icontains(endpoint, autoescape=True))
    if origin is not None:
        ways: dict[str, ColumnElement[bool]] = {"ML": Row.ml.expression, "SessionIdentifier": Row.session_identifier.expression}
        query = query.where(ways[origin].is_(True) if origin in ways else Row.id.is_(None))
    if states:
        query = query.where(Row.state.in_(states))
    return query.where(Row.state != State.SAVED) if not_saved else query


def order_candidates(query: Select[Row], order: CandidateOrder | None, *, descending: bool) -> Select[Row]:
    """Order by one column, then host, endpoint and method, so that pages neither repeat nor leave out a row."""
    columns: dict[str, ColumnElement[Any]] = {
        "host": Row.host.expression,
        "endpoint": Row.endpoint.expression,
        "method": Row.method.expression,
    }
    others: dict[str, ColumnElement[Any]] = {
        "traffic_stats.requests": Row.requests_per_period.expression,
        "traffic_stats.last_updated": Row.counted_at.expression,
    }
    first = [(columns | others)[order]] if order else []
    rest = [column for name, column in columns.items() if name != order]
    return query.order_by(*(column.desc() if descending else column.asc() for column in (*first, *rest)))


def counted(session: Session, zone_id: str, ids: Sequence[str]) -> dict[str, Row]:
    """Find the candidates that saved operations once were, for what was counted of them."""
    return {row.id: row for batch in _batches(ids) for row in session.scalars(candidates_of(zone_id).where(Row.id.in_(batch)))}


def set_states(session: Session, zone_id: str, states: Mapping[str, State]) -> None:
    """
    Put candidates aside, or back to review.

    Raises:
        NotFound: If the zone lacks one of them; nothing is changed then.
        Conflict: If one is saved: it stays so until its operation is deleted.
    """
    wanted = {id_.lower(): state for id_, state in states.items()}
    known: dict[str, str] = {}
    for batch in _batches([id_ for id_ in wanted if "\0" not in id_]):
        known |= dict(session.execute(select(Row.id, Row.state).where(Row.zone_id == zone_id, Row.id.in_(batch))).all())
    for id_ in wanted:
        if id_ not in known:
            raise NotFound(f"the zone has no discovered operation '{id_[:64]}': it may have vanished, as those do whose traffic stops")
        if known[id_] == State.SAVED:
            raise Conflict(f"the discovered operation '{id_}' is saved: delete the operation, and it is back in review")
    moved = {"last_updated": now(), **NO_CHANGE_OF_MANY}
    changed = [{"id": id_, "state": state.value, **moved} for id_, state in wanted.items() if known[id_] != state]
    if changed:
        session.execute(update(Row), changed)


def follow_operations(session: Session, operation_ids: Sequence[str], *, saved: bool) -> None:
    """Give candidates the state that follows from their operations, which have just been saved or deleted."""
    state, others = (State.SAVED, Row.state != State.SAVED) if saved else (State.REVIEW, Row.state == State.SAVED)
    for batch in _batches(list(operation_ids)):
        statement = update(Row).where(Row.id.in_(batch), others).values(state=state.value, last_updated=now(), **NO_CHANGE_OF_MANY)
        session.execute(statement, execution_options={"synchronize_session": False})


def findings_of(session: Session, zone_id: str) -> Iterator[Finding]:
    """Give all candidates of a zone with the ways that found them, in no order; what else is known of them is not read."""
    columns = (Row.method, Row.host, Row.endpoint, Row.ml, Row.session_identifier)
    for method, host, endpoint, ml, session_identifier in session.execute(select(*columns).where(Row.zone_id == zone_id)):
        yield Finding(OperationKey(method, host, endpoint), tuple(_ways(ml, session_identifier)))


def origins_of(row: Row) -> list[Origin]:
    """List which ways found a candidate."""
    return _ways(row.ml, row.session_identifier)


def _ways(ml: bool, session_identifier: bool) -> list[Origin]:
    ways: tuple[tuple[Origin, bool], ...] = (("ML", ml), ("SessionIdentifier", session_identifier))
    return [origin for origin, found in ways if found]


def _by_id(zone: Zone, candidates: Iterable[Candidate]) -> tuple[dict[str, Candidate], int]:
    found: dict[str, Candidate] = {}
    refused = 0
    for given in candidates:
        try:
            candidate = given.normalised()
        except ValueError:
            refused += 1
            continue
        if not is_in_zone(candidate.host, zone.name) or len(candidate.endpoint) > MAX_ENDPOINT_CHARACTERS:
            refused += 1
            continue
        id_ = candidate.key.operation_id(zone.id)
        found[id_] = found[id_].joined(candidate) if id_ in found else candidate
    return found, refused


def _state(id_: str, known: str | None, saved: set[str]) -> str:
    if id_ in saved:
        return State.SAVED.value
    return State.IGNORED.value if known == State.IGNORED else State.REVIEW.value


def _numbers(candidate: Candidate, window: Window) -> dict[str, Any]:
    return {
        "ml": "ML" in candidate.origins,
        "session_identifier": "SessionIdentifier" in candidate.origins,
        "requests": candidate.requests,
        "requests_per_period": candidate.requests / window.periods,
        "score": candidate.score,
        "distinct_paths": candidate.distinct_paths,
        "first_seen": candidate.first_seen,
        "last_seen": candidate.last_seen,
        "examples": list(candidate.examples),
    }


def _differs(before: Any, values: Mapping[str, Any]) -> bool:
    """Tell whether it is time to write numbers anew, or something besides them is new."""
    same = ("state", "ml", "session_identifier")
    counts = ("requests_per_period", "distinct_paths")
    return (
        values["counted_at"] - before.counted_at >= COUNTED_EVERY
        or any(getattr(before, name) != values[name] for name in same)
        or any(abs(getattr(before, name) - values[name]) > HARDLY * getattr(before, name) for name in counts)
    )


def _gone(
    session: Session, zone: Zone, known: Mapping[str, str], found: Mapping[str, Candidate], saved: set[str], rules: Sequence[TemplateRule]
) -> list[str]:
    missing = {id_ for id_ in known if id_ not in found and id_ not in saved}
    ignored = {id_ for id_ in missing if known[id_] == State.IGNORED}
    gone = missing - ignored
    if rules and ignored:
        rows = session.execute(select(Row.id, Row.method, Row.host, Row.endpoint).where(Row.zone_id == zone.id, Row.state == State.IGNORED))
        for id_, *key in rows:
            if id_ in ignored and any(rule.replaces(OperationKey(*key)) for rule in rules):
                gone.add(id_)
    return sorted(gone)


def _batches(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + BATCH] for at in range(0, len(ids), BATCH)]
