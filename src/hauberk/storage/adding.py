"""Adding to rows of counts, whether they are there or not, in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import case
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hauberk.storage.models import Base


def add_to_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], *, latest: str | None = None) -> None:
    """
    Add rows of counts to those of the same key.

    Args:
        session: A session that writes.

        table: A table whose columns are its key and counts.

        rows: With all columns; of two with the same key the counts are added as well.

        latest: The one column that is no count: the later of both stays.
    """
    if not rows:
        return
    keys = [column.name for column in table.__table__.primary_key]
    # In one order, so that two control planes do not wait for each other.
    ordered = sorted(rows, key=lambda row: tuple(str(row[name]) for name in keys))
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table)
    sums = {column.name: column + insert.excluded[column.name] for column in table.__table__.columns if column.name not in {*keys, latest}}
    if latest is not None:
        own, new = table.__table__.columns[latest], insert.excluded[latest]
        sums[latest] = case((new > own, new), else_=own)
    session.execute(insert.on_conflict_do_update(index_elements=keys, set_=sums), ordered)
