"""metrics of operations"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operation_metrics",
        sa.Column("operation_id", sa.String(length=36), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("client_errors", sa.BigInteger(), nullable=False),
        sa.Column("server_errors", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latency", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.operation_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("operation_id", "hour"),
    )
    op.create_index("operation_metrics_by_hour", "operation_metrics", ["hour"])
    op.create_table(
        "operation_metric_batches",
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("batch_id"),
    )
    op.create_index("operation_metric_batches_by_time", "operation_metric_batches", ["received_at"])
    with op.batch_alter_table("gateways") as table:
        table.add_column(sa.Column("transactions_dropped", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("gateways") as table:
        table.drop_column("transactions_dropped")
    op.drop_table("operation_metric_batches")
    op.drop_table("operation_metrics")
