"""Tables of learning: what was seen of each operation, the schemas learned from it, and which of them is in force."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hauberk.storage.leases import LeasedRun
from hauberk.storage.models import Base, Enforced, new_uuid, now


class LearningRun(LeasedRun, Base):
    """A zone's learning; its phases are `reading` and `learning`."""

    __tablename__ = "learning_runs"

    rows_read: Mapped[int] = mapped_column(BigInteger, default=0)
    operations: Mapped[int] = mapped_column(default=0)  # saved ones, of which
    operations_done: Mapped[int] = mapped_column(default=0)  # looked at so far
    new_versions: Mapped[int] = mapped_column(default=0)
    cancelled_at: Mapped[datetime | None]  # somebody has asked that the run ends, or it ended because of that


class LearnedPart(Base):
    """A folder of the traffic store, as far as a zone has learned from it."""

    __tablename__ = "learned_parts"

    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True)
    part: Mapped[str] = mapped_column(String(255), primary_key=True)  # the folder's name
    digest: Mapped[str] = mapped_column(String(64))  # of what decides how rows are read: operations, identifiers, settings


class LearnedHour(Base):
    """An hour of a folder whose rows are in the profiles: each is counted in the transaction that adds its row here."""

    __tablename__ = "learned_hours"
    __table_args__ = (Index("learned_hours_by_time", "zone_id", "hour"),)

    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True)
    part: Mapped[str] = mapped_column(String(255), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)  # when it began
    digest: Mapped[str] = mapped_column(String(64))  # of the names of its segments: another one means that something has changed
    rows: Mapped[int] = mapped_column(BigInteger)  # fewer: retention deleted some; as many: segments were merged; more: they were late


class OperationProfile(Base):
    """What one day's rows in one folder show of one operation."""

    __tablename__ = "operation_profiles"

    operation_id: Mapped[str] = mapped_column(ForeignKey("operations.operation_id", ondelete="CASCADE"), primary_key=True)
    part: Mapped[str] = mapped_column(String(255), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # days since 1970-01-01, UTC
    profile: Mapped[bytes] = mapped_column(LargeBinary)  # as the core writes and merges it
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of it, so that an unchanged one need not be read


class OperationLearning(Base):
    """How learning stands for an operation."""

    __tablename__ = "operation_learning"

    operation_id: Mapped[str] = mapped_column(ForeignKey("operations.operation_id", ondelete="CASCADE"), primary_key=True)
    outcome: Mapped[str | None] = mapped_column(String(24))  # a `LearningState`; null before the first run
    requests: Mapped[int] = mapped_column(BigInteger, default=0)  # successful ones that were learned from, in the window
    samples: Mapped[int] = mapped_column(BigInteger, default=0)  # of these, those that count
    bodies_missing: Mapped[bool] = mapped_column(default=False)  # requests had bodies, and none was recorded
    error: Mapped[str | None] = mapped_column(Text)  # why it failed
    digest: Mapped[str | None] = mapped_column(String(64))  # of all that went in, so that the same need not be worked out again
    last_version: Mapped[int] = mapped_column(default=0)  # the highest number there ever was
    since: Mapped[datetime | None]  # the owner has asked to forget what came before this hour
    looked_at: Mapped[datetime | None]


class LearnedVersion(Base):
    """A schema that was learned of an operation."""

    __tablename__ = "learned_versions"

    operation_id: Mapped[str] = mapped_column(ForeignKey("operations.operation_id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # from 1
    schema_id: Mapped[str] = mapped_column(String(36), unique=True, default=new_uuid)
    created_at: Mapped[datetime] = mapped_column(default=now)
    digest: Mapped[str] = mapped_column(String(64))  # of the schema without its evidence
    content: Mapped[bytes] = mapped_column(LargeBinary)  # `LearnedOperation` as JSON, packed by zlib
    requests: Mapped[int] = mapped_column(BigInteger)
    samples: Mapped[int] = mapped_column(BigInteger)
    probability: Mapped[float]  # that the next legitimate request breaks it
    statements: Mapped[int]  # how many it makes


class AppliedSchema(Enforced, Base):
    """The learned schema that is in force for an operation, unless an uploaded one is."""

    __tablename__ = "applied_learned_schemas"

    operation_id: Mapped[str] = mapped_column(ForeignKey("operations.operation_id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    schema_id: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)  # the document that gateways compile
    applied_at: Mapped[datetime] = mapped_column(default=now)
    version_before: Mapped[int | None]  # in force before it
    rolled_back: Mapped[bool] = mapped_column(default=False)  # by the owner, so nothing newer is applied by itself


class LearningHost(Base):
    """What the owner wants of a host's operations."""

    __tablename__ = "learning_hosts"

    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), primary_key=True)
    host: Mapped[str] = mapped_column(String(255), primary_key=True)  # as operations name it
    auto_apply: Mapped[bool]
