"""Tables of counts that outlast what was counted: requests by what became of them, and security events by what they tell."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from hauberk.storage.models import Base


class RequestCount(Base):
    """
    What became of the requests to one host within a minute, or, once that is old, within an hour.

    The six counts from `passed` to `blocked_other` add up to `requests`.
    """

    __tablename__ = "request_counts"
    __table_args__ = (Index("request_counts_by_time", "seconds", "began"),)

    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True)
    seconds: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # how long it lasts: 60 or 3600
    began: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # in seconds since 1970
    host: Mapped[str] = mapped_column(String(255), primary_key=True)  # as the zone has it; a wildcard is one host
    requests: Mapped[int] = mapped_column(BigInteger)
    passed: Mapped[int] = mapped_column(BigInteger)
    logged: Mapped[int] = mapped_column(BigInteger)
    blocked_certificate: Mapped[int] = mapped_column(BigInteger)
    blocked_rule: Mapped[int] = mapped_column(BigInteger)
    blocked_schema: Mapped[int] = mapped_column(BigInteger)
    blocked_other: Mapped[int] = mapped_column(BigInteger)
    protected: Mapped[int] = mapped_column(BigInteger)
    with_certificate: Mapped[int] = mapped_column(BigInteger)
    fallthrough: Mapped[int] = mapped_column(BigInteger)
    client_errors: Mapped[int] = mapped_column(BigInteger)
    server_errors: Mapped[int] = mapped_column(BigInteger)


class EventCount(Base):
    """
    How many security events of one hour had one thing in common: `key` is what they share, of the kind `dimension`.

    Counted when events are stored. It stays when they are deleted.
    """

    __tablename__ = "event_counts"
    __table_args__ = (Index("event_counts_by_time", "hour"),)

    zone_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    hour: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # when it began, in seconds since 1970
    key: Mapped[str] = mapped_column(String(255), primary_key=True)  # empty: all that have no row of their own
    blocked: Mapped[int] = mapped_column(BigInteger)
    logged: Mapped[int] = mapped_column(BigInteger)
    last_seen: Mapped[datetime]
