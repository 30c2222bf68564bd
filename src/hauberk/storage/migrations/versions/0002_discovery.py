"""discovery"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "discovered_operations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("zone_id", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("endpoint", sa.String(length=4096), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("ml", sa.Boolean(), nullable=False),
        sa.Column("session_identifier", sa.Boolean(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("requests_per_period", sa.Double(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("distinct_paths", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("examples", sa.JSON(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("discovered_operations", schema=None) as batch_op:
        batch_op.create_index("discovered_operations_by_place", ["zone_id", "host", "method"], unique=False)
        batch_op.create_index("discovered_operations_by_requests", ["zone_id", "requests_per_period"], unique=False)
        batch_op.create_index("discovered_operations_by_state", ["zone_id", "state"], unique=False)
        batch_op.create_index("discovered_operations_by_time", ["zone_id", "counted_at"], unique=False)

    op.create_table(
        "discovery_runs",
        sa.Column("zone_id", sa.String(length=32), nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phase", sa.String(length=16), nullable=True),
        sa.Column("paths_read", sa.BigInteger(), nullable=False),
        sa.Column("operations_found", sa.BigInteger(), nullable=False),
        sa.Column("candidates", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("identifiers_chosen", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("zone_id"),
    )
    op.create_table(
        "session_identifiers",
        sa.Column("zone_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=1024), nullable=False),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("zone_id", "position"),
    )
    op.create_table(
        "template_rules",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("zone_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=True),
        sa.Column("endpoint", sa.String(length=4096), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("template_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_template_rules_zone_id"), ["zone_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("template_rules", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_template_rules_zone_id"))

    op.drop_table("template_rules")
    op.drop_table("session_identifiers")
    op.drop_table("discovery_runs")
    with op.batch_alter_table("discovered_operations", schema=None) as batch_op:
        batch_op.drop_index("discovered_operations_by_time")
        batch_op.drop_index("discovered_operations_by_state")
        batch_op.drop_index("discovered_operations_by_requests")
        batch_op.drop_index("discovered_operations_by_place")

    op.drop_table("discovered_operations")
