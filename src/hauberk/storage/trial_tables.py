"""The table of trials that run in the background."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hauberk.storage.models import Base, new_hex_id, now


class TrialRun(Base):
    """One trial: what was asked, how far it is, and what came of it."""

    __tablename__ = "trials"
    __table_args__ = (Index("trials_by_zone", "zone_id", "created_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_hex_id)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"))
    running_in: Mapped[str | None] = mapped_column(String(32), unique=True)  # the zone while it runs, so that there is one at a time
    state: Mapped[str] = mapped_column(String(16))
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)  # as it was asked for, without the text of a document
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(String(64))  # the control plane that is at it
    lease_until: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]  # when that was asked for
    rows: Mapped[int | None] = mapped_column(BigInteger)  # recorded ones in the window; null until they are counted
    rows_read: Mapped[int] = mapped_column(BigInteger, default=0)
    judged: Mapped[int] = mapped_column(BigInteger, default=0)
    refused: Mapped[int] = mapped_column(BigInteger, default=0)  # of the successful ones
    error: Mapped[str | None] = mapped_column(Text)  # why it failed
    result: Mapped[bytes | None] = mapped_column(LargeBinary)  # JSON, packed by zlib
