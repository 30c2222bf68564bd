"""Saved operations: found, saved, deleted, and what is done about requests that break their schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from hauberk.errors import NotFound
from hauberk.mitigation import MitigationAction
from hauberk.operation import OperationKey
from hauberk.storage.candidates import follow_operations
from hauberk.storage.models import Operation, now

# Below the number of variables SQLite and PostgreSQL take in one statement.
BATCH = 5000

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
    rows = _rows(session, zone_id, (id_ for id_ in wanted if "\0" not in id_))
    for id_ in wanted:
        if id_ not in rows:
            raise NotFound(f"the zone has no operation '{id_[:64]}': it may have been deleted, or edited, which gives it another id")
    return [rows[id_] for id_ in wanted]


def save_operations(session: Session, zone_id: str, keys: Iterable[OperationKey]) -> list[Operation]:
    """
    Save operations; those that are saved already keep their settings and are dated anew.

    Returns:
        A row for each key; equal keys have one row.
    """
    wanted = [(key.operation_id(zone_id), key) for key in keys]
    rows = _rows(session, zone_id, (operation_id for operation_id, _ in wanted))
    _date(session, list(rows.values()))
    for operation_id, key in wanted:
        if operation_id not in rows:
            rows[operation_id] = Operation(operation_id=operation_id, zone_id=zone_id, **key._asdict(), last_updated=now())
            session.add(rows[operation_id])
    session.flush()
    follow_operations(session, list(rows), saved=True)
    return [rows[operation_id] for operation_id, _ in wanted]


def delete_operations(session: Session, rows: Iterable[Operation]) -> None:
    """Delete operations, and what was known about them."""
    deleted = list(rows)
    for row in deleted:
        session.delete(row)
    follow_operations(session, [row.operation_id for row in deleted], saved=False)


def set_actions(session: Session, zone_id: str, actions: Mapping[str, MitigationAction | None]) -> list[Operation]:
    """
    Set what is done about requests that break the schema of these operations; `None` means the zone's default.

    Raises:
        NotFound: If the zone lacks one of them; nothing is set then.
    """
    rows = find_operations(session, zone_id, list(actions))
    for row, action in zip(rows, actions.values(), strict=True):
        row.mitigation_action = None if action is None else action.value
    return rows


def _rows(session: Session, zone_id: str, operation_ids: Iterable[str]) -> dict[str, Operation]:
    rows: dict[str, Operation] = {}
    for batch in _batches(operation_ids):
        rows |= {row.operation_id: row for row in session.scalars(operations_of(zone_id).where(Operation.operation_id.in_(batch)))}
    return rows


def _date(session: Session, rows: Sequence[Operation]) -> None:
    """Date rows anew past the unit of work: it changes nothing that gateways enforce, so it makes no new snapshot."""
    for batch in _batches(row.operation_id for row in rows):
        statement = update(Operation).where(Operation.operation_id.in_(batch)).values(last_updated=now())
        session.execute(statement, execution_options={"synchronize_session": False})
    for row in rows:
        session.refresh(row, ["last_updated"])


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(ids)
    while batch := list(islice(iterator, BATCH)):
        yield batch
