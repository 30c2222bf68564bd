"""
Tables of the control plane.

Whatever a gateway enforces is marked `Enforced`: a committed change to such a row raises `Installation.revision`, and the revision is
the version of the snapshot compiled from it. So no change can be stored without a gateway hearing of it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, BigInteger, Dialect, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime, TypeDecorator

MAX_PATH = 512
"""Characters of an event's path that can be searched; the event itself has all of it. An index takes no more on PostgreSQL."""


def new_hex_id() -> str:
    """Make a random identifier of 32 hexadecimal digits, as zones, rulesets and rules have."""
    return uuid4().hex


def new_uuid() -> str:
    """Make a random UUID with dashes, as certificates and schemas have."""
    return str(uuid4())


def now() -> datetime:
    """Tell the time, with its zone, as every column of time stores it."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A time that is UTC on both sides; SQLite forgets the zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert to UTC; a time without a zone is a mistake of ours and raises."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Put the zone back."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The declarative base; identifiers are text, times are UTC."""

    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[str]: JSON, list[dict[str, Any]]: JSON}  # noqa: RUF012


class Enforced:
    """Mark of tables whose content reaches the snapshot."""


class Installation(Base):
    """The one row about this installation: its account, and how often what is enforced has changed."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(String(32), default=new_hex_id)
    account_name: Mapped[str] = mapped_column(String(255), default="hauberk")
    revision: Mapped[int] = mapped_column(default=1)
    revised_at: Mapped[datetime] = mapped_column(default=now)
    limits: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # as in the settings, for the snapshot
    cookie_key: Mapped[str | None] = mapped_column(String(64))  # signs the dashboard's cookies, for all control planes on this database
    created_at: Mapped[datetime] = mapped_column(default=now)


class Token(Base):
    """A REST credential; only the SHA-256 of its text is kept."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_hex_id)
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(255))
    scope: Mapped[str] = mapped_column(String(16))  # read | edit | gateway
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    revoked_at: Mapped[datetime | None]


class Zone(Enforced, Base):
    """A domain under protection; its hosts are names at or below it."""

    __tablename__ = "zones"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_hex_id)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    default_action: Mapped[str] = mapped_column(String(8), default="none")
    override_action: Mapped[str | None] = mapped_column(String(8))


class Host(Enforced, Base):
    """A host name the gateway serves, where it forwards to, and the server certificate it shows."""

    __tablename__ = "hosts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_hex_id)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    upstreams: Mapped[list[str]]
    certificate_pem: Mapped[str] = mapped_column(Text)
    private_key_pem: Mapped[str] = mapped_column(Text)
    self_signed: Mapped[bool]
    from_file: Mapped[bool]  # declared in hauberk.toml: there it is changed, not over REST
    created_at: Mapped[datetime] = mapped_column(default=now)


class CertificateAuthority(Enforced, Base):
    """The managed authority (its key is a file in the state folder), or one that was uploaded (only its certificates)."""

    __tablename__ = "certificate_authorities"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_uuid)
    name: Mapped[str] = mapped_column(String(255))
    managed: Mapped[bool]
    ca: Mapped[bool] = mapped_column(default=True)
    certificates_pem: Mapped[str] = mapped_column(Text)
    issuer: Mapped[str] = mapped_column(Text)
    serial_number: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(64))
    expires_on: Mapped[datetime]
    uploaded_on: Mapped[datetime] = mapped_column(default=now)
    crl_number: Mapped[int] = mapped_column(default=0)


class ClientCertificate(Enforced, Base):
    """A client certificate of the managed authority. Issuing one enforces nothing new; a change of its status does."""

    __tablename__ = "client_certificates"
    # Lists of many certificates are made reading the certificates themselves, 3 KB each.
    __table_args__ = (
        Index("client_certificates_by_zone", "zone_id", "issued_on", "id"),
        Index("client_certificates_by_end", "zone_id", "expires_on", "status", "id"),
        Index("client_certificates_by_status", "zone_id", "status", "issued_on", "id"),
        Index("client_certificates_by_name", "zone_id", "common_name", "status", "issued_on", "expires_on", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_uuid)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"))
    authority_id: Mapped[str] = mapped_column(ForeignKey("certificate_authorities.id"))
    status: Mapped[str] = mapped_column(String(24), index=True)
    certificate_pem: Mapped[str] = mapped_column(Text)
    csr_pem: Mapped[str] = mapped_column(Text)
    serial_number: Mapped[str] = mapped_column(String(64), unique=True)  # decimal
    fingerprint_sha256: Mapped[str] = mapped_column(String(64), index=True)
    ski: Mapped[str] = mapped_column(String(40))
    signature: Mapped[str] = mapped_column(String(64))
    common_name: Mapped[str | None] = mapped_column(Text)
    organization: Mapped[str | None] = mapped_column(Text)
    organizational_unit: Mapped[str | None] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(Text)
    location: Mapped[str | None] = mapped_column(Text)
    validity_days: Mapped[int]
    issued_on: Mapped[datetime]
    expires_on: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class HostnameAssociation(Enforced, Base):
    """A host name on which certificates of one authority are asked for."""

    __tablename__ = "hostname_associations"
    __table_args__ = (UniqueConstraint("zone_id", "authority_id", "hostname"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), index=True)
    authority_id: Mapped[str] = mapped_column(ForeignKey("certificate_authorities.id"), index=True)
    hostname: Mapped[str] = mapped_column(String(255))


class Operation(Enforced, Base):
    """A saved operation: method + host + endpoint. Its id follows from the three and its zone."""

    __tablename__ = "operations"
    __table_args__ = (UniqueConstraint("zone_id", "method", "host", "endpoint"),)

    operation_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), index=True)
    method: Mapped[str] = mapped_column(String(8))
    host: Mapped[str] = mapped_column(String(255))
    endpoint: Mapped[str] = mapped_column(String(4096))
    mitigation_action: Mapped[str | None] = mapped_column(String(8))
    last_updated: Mapped[datetime] = mapped_column(default=now)


