"""operations by schema, metrics and latency, for the list of endpoints"""

import json

import sqlalchemy as sa
from alembic import op

from hauberk.operation import OperationKey

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schema_operations",
        sa.Column("schema_id", sa.String(length=36), nullable=False),
        sa.Column("operation_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["schema_id"], ["schemas.schema_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("schema_id", "operation_id"),
    )
    op.create_index("schema_operations_by_operation", "schema_operations", ["operation_id"])
    op.create_table(
        "operation_latency",
        sa.Column("operation_id", sa.String(length=36), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sketch", sa.Text(), nullable=False),
        sa.Column("p50", sa.Double(), nullable=False),
        sa.Column("p95", sa.Double(), nullable=False),
        sa.Column("p99", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.operation_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("operation_id"),
    )
    counts = ["operation_id", "hour", "requests", "client_errors", "server_errors", "last_seen"]
    op.create_index("operation_metrics_counts", "operation_metrics", counts)
    _fill()


def downgrade() -> None:
    op.drop_index("operation_metrics_counts", table_name="operation_metrics")
    op.drop_table("operation_latency")
    op.drop_table("schema_operations")


def _fill() -> None:
    connection = op.get_bind()
    declared_by = sa.table("schema_operations", sa.column("schema_id"), sa.column("operation_id"))
    for schema_id, zone_id, operations in connection.execute(sa.text("SELECT schema_id, zone_id, operations FROM schemas")).all():
        declared = json.loads(operations) if isinstance(operations, str) else operations
        keys = {OperationKey(one["method"], one["host"], one["endpoint"]) for one in declared}
        rows = [{"schema_id": schema_id, "operation_id": key.operation_id(zone_id)} for key in keys]
        if rows:
            connection.execute(sa.insert(declared_by), rows)
    # Rows that are older than any hour, so that the next look brings them up to date.
    connection.execute(
        sa.text(
            "INSERT INTO operation_latency (operation_id, until, sketch, p50, p95, p99)"
            " SELECT DISTINCT operation_id, TIMESTAMPTZ '1970-01-01 00:00:00+00', '', 0, 0, 0 FROM operation_metrics"
            if connection.dialect.name == "postgresql"
            else "INSERT INTO operation_latency (operation_id, until, sketch, p50, p95, p99)"
            " SELECT DISTINCT operation_id, '1970-01-01 00:00:00.000000', '', 0, 0, 0 FROM operation_metrics"
        )
    )
