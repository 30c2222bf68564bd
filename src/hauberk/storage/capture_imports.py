"""Imports of captures: what waits, how far one is, what came of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, Select, delete, select, update
from sqlalchemy.orm import Session

from hauberk.errors import Conflict, NotFound
from hauberk.storage.import_tables import CaptureImport
from hauberk.storage.models import now

# Of each zone; a list for people.
MAX_REMEMBERED = 100
# A control plane that has not spoken of its imports for so long has ended, and its state folder is gone with it.
SILENT_AFTER = timedelta(minutes=5)
UNDER_WAY = ("waiting", "running")
GONE = "the control plane that had the file has ended; nothing of it was kept"


def imports_of(zone_id: str) -> Select[CaptureImport]:
    """Select a zone's imports, the newest first."""
    return select(CaptureImport).where(CaptureImport.zone_id == zone_id).order_by(CaptureImport.created_at.desc(), CaptureImport.id)


def find_import(session: Session, zone_id: str, import_id: str) -> CaptureImport:
    """
    Find an import.

    Raises:
        NotFound: If the zone has none of this id.
    """
    row = session.get(CaptureImport, import_id.lower()) if "\0" not in import_id else None
    if row is None or row.zone_id != zone_id:
        raise NotFound(f"the zone has no import '{import_id[:64]}'")
    return row


def add_import(session: Session, row: CaptureImport) -> None:
    """Note a capture that waits, and forget those that are long done."""
    session.add(row)
    session.flush()
    kept = imports_of(row.zone_id).with_only_columns(CaptureImport.id).limit(MAX_REMEMBERED)
    old = delete(CaptureImport).where(
        CaptureImport.zone_id == row.zone_id, CaptureImport.state.not_in(UNDER_WAY), CaptureImport.id.not_in(kept.scalar_subquery())
    )
    session.execute(old, execution_options={"synchronize_session": False})


def waiting_imports(session: Session, ids: list[str]) -> list[CaptureImport]:
    """List those of these imports that still wait, the one that has waited longest first."""
    query = select(CaptureImport).where(CaptureImport.id.in_(ids), CaptureImport.state == "waiting")
    return list(session.scalars(query.order_by(CaptureImport.created_at, CaptureImport.id)))


def tell_import(session: Session, import_id: str, **values: Any) -> bool:
    """Note how far an import is, or how it ended; false if it was cancelled, or its zone deleted."""
    statement = update(CaptureImport).where(CaptureImport.id == import_id, CaptureImport.state.in_(UNDER_WAY))
    result = session.execute(statement.values(told_at=now(), **values), execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)  # noqa: S101 - of an UPDATE it is one
    return result.rowcount == 1


def cancel_import(session: Session, zone_id: str, import_id: str) -> CaptureImport:
    """
    Cancel an import that waits or is being read; whoever reads it stops, and nothing of it is kept.

    Raises:
        NotFound: If the zone has none of this id.
        Conflict: If it is too late.
    """
    row = find_import(session, zone_id, import_id)
    if row.state in UNDER_WAY and row.phase == "keeping":
        raise Conflict("the capture has been read and is being put into the traffic store; that is not cancelled any more")
    if row.state not in UNDER_WAY:
        raise Conflict(f"the import is not under way: it is {row.state}")
    row.state, row.phase, row.finished_at = "cancelled", None, now()
    return row


def still_there(session: Session, ids: list[str]) -> None:
    """Say that files which wait are still there."""
    statement = update(CaptureImport).where(CaptureImport.id.in_(ids), CaptureImport.state == "waiting").values(told_at=now())
    session.execute(statement, execution_options={"synchronize_session": False})


def import_json(row: CaptureImport) -> dict[str, Any]:
    """Render an import."""
    silent = row.state in UNDER_WAY and now() - row.told_at > SILENT_AFTER
    return {
        "id": row.id,
        "name": row.name,
        "state": "failed" if silent else row.state,
        "phase": None if silent else row.phase,
        "format": row.format,
        "default_host": row.default_host,
        "bytes": row.bytes,
        "bytes_read": row.bytes_read,
        "transactions": row.transactions,
        "left_out": {"unreadable": row.unreadable, "no_request": row.no_request, "other_hosts": row.other_hosts},
        "first_unreadable": row.first_unreadable,
        "hosts": row.hosts,
        "hosts_left_out": row.hosts_left_out,
        "first_hour": row.first_hour and row.first_hour.isoformat(),
        "last_hour": row.last_hour and row.last_hour.isoformat(),
        "cut_short": row.cut_short,
        "error": GONE if silent else row.error,
        "created_at": row.created_at.isoformat(),
        "started_at": row.started_at and row.started_at.isoformat(),
        "finished_at": row.finished_at and row.finished_at.isoformat(),
    }
