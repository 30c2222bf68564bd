"""A zone's session identifiers, in their order, and how they stand in the snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from hauberk.session_identifier import IdentifierType, SessionIdentifier
from hauberk.storage.discovery_tables import ZoneSessionIdentifier


def session_identifiers(session: Session, zone_id: str) -> list[SessionIdentifier]:
    """List a zone's identifiers as they were set."""
    rows = session.scalars(
        select(ZoneSessionIdentifier).where(ZoneSessionIdentifier.zone_id == zone_id).order_by(ZoneSessionIdentifier.position)
    )
    return [SessionIdentifier(cast(IdentifierType, row.type), row.name) for row in rows]


def set_session_identifiers(session: Session, zone_id: str, identifiers: Sequence[SessionIdentifier]) -> None:
    """Replace a zone's identifiers; if they are what they were, nothing changes and no new snapshot is made."""
    rows = {
        row.position: row for row in session.scalars(select(ZoneSessionIdentifier).where(ZoneSessionIdentifier.zone_id == zone_id)).all()
    }
    for position, identifier in enumerate(identifiers):
        row = rows.pop(position, None)
        if row is None:
            session.add(ZoneSessionIdentifier(zone_id=zone_id, position=position, type=identifier.type, name=identifier.name))
        elif (row.type, row.name) != (identifier.type, identifier.name):
            row.type, row.name = identifier.type, identifier.name
    for row in rows.values():
        session.delete(row)
    session.flush()


def enforced_session_identifiers(session: Session, zone_id: str) -> dict[str, Any]:
    """Give what a zone of the snapshot has of them: nothing, if there are none."""
    identifiers = [identifier.normalised() for identifier in session_identifiers(session, zone_id)]
    if not identifiers:
        return {}
    return {"session_identifiers": [{"type": identifier.type, "name": identifier.name} for identifier in identifiers]}
