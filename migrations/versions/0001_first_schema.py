"""The first schema: accounts, plans, usage, claims, invoices.

Constraint names come from the naming convention of `app.database.Base`. `usage_events` is partitioned by its
time-ordered id on PostgreSQL: one partition a month, made at run time before the month begins, and a default one that
catches what no month has claimed.
"""

import sqlalchemy as sa
from alembic import op

from app.database import Instant, SortableId

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_accounts()
    _create_plans()
    _create_usage()
    _create_hardware_time()
    _create_claims()
    _create_invoices()
    _create_invoice_lines()


def downgrade() -> None:
    for table in (
        "invoice_lines",
        "invoices",
        "invoice_numbers",
        "process_leases",
        "claims",
        "device_intervals",
        "batches",
        "usage_rollup",
        "usage_events",
        "plan_versions",
        "plan_assignments",
        "plans",
        "api_keys",
        "users",
        "change_sequence",
        "accounts",
    ):
        op.drop_table(table)


def _create_accounts() -> None:
    """Who calls and who pays."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("zone", sa.String, nullable=False),
        sa.Column("anchor_day", sa.SmallInteger, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("closed_through", Instant, nullable=True),
        sa.CheckConstraint("anchor_day BETWEEN 1 AND 31", name="anchor_day"),
    )
    op.create_table(
        "change_sequence",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("email", sa.String, nullable=False, unique=True),
        sa.Column("password_hash", sa.String, nullable=False),
        sa.Column("operator", sa.Boolean, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("account_id", sa.String, sa.ForeignKey("accounts.id"), nullable=False, index=True),
        sa.Column("user_id", sa.String, sa.ForeignKey("users.id"), nullable=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("hint", sa.String, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("scopes", sa.String, nullable=False),
        sa.Column("models", sa.String, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=True),
        sa.Column("revoked_at", Instant, nullable=True),
    )


def _create_plans() -> None:
    """Plans, their frozen versions, and who is on which."""
    op.create_table(
        "plans",
        sa.Column("id", SortableId, primary_key=True),
        sa.Column("key", SortableId, nullable=False, unique=True),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
    )
    op.create_table(
        "plan_assignments",
        sa.Column("id", SortableId, primary_key=True),
        sa.Column("account_id", sa.String, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("plan_id", SortableId, sa.ForeignKey("plans.id"), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("starts_at", Instant, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.UniqueConstraint("account_id", "sequence"),
        sa.CheckConstraint("sequence >= 1", name="sequence"),
    )
    op.create_table(
        "plan_versions",
        sa.Column("id", SortableId, primary_key=True),
        sa.Column("plan_id", SortableId, sa.ForeignKey("plans.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("published_at", Instant, nullable=False),
        sa.UniqueConstraint("plan_id", "version"),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.CheckConstraint("length(sha256) = 64", name="sha256"),
    )


def _create_usage() -> None:
    """What was used: events, and their sums in 15-minute buckets."""
    op.create_table(
        "usage_events",
        sa.Column("id", SortableId, primary_key=True),
        sa.Column("account_id", SortableId, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("plan_version_id", sa.String, nullable=False),
        sa.Column("occurred_at", Instant, nullable=False),
        sa.Column("recorded_at", Instant, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("delivered", sa.Boolean, nullable=False),
        sa.Column("units", sa.BigInteger, nullable=False),
        sa.Column("results", sa.BigInteger, nullable=False),
        sa.Column("compute_us", sa.BigInteger, nullable=False),
        sa.Column("queue_us", sa.BigInteger, nullable=False),
        sa.Column("input_bytes", sa.BigInteger, nullable=False),
        sa.Column("output_bytes", sa.BigInteger, nullable=False),
        sa.Column("batch_id", sa.String, nullable=True),
        sa.Column("amount_nanos", sa.BigInteger, nullable=True),
        sa.CheckConstraint(
            "outcome = 'succeeded' OR (units = 0 AND results = 0 AND coalesce(amount_nanos, 0) = 0)",
            name="failed_is_free",
        ),
        sa.CheckConstraint("outcome IN ('succeeded', 'failed')", name="outcome"),
        sa.CheckConstraint(
            "units >= 0 AND results >= 0 AND compute_us >= 0 AND queue_us >= 0"
            " AND coalesce(amount_nanos, 0) BETWEEN 0 AND 1000000000000000000",
            name="quantities",
        ),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_usage_events_account_id_id", "usage_events", ["account_id", "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE TABLE usage_events_default PARTITION OF usage_events DEFAULT")
    op.create_table(
        "usage_rollup",
        sa.Column("account_id", sa.String, primary_key=True),
        sa.Column("bucket_start", Instant, primary_key=True),
        sa.Column("key_id", sa.String, primary_key=True),
        sa.Column("live", sa.Boolean, primary_key=True),
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("plan_version_id", sa.String, primary_key=True),
        sa.Column("outcome", sa.String, primary_key=True),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("units", sa.BigInteger, nullable=False),
        sa.Column("results", sa.BigInteger, nullable=False),
        sa.Column("compute_ms", sa.BigInteger, nullable=False),
        sa.Column("compute_us", sa.BigInteger, nullable=False),
        sa.Column("queue_us", sa.BigInteger, nullable=False),
        sa.Column("input_bytes", sa.BigInteger, nullable=False),
        sa.Column("output_bytes", sa.BigInteger, nullable=False),
    )


def _create_hardware_time() -> None:
    """What the hardware did: batches, and how long each device was up."""
    op.create_table(
        "batches",
        sa.Column("id", SortableId, primary_key=True),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("engine", sa.String, nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("ended_at", Instant, nullable=False),
        sa.Column("compute_us", sa.BigInteger, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("items", sa.Integer, nullable=False),
        sa.Column("bucket", sa.Integer, nullable=False),
        sa.Column("items_failed", sa.Integer, nullable=False),
        sa.Column("items_cancelled", sa.Integer, nullable=False),
    )
    op.create_table(
        "device_intervals",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("ended_at", Instant, nullable=False),
        sa.CheckConstraint("ended_at >= started_at", name="forward"),
    )


def _create_claims() -> None:
    """Claims under idempotency keys, and the leases by which processes hold them."""
    op.create_table(
        "claims",
        sa.Column("account_id", sa.String, primary_key=True),
        sa.Column("idempotency_key", sa.String(255), primary_key=True),
        sa.Column("request_digest", sa.LargeBinary, nullable=False),
        sa.Column("event_id", sa.String, nullable=False),
        sa.Column("lease_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("claimed_at", Instant, nullable=False),
        sa.Column("status_code", sa.SmallInteger, nullable=True),
        sa.Column("content_type", sa.String, nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=True),
        sa.CheckConstraint("state IN ('running', 'done') AND (state = 'done') = (body IS NOT NULL)", name="state"),
    )
    op.create_index("ix_claims_claimed_at", "claims", ["claimed_at"])
    op.create_table(
        "process_leases",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("expires_at", Instant, nullable=False),
    )


def _create_invoices() -> None:
    """Invoices, and the counter that numbers them without gaps."""
    op.create_table(
        "invoice_numbers",
        sa.Column("series", sa.String, primary_key=True),
        sa.Column("last_number", sa.BigInteger, nullable=False),
        sa.CheckConstraint("last_number >= 1", name="last_number"),
    )
    op.create_table(
        "invoices",
        sa.Column("id", SortableId, primary_key=True),
        sa.Column("account_id", sa.String, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("number", SortableId, nullable=True, unique=True),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("period_start", Instant, nullable=False),
        sa.Column("period_end", Instant, nullable=False),
        sa.Column("subtotal_nanos", sa.BigInteger, nullable=False),
        sa.Column("tax_nanos", sa.BigInteger, nullable=False),
        sa.Column("total_nanos", sa.BigInteger, nullable=False),
        sa.Column("computed_at", Instant, nullable=False),
        sa.Column("issued_at", Instant, nullable=True),
        sa.UniqueConstraint("account_id", "period_start", "kind", "sequence"),
        sa.CheckConstraint("kind IN ('usage')", name="kind"),
        sa.CheckConstraint("sequence >= 0", name="sequence"),
        sa.CheckConstraint("period_end > period_start", name="period"),
        sa.CheckConstraint(
            "(status = 'draft' AND number IS NULL AND issued_at IS NULL)"
            " OR (status = 'issued' AND number IS NOT NULL AND issued_at >= period_end)",
            name="status",
        ),
        sa.CheckConstraint(
            "subtotal_nanos >= 0 AND tax_nanos >= 0 AND total_nanos = subtotal_nanos + tax_nanos"
            " AND total_nanos <= 1000000000000000000",
            name="total",
        ),
    )
    op.create_index("ix_invoices_account_id_period_start_id", "invoices", ["account_id", "period_start", "id"])


def _create_invoice_lines() -> None:
    """What an invoice asks for, line by line."""
    op.create_table(
        "invoice_lines",
        sa.Column("invoice_id", SortableId, sa.ForeignKey("invoices.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("period_start", Instant, nullable=False),
        sa.Column("period_end", Instant, nullable=False),
        sa.Column("plan_version_id", SortableId, sa.ForeignKey("plan_versions.id"), nullable=False),
        sa.Column("plan_key", sa.String, nullable=False),
        sa.Column("plan_version", sa.Integer, nullable=False),
        sa.Column("model", sa.String, nullable=True),
        sa.Column("meter", sa.String, nullable=True),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("exact_nanos", sa.BigInteger, nullable=False),
        sa.Column("amount_nanos", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "(kind = 'base_fee' AND model IS NULL AND meter IS NULL)"
            " OR (kind = 'usage' AND model IS NOT NULL AND meter IS NOT NULL)",
            name="kind",
        ),
        sa.CheckConstraint("quantity >= 0 AND exact_nanos >= 0 AND amount_nanos >= 0", name="amounts"),
        sa.CheckConstraint("period_end > period_start", name="period"),
    )
