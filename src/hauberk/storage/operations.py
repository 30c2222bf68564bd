"""Saved operations: found, saved, deleted, and what is done about requests that break their schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal

from sqlalchemy import ColumnElement, Select, delete, insert, select, update
from sqlalchemy.orm import Session

from hauberk.errors import NotFound
from hauberk.mitigation import MitigationAction
from hauberk.operation import OperationKey
from hauberk.storage.candidates import follow_operations
from hauberk.storage.database import raise_revision
from hauberk.storage.models import Operation, now

# Below the number of variables SQLite and PostgreSQL take in one statement.
BATCH = 5000

# Thousands are changed by statements; whoever changes them so has no row of theirs in hand.
_IN_SQL = {"synchronize_session": False}

Order = Literal["method", "host", "endpoint"]


def operations_of(zone_id: str) -> Select[Operation]:
    """Select the operations of a zone, in no order yet."""
    return select(Operation).where(Operation.zone_id == zone_id)


def filter_operations(
    query: Select[Operation], *, hosts: Sequence[str] = (), methods: Sequence[str] = (), endpoint: str | None = None
) -> Select[Operation]:
    """
    Narrow a selection of operations.

    Args:
        query: The selection.

        hosts: Only these hosts; none means all.

        methods: Only these methods; none means all.

        endpoint: Only endpoints that contain this text, in whatever case.
    """
    if hosts:
        query = query.where(Operation.host.in_(hosts))
    if methods:
        query = query.where(Operation.method.in_(methods))
    if endpoint:
        query = query.where(Operation.endpoint.icontains(endpoint, autoescape=True))
    return query


def order_operations(query: Select[Operation], order: Order | None, *, descending: bool) -> Select[Operation]:
    """Order by one column, then host, endpoint and method, so that pages neither repeat nor leave out a row."""
    columns: dict[str, ColumnElement[str]] = {
        "host": Operation.host.expression,
        "endpoint": Operation.endpoint.expression,
        "method": Operation.method.expression,
    }
    names = [order, *(name for name in columns if name != order)] if order else list(columns)
    return query.order_by(*(columns[name].desc() if descending else columns[name].asc() for name in names))


def find_operation(session: Session, zone_id: str, operation_id: str) -> Operation:
    """
    Find a saved operation.

    Raises:
        NotFound: If the zone has none of this id.
    """
    return find_operations(session, zone_id, [operation_id])[0]


def find_operations(session: Session, zone_id: str, operation_ids: Sequence[str]) -> list[Operation]:
    """
    Find saved operations, in the order of the ids.

    Raises:
        NotFound: If the zone lacks one of them; the message names the first.
    """
    wanted = [operation_id.lower() for operation_id in operation_ids]
    rows: dict[str, Operation] = {}
    for batch in _batches(_possible(wanted)):
        rows |= {row.operation_id: row for row in session.scalars(operations_of(zone_id).where(Operation.operation_id.in_(batch)))}
    _check_all_are_there(wanted, rows)
    return [rows[id_] for id_ in wanted]


def save_operations(session: Session, zone_id: str, keys: Iterable[OperationKey]) -> list[str]:
    """
    Save operations; those that are saved already keep their settings and are dated anew.

    Returns:
        The id of each key's operation; equal keys have one.
    """
    wanted = [(key.operation_id(zone_id), key) for key in keys]
    moment = now()
    known = own_actions(session, zone_id, [operation_id for operation_id, _ in wanted])
    for batch in _batches(known):  # which changes nothing that gateways enforce
        session.execute(update(Operation).where(Operation.operation_id.in_(batch)).values(last_updated=moment), execution_options=_IN_SQL)
    new = {
        id_: {"operation_id": id_, "zone_id": zone_id, **key._asdict(), "last_updated": moment} for id_, key in wanted if id_ not in known
    }
    if new:
        session.execute(insert(Operation), list(new.values()))
        raise_revision(session)
    follow_operations(session, list(dict(wanted)), saved=True)
    return [operation_id for operation_id, _ in wanted]


def delete_operations(session: Session, operation_ids: Sequence[str]) -> None:
    """Delete saved operations, and what was known about them."""
    for batch in _batches(operation_ids):
        session.execute(delete(Operation).where(Operation.operation_id.in_(batch)), execution_options=_IN_SQL)
    if operation_ids:
        raise_revision(session)
    follow_operations(session, operation_ids, saved=False)


def set_actions(session: Session, zone_id: str, actions: Mapping[str, MitigationAction | None]) -> None:
    """
    Set what is done about requests that break the schema of these operations; `None` means the zone's default.

    Raises:
        NotFound: If the zone lacks one of them; nothing is set then.
    """
    wanted = {operation_id.lower(): action and action.value for operation_id, action in actions.items()}
    known = own_actions(session, zone_id, wanted)
    _check_all_are_there(wanted, known)
    changed = defaultdict(list)
    for operation_id, action in wanted.items():
        if known[operation_id] != action:
            changed[action].append(operation_id)
    for action, ids in changed.items():
        for batch in _batches(ids):
            statement = update(Operation).where(Operation.operation_id.in_(batch)).values(mitigation_action=action)
            session.execute(statement, execution_options=_IN_SQL)
    if changed:
        raise_revision(session)


def own_actions(session: Session, zone_id: str, operation_ids: Iterable[str]) -> dict[str, str | None]:
    """Give the own actions of those that are saved, by id."""
    query = operations_of(zone_id).with_only_columns(Operation.operation_id, Operation.mitigation_action)
    return {
        operation_id: action
        for batch in _batches(_possible(operation_ids))
        for operation_id, action in session.execute(query.where(Operation.operation_id.in_(batch)))
    }


def _possible(operation_ids: Iterable[str]) -> Iterator[str]:
    """Leave out what PostgreSQL takes for no text."""
    return (operation_id for operation_id in operation_ids if "\0" not in operation_id)


def _check_all_are_there(wanted: Iterable[str], known: Container[str]) -> None:
    for id_ in wanted:
        if id_ not in known:
            raise NotFound(f"the zone has no operation '{id_[:64]}': it may have been deleted, or edited, which gives it another id")


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(ids)
    while batch := list(islice(iterator, BATCH)):
        yield batch
