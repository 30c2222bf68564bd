"""imports of captures; candidates moved in bulk, and their traffic over time"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "capture_imports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("zone_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=True),
        sa.Column("default_host", sa.String(length=255), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), nullable=False),
        sa.Column("transactions", sa.BigInteger(), nullable=False),
        sa.Column("no_request", sa.BigInteger(), nullable=False),
        sa.Column("unreadable", sa.BigInteger(), nullable=False),
        sa.Column("other_hosts", sa.BigInteger(), nullable=False),
        sa.Column("hosts", sa.JSON(), nullable=False),
        sa.Column("hosts_left_out", sa.JSON(), nullable=False),
        sa.Column("first_unreadable", sa.JSON(), nullable=False),
        sa.Column("first_hour", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_hour", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cut_short", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("capture_imports_by_time", "capture_imports", ["zone_id", "created_at"])
    with op.batch_alter_table("discovered_operations") as table:
        table.add_column(sa.Column("change_id", sa.String(length=32), nullable=True))
        table.add_column(sa.Column("state_before", sa.String(length=8), nullable=True))
        table.add_column(sa.Column("series", sa.JSON(), nullable=True))
    op.create_index("discovered_operations_by_change", "discovered_operations", ["zone_id", "change_id"])
    op.create_index("discovered_operations_by_score", "discovered_operations", ["zone_id", "score"])
    with op.batch_alter_table("discovery_runs") as table:
        table.add_column(sa.Column("below", sa.JSON(), nullable=True))
        table.add_column(sa.Column("series_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("discovery_runs") as table:
        table.drop_column("series_at")
        table.drop_column("below")
    op.drop_index("discovered_operations_by_score", "discovered_operations")
    op.drop_index("discovered_operations_by_change", "discovered_operations")
    with op.batch_alter_table("discovered_operations") as table:
        table.drop_column("series")
        table.drop_column("state_before")
        table.drop_column("change_id")
    op.drop_table("capture_imports")
