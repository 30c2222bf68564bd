"""Tables beside the learned schemas: the rules that owners have relaxed, and the alerts on drift."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hauberk.storage.models import Base, new_hex_id, now


class RelaxedRule(Base):
    """A statement that is not to be made of an operation any more, whatever the traffic shows; the owner can take that back."""

    __tablename__ = "relaxed_rules"

    operation_id: Mapped[str] = mapped_column(ForeignKey("operations.operation_id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256 of the rule, which may be too long for an index
    rule: Mapped[str] = mapped_column(Text)  # as `Statement.rule`
    because: Mapped[str | None] = mapped_column(Text)  # another rule, which this one would take the place of if it were learned
    relaxed_at: Mapped[datetime] = mapped_column(default=now)


class DriftAlert(Base):
    """
    Something that requests show and the schema in force does not say, told once.

    Method, host and endpoint are kept beside the operation's id: an alert outlasts the operation.
    """

    __tablename__ = "drift_alerts"
    __table_args__ = (Index("drift_alerts_by_zone", "zone_id", "raised_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_hex_id)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"))
    operation_id: Mapped[str] = mapped_column(String(36))
    method: Mapped[str] = mapped_column(String(8))
    host: Mapped[str] = mapped_column(String(255))
    endpoint: Mapped[str] = mapped_column(String(4096))
    kind: Mapped[str] = mapped_column(String(16))  # a `learning.drift.Kind`
    pointer: Mapped[str] = mapped_column(Text)  # empty where the whole operation is meant
    keyword: Mapped[str] = mapped_column(String(64))
    summary: Mapped[str] = mapped_column(Text)  # in words, without a value of the traffic
    refused: Mapped[bool]  # the schema in force refuses such requests, where it blocks
    samples: Mapped[int]
    sources: Mapped[int]
    version: Mapped[int | None]  # the learned version in force
    refreshed_version: Mapped[int | None]  # the newest one, which may say what is new
    breaking: Mapped[bool]  # that one may refuse requests which the one in force lets through
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # from the one to the other; may hold values of an enumeration
    raised_at: Mapped[datetime] = mapped_column(default=now)
    acknowledged_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]  # to the webhook


class DriftChange(Base):
    """A change that was told, so that it is not told again: not even when its alert was deleted."""

    __tablename__ = "drift_changes"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)  # of zone, operation and what changed
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"))
    told_at: Mapped[datetime] = mapped_column(default=now)
