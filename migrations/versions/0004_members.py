"""Members: memberships, mailed links, browser sessions, identities, outgoing mail, and playground keys.

A user may be without a password from here on: one who signs in at an OpenID Connect provider.
"""

import secrets

import sqlalchemy as sa
from alembic import op

from app.accounts.password import hash_password
from app.database import Instant, SortableId

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROLES = "('owner', 'developer', 'billing', 'viewer')"
_LIVING_PLAYGROUND_KEY = sa.text("purpose = 'playground' AND revoked_at IS NULL")
_WAITING = sa.text("next_attempt_at IS NOT NULL")
# Which fields a link of each purpose has. A reset link without a user is one that nobody was mailed.
_FIELDS_OF_PURPOSE = (
    "(purpose = 'invitation') = (account_id IS NOT NULL)"
    " AND (purpose = 'invitation') = (role IS NOT NULL)"
    " AND (purpose = 'invitation' OR invited_by IS NULL)"
    " AND (purpose IN ('sign_up', 'invitation')) = (account_name IS NOT NULL)"
    " AND (purpose IN ('reset', 'email_change') OR user_id IS NULL)"
    " AND (purpose <> 'email_change' OR user_id IS NOT NULL)"
)


def upgrade() -> None:
    _create_memberships()
    _create_mailed_links()
    _create_browser_sessions()
    _create_outgoing_mail()
    with op.batch_alter_table("users") as users:
        users.alter_column("password_hash", existing_type=sa.String, nullable=True)
        users.add_column(sa.Column("credentials_version", sa.Integer, nullable=False, server_default="0"))
    with op.batch_alter_table("api_keys") as api_keys:
        api_keys.add_column(sa.Column("purpose", sa.String, nullable=False, server_default="api"))
        api_keys.create_check_constraint("purpose", "purpose IN ('api', 'playground')")
    op.create_index(
        "uq_api_keys_playground",
        "api_keys",
        ["account_id", "live"],
        unique=True,
        sqlite_where=_LIVING_PLAYGROUND_KEY,
        postgresql_where=_LIVING_PLAYGROUND_KEY,
    )
    op.create_index("ix_device_intervals_ended_at", "device_intervals", ["ended_at"])


def downgrade() -> None:
    op.drop_index("ix_device_intervals_ended_at", table_name="device_intervals")
    op.drop_index("uq_api_keys_playground", table_name="api_keys")
    with op.batch_alter_table("api_keys") as api_keys:
        api_keys.drop_constraint(op.f("ck_api_keys_purpose"), type_="check")
        api_keys.drop_column("purpose")
    _give_passwords_that_nobody_knows()
    with op.batch_alter_table("users") as users:
        users.alter_column("password_hash", existing_type=sa.String, nullable=False)
        users.drop_column("credentials_version")
    for table in ("outgoing_mail", "identities", "browser_sessions", "mailed_links", "memberships"):
        op.drop_table(table)


def _give_passwords_that_nobody_knows() -> None:
    """The schema before this one asks for a hash, and its sign-in for one that can be read."""
    hashed = hash_password(secrets.token_urlsafe())
    statement = sa.text("UPDATE users SET password_hash = :hashed WHERE password_hash IS NULL")
    op.execute(statement.bindparams(hashed=hashed))


def _create_memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("account_id", sa.String, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("user_id", sa.String, sa.ForeignKey("users.id"), primary_key=True, index=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.CheckConstraint(f"role IN {_ROLES}", name="role"),
    )


def _create_mailed_links() -> None:
    op.create_table(
        "mailed_links",
        sa.Column("id", SortableId, primary_key=True),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("email", sa.String, nullable=False, index=True),
        sa.Column("account_id", sa.String, sa.ForeignKey("accounts.id"), index=True),
        sa.Column("account_name", sa.String),
        sa.Column("role", sa.String),
        sa.Column("user_id", sa.String, sa.ForeignKey("users.id"), index=True),
        sa.Column("invited_by", sa.String, sa.ForeignKey("users.id")),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("zone", sa.String, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False, index=True),
        sa.Column("used_at", Instant),
        sa.CheckConstraint("purpose IN ('sign_up', 'invitation', 'reset', 'email_change')", name="purpose"),
        sa.CheckConstraint(f"role IN {_ROLES}", name="role"),
        sa.CheckConstraint(_FIELDS_OF_PURPOSE, name="fields_of_purpose"),
    )


def _create_browser_sessions() -> None:
    """Who is signed in, and as whom a provider knows them."""
    op.create_table(
        "browser_sessions",
        sa.Column("id", SortableId, primary_key=True),
        sa.Column("user_id", sa.String, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("last_seen_at", Instant, nullable=False, index=True),
        sa.Column("expires_at", Instant, nullable=False, index=True),
        sa.Column("address", sa.String),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("rotation_due", sa.Boolean, nullable=False),
        sa.Column("password_given_at", Instant),
    )
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String, primary_key=True),
        sa.Column("subject", sa.String, primary_key=True),
        sa.Column("user_id", sa.String, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("created_at", Instant, nullable=False),
    )


def _create_outgoing_mail() -> None:
    op.create_table(
        "outgoing_mail",
        sa.Column("id", SortableId, primary_key=True),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False, index=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", Instant),
        sa.Column("delivered_at", Instant),
        sa.Column("last_error", sa.String),
    )
    op.create_index(
        "ix_outgoing_mail_waiting",
        "outgoing_mail",
        ["next_attempt_at"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
