"""Tables of discovery: what was found, what identifies sessions, the owner's rules on templates, and how the last look went."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from hauberk.storage.leases import LeasedRun
from hauberk.storage.models import Base, Enforced, new_hex_id, now


class DiscoveredOperation(Base):
    """
    A candidate. Its id is the one its operation has once it is saved, so that a row here and a saved operation find each other.

    `state` says `saved` as long as that operation is there: `storage/operations.py` sets it with each that is saved or deleted.
    """

    __tablename__ = "discovered_operations"
    __table_args__ = (
        Index("discovered_operations_by_state", "zone_id", "state"),
        Index("discovered_operations_by_place", "zone_id", "host", "method"),
        Index("discovered_operations_by_requests", "zone_id", "requests_per_period"),
        Index("discovered_operations_by_time", "zone_id", "counted_at"),
        Index("discovered_operations_by_change", "zone_id", "change_id"),
        Index("discovered_operations_by_score", "zone_id", "score"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"))
    method: Mapped[str] = mapped_column(String(8))
    host: Mapped[str] = mapped_column(String(255))
    endpoint: Mapped[str] = mapped_column(String(4096))
    state: Mapped[str] = mapped_column(String(8))
    ml: Mapped[bool]
    session_identifier: Mapped[bool]
    requests: Mapped[int] = mapped_column(BigInteger)  # in the whole window
    requests_per_period: Mapped[float]  # mean over the periods of the window
    score: Mapped[float | None]
    distinct_paths: Mapped[int] = mapped_column(BigInteger)
    first_seen: Mapped[datetime | None]
    last_seen: Mapped[datetime | None]
    examples: Mapped[list[str]]
    found_at: Mapped[datetime] = mapped_column(default=now)
    counted_at: Mapped[datetime] = mapped_column(default=now)  # when the numbers were last brought up to date
    last_updated: Mapped[datetime] = mapped_column(default=now)  # those, or the state
    change_id: Mapped[str | None] = mapped_column(String(32))  # of the change of many that gave it its state
    state_before: Mapped[str | None] = mapped_column(String(8))  # and what that was before it
    series: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True)
    )  # requests over the window: `since`, `step_seconds`, `requests`


class ZoneSessionIdentifier(Enforced, Base):
    """One of the places where a zone's requests carry their session; `position` orders them from 0."""

    __tablename__ = "session_identifiers"

    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(1024))


class OwnerTemplateRule(Base):
    """An owner's rule on path templates; they outlast every refresh."""

    __tablename__ = "template_rules"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_hex_id)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # pin | split
    host: Mapped[str] = mapped_column(String(255))
    method: Mapped[str | None] = mapped_column(String(8))
    endpoint: Mapped[str] = mapped_column(String(4096))
    segment: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class DiscoveryRun(LeasedRun, Base):
    """A zone's discovery; its phases are `reading`, `grouping` and `recording`."""

    __tablename__ = "discovery_runs"

    paths_read: Mapped[int] = mapped_column(BigInteger, default=0)
    operations_found: Mapped[int] = mapped_column(BigInteger, default=0)
    candidates: Mapped[int] = mapped_column(BigInteger, default=0)
    refused: Mapped[int] = mapped_column(BigInteger, default=0)
    # What was found and is no candidate, `discovery/thresholds.py`.
    below: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    series_at: Mapped[datetime | None]  # when candidates' traffic over time was last counted
    # The owner has set or cleared session identifiers, so none is set by itself any more.
    identifiers_chosen: Mapped[bool] = mapped_column(default=False)
