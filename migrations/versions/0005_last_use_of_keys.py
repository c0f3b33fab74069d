"""When a key was last used is found by an index, not by reading all that its account ever used."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_usage_rollup_key", "usage_rollup", ["account_id", "key_id", "bucket_start"])


def downgrade() -> None:
    op.drop_index("ix_usage_rollup_key", table_name="usage_rollup")
