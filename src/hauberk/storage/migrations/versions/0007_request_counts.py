"""
counts of requests and of events; what events are filtered by

Events that are there get their new columns, and are counted, in batches.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BATCH = 2000
VERDICTS = ("passed", "logged", "blocked_certificate", "blocked_rule", "blocked_schema", "blocked_other")
COUNTS = ("requests", *VERDICTS, "protected", "with_certificate", "fallthrough", "client_errors", "server_errors")
BY_ITSELF = ("host", "operation_id", "rule_id", "code", "fingerprint", "request_id")
DIMENSIONS = {"rule": "rule_id", "code": "code", "operation": "operation_id", "host": "host", "source": "source", "client": "fingerprint"}
MAX_KEYS = {"host": 500, "client": 500, "code": 500}


def upgrade() -> None:
    op.create_table(
        "request_counts",
        sa.Column("zone_id", sa.String(length=32), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("zone_id", "seconds", "began", "host"),
    )
    op.create_index("request_counts_by_time", "request_counts", ["seconds", "began"])
    op.create_table(
        "event_counts",
        sa.Column("zone_id", sa.String(length=32), nullable=False),
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("blocked", sa.BigInteger(), nullable=False),
        sa.Column("logged", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("zone_id", "dimension", "hour", "key"),
    )
    op.create_index("event_counts_by_time", "event_counts", ["hour"])
    # Not in batch mode, which copies the table: new columns without a value cost nothing.
    op.add_column("security_events", sa.Column("path", sa.String(length=512), nullable=True))
    op.add_column("security_events", sa.Column("status", sa.Integer(), nullable=True))
    op.add_column("security_events", sa.Column("rule_id", sa.String(length=32), nullable=True))
    op.add_column("security_events", sa.Column("code", sa.String(length=128), nullable=True))
    op.add_column("security_events", sa.Column("fingerprint", sa.String(length=64), nullable=True))
    op.drop_index("security_events_by_zone", table_name="security_events")
    op.drop_index("ix_security_events_operation_id", table_name="security_events")
    op.drop_index("ix_security_events_request_id", table_name="security_events")
    _tell_events_apart()
    columns = ["zone_id", "occurred_at", "action", "source", "method", "status", "path"]
    op.create_index("security_events_by_zone", "security_events", columns)
    for name in BY_ITSELF:
        op.create_index(f"security_events_by_{name}", "security_events", [name, "occurred_at"])


def _tell_events_apart() -> None:
    connection = op.get_bind()
    columns: list[sa.Column[Any]] = [
        sa.Column(name, sa.Text()) for name in ("id", "zone_id", "path", "rule_id", "code", "fingerprint", "host", "source")
    ]
    columns += [sa.Column(name, sa.Text()) for name in ("operation_id", "action")]
    columns += [sa.Column("occurred_at", sa.DateTime(timezone=True)), sa.Column("status", sa.Integer()), sa.Column("details", sa.JSON())]
    events = sa.table("security_events", *columns)
    update = events.update().where(events.c.id == sa.bindparam("known"))
    counts: dict[tuple[str, str, int], dict[str, list[Any]]] = defaultdict(dict)
    for rows in _batches(connection, events):
        changed = []
        for row in rows:
            told = {**row, **_columns_of(row["details"])}
            changed.append({"known": row["id"], **{name: told[name] for name in ("path", "status", "rule_id", "code", "fingerprint")}})
            _count(counts, told)
        connection.execute(update, changed)
    _store(connection, counts)


def _batches(connection: sa.Connection, events: sa.TableClause) -> Iterator[list[dict[str, Any]]]:
    last = ""
    while rows := [
        dict(row) for row in connection.execute(sa.select(events).where(events.c.id > last).order_by(events.c.id).limit(BATCH)).mappings()
    ]:
        last = rows[-1]["id"]
        yield rows


def _columns_of(details: Any) -> dict[str, Any]:
    event = json.loads(details) if isinstance(details, str) else details
    violation, certificate, status = event.get("violation"), event.get("client_certificate"), event.get("status")
    code = None
    if isinstance(violation, dict):
        parts = [violation.get("error_class"), violation.get("error_detail")]
        code = ".".join(part for part in parts if isinstance(part, str) and part) or None
    fingerprint = certificate.get("fingerprint_sha256") if isinstance(certificate, dict) else None
    return {
        "path": _text(event.get("path"), 512),
        "status": status if type(status) is int and 0 <= status <= 999 else None,
        "rule_id": _text(event.get("rule_id"), 32),
        "code": _text(code, 128),
        "fingerprint": _text(fingerprint, 64),
    }


def _text(value: Any, length: int) -> str | None:
    return value.encode(errors="replace").decode().replace("\0", "")[:length] or None if isinstance(value, str) else None


def _count(counts: dict[tuple[str, str, int], dict[str, list[Any]]], event: dict[str, Any]) -> None:
    at = event["occurred_at"]
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    hour = int(at.timestamp()) // 3600 * 3600
    for dimension, column in DIMENSIONS.items():
        if not event[column]:
            continue
        keys = counts[event["zone_id"], dimension, hour]
        key = event[column] if event[column] in keys or len(keys) < MAX_KEYS.get(dimension, sys.maxsize) else ""
        one = keys.setdefault(key, [0, 0, datetime.min.replace(tzinfo=UTC)])
        one[0 if event["action"] == "block" else 1] += 1
        one[2] = max(one[2], at)


def _store(connection: sa.Connection, counts: dict[tuple[str, str, int], dict[str, list[Any]]]) -> None:
    names = ("zone_id", "dimension", "hour", "key", "blocked", "logged", "last_seen")
    types: dict[str, Any] = {
        "hour": sa.BigInteger(),
        "blocked": sa.BigInteger(),
        "logged": sa.BigInteger(),
        "last_seen": sa.DateTime(timezone=True),
    }
    table = sa.table("event_counts", *(sa.Column(name, types.get(name, sa.Text())) for name in names))
    rows = [dict(zip(names, (*place, key, *one), strict=True)) for place, keys in counts.items() for key, one in keys.items()]
    for at in range(0, len(rows), BATCH):
        connection.execute(table.insert(), rows[at : at + BATCH])


def downgrade() -> None:
    for name in (*BY_ITSELF, "zone"):
        op.drop_index(f"security_events_by_{name}", table_name="security_events")
    for name in ("fingerprint", "code", "rule_id", "status", "path"):
        op.drop_column("security_events", name)
    op.create_index("ix_security_events_operation_id", "security_events", ["operation_id"])
    op.create_index("ix_security_events_request_id", "security_events", ["request_id"])
    op.create_index("security_events_by_zone", "security_events", ["zone_id", "occurred_at"])
    op.drop_table("event_counts")
    op.drop_table("request_counts")
