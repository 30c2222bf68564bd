"""Tables that let the list of endpoints be filtered and ordered by the database: which schemas declare an operation, and its latency."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hauberk.storage.models import Base


class SchemaOperation(Base):
    """An operation that an uploaded document declares, saved or not; stored with the document, which never changes."""

    __tablename__ = "schema_operations"
    __table_args__ = (Index("schema_operations_by_operation", "operation_id"),)

    schema_id: Mapped[str] = mapped_column(ForeignKey("schemas.schema_id", ondelete="CASCADE"), primary_key=True)
    operation_id: Mapped[str] = mapped_column(String(36), primary_key=True)


class OperationLatency(Base):
    """
    The latency of an operation's last 24 hours, put together as metrics arrive.

    Thousands of operations can then be ordered by it without reading what each had in each hour.
    """

    __tablename__ = "operation_latency"

    operation_id: Mapped[str] = mapped_column(ForeignKey("operations.operation_id", ondelete="CASCADE"), primary_key=True)
    until: Mapped[datetime]  # the hour that the 24 end with began here
    sketch: Mapped[str] = mapped_column(Text)  # microseconds, all those hours together
    p50: Mapped[float]  # in microseconds
    p95: Mapped[float]
    p99: Mapped[float]
