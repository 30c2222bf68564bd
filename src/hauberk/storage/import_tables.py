"""The table of captures that were brought over REST, and what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hauberk.storage.models import Base, now


class CaptureImport(Base):
    """A capture: waiting, being read, or what came of it."""

    __tablename__ = "capture_imports"
    __table_args__ = (Index("capture_imports_by_time", "zone_id", "created_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))  # the file's, for people
    format: Mapped[str | None] = mapped_column(String(16))  # as it was given, then as it was told
    default_host: Mapped[str | None] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16))  # waiting | running | done | failed | cancelled
    phase: Mapped[str | None] = mapped_column(String(16))  # checking | reading | keeping, while it is running
    bytes: Mapped[int] = mapped_column(BigInteger)
    bytes_read: Mapped[int] = mapped_column(BigInteger, default=0)
    transactions: Mapped[int] = mapped_column(BigInteger, default=0)  # that are kept
    no_request: Mapped[int] = mapped_column(BigInteger, default=0)
    unreadable: Mapped[int] = mapped_column(BigInteger, default=0)
    other_hosts: Mapped[int] = mapped_column(BigInteger, default=0)
    hosts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)  # the busiest of the zone
    hosts_left_out: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)  # the busiest that are not of the zone
    first_unreadable: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    first_hour: Mapped[datetime | None]
    last_hour: Mapped[datetime | None]
    cut_short: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    told_at: Mapped[datetime] = mapped_column(default=now)  # when the control plane that has the file last said so
