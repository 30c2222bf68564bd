"""lists of client certificates"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("client_certificates_by_zone", "client_certificates")
    op.create_index("client_certificates_by_zone", "client_certificates", ["zone_id", "issued_on", "id"])
    op.create_index("client_certificates_by_end", "client_certificates", ["zone_id", "expires_on", "status", "id"])
    op.create_index("client_certificates_by_status", "client_certificates", ["zone_id", "status", "issued_on", "id"])
    op.create_index(
        "client_certificates_by_name", "client_certificates", ["zone_id", "common_name", "status", "issued_on", "expires_on", "id"]
    )


def downgrade() -> None:
    op.drop_index("client_certificates_by_name", "client_certificates")
    op.drop_index("client_certificates_by_status", "client_certificates")
    op.drop_index("client_certificates_by_end", "client_certificates")
    op.drop_index("client_certificates_by_zone", "client_certificates")
    op.create_index("client_certificates_by_zone", "client_certificates", ["zone_id", "issued_on"])