class Schema(Enforced, Base):
    """An uploaded OpenAPI document."""

    __tablename__ = "schemas"

    schema_id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_uuid)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(16), default="openapi_v3")
    source: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    # What the document declares: [{"method", "path", "host", "endpoint"}], host already joined for relative servers.
    operations: Mapped[list[dict[str, Any]]]
    warnings: Mapped[list[dict[str, Any]]]
    validation_enabled: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Ruleset(Enforced, Base):
    """The rules of one phase of one zone."""

    __tablename__ = "rulesets"
    __table_args__ = (UniqueConstraint("zone_id", "phase"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_hex_id)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zones.id", ondelete="CASCADE"), index=True)
    phase: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(255), default="default")
    description: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    last_updated: Mapped[datetime] = mapped_column(default=now)


class Rule(Enforced, Base):
    """One rule of a ruleset; `position` orders them from 0."""

    __tablename__ = "rules"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_hex_id)
    ruleset_id: Mapped[str] = mapped_column(ForeignKey("rulesets.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    ref: Mapped[str] = mapped_column(String(255))
    version: Mapped[int] = mapped_column(default=1)
    expression: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(16))
    action_parameters: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    description: Mapped[str] = mapped_column(Text, default="")
    enabled: Mapped[bool] = mapped_column(default=True)
    last_updated: Mapped[datetime] = mapped_column(default=now)


class GatewayStatus(Base):
    """What a gateway last said of itself."""

    __tablename__ = "gateways"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    version: Mapped[int | None]  # the snapshot it enforces; null before the first
    etag: Mapped[str | None] = mapped_column(String(80))  # of that snapshot: after a restore a version may come again
    refused_version: Mapped[int | None]
    refused_reason: Mapped[str | None] = mapped_column(Text)
    events_dropped: Mapped[int] = mapped_column(default=0)
    transactions_dropped: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    started_at: Mapped[datetime]
    last_seen: Mapped[datetime] = mapped_column(default=now)


class OperationMetric(Base):
    """What gateways counted of one operation in one hour; `latency` is a sketch of microseconds."""

    __tablename__ = "operation_metrics"
    __table_args__ = (
        Index("operation_metrics_by_hour", "hour"),
        # All but the sketches, so that a list of thousands can be summed up without reading those.
        Index("operation_metrics_counts", "operation_id", "hour", "requests", "client_errors", "server_errors", "last_seen"),
    )

    operation_id: Mapped[str] = mapped_column(ForeignKey("operations.operation_id", ondelete="CASCADE"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)  # when it began
    requests: Mapped[int] = mapped_column(BigInteger)
    client_errors: Mapped[int] = mapped_column(BigInteger)
    server_errors: Mapped[int] = mapped_column(BigInteger)
    last_seen: Mapped[datetime]
    latency: Mapped[str] = mapped_column(Text)


class OperationMetricBatch(Base):
    """A batch of metrics that was added, so that it is not added again."""

    __tablename__ = "operation_metric_batches"
    __table_args__ = (Index("operation_metric_batches_by_time", "received_at"),)

    batch_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    received_at: Mapped[datetime]


class SecurityEvent(Base):
    """A block or log decision of a gateway; `details` is the event as the gateway wrote it, which never holds a value."""

    __tablename__ = "security_events"
    # What is filtered by stands in the first index, so that a rare value is looked for there and not in a million rows. What most
    # events do not have, or what is rare, has an index of its own.
    __table_args__ = (
        Index("security_events_by_zone", "zone_id", "occurred_at", "action", "source", "method", "status", "path"),
        Index("security_events_by_time", "occurred_at"),
        *(
            Index(f"security_events_by_{name}", name, "occurred_at")
            for name in ("host", "operation_id", "rule_id", "code", "fingerprint", "request_id")
        ),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    zone_id: Mapped[str] = mapped_column(String(32))
    occurred_at: Mapped[datetime]
    host: Mapped[str] = mapped_column(String(255))
    method: Mapped[str] = mapped_column(String(32))
    path: Mapped[str | None] = mapped_column(String(MAX_PATH))
    operation_id: Mapped[str | None] = mapped_column(String(36))
    action: Mapped[str] = mapped_column(String(8))
    status: Mapped[int | None]
    source: Mapped[str] = mapped_column(String(32))
    rule_id: Mapped[str | None] = mapped_column(String(32))
    code: Mapped[str | None] = mapped_column(String(128))  # of the first violation, or of the gateway's own refusal
    fingerprint: Mapped[str | None] = mapped_column(String(64))  # of the client certificate
    request_id: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]]
