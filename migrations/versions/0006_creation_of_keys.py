"""A form makes one key, however often it is sent: each form has an id, and the key remembers it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("creation_id", sa.String))
    op.create_index("uq_api_keys_creation", "api_keys", ["account_id", "creation_id"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_api_keys_creation", table_name="api_keys")
    op.drop_column("api_keys", "creation_id")
