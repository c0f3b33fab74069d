"""The gate: budgets, rate limits, holds and their counters, credit grants, and the ledger that they stand in."""

import sqlalchemy as sa
from alembic import op

from app.database import Instant, SortableId

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_RUNNING = sa.text("state = 'running'")
_HOLDING = sa.text("held_requests > 0")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("gated", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("accounts", sa.Column("creation_id", sa.String))
    op.create_index("uq_accounts_creation_id", "accounts", ["creation_id"], unique=True)
    op.add_column("api_keys", sa.Column("first_key_id", sa.String))
    _create_budgets()
    _create_rate_limits()
    _create_process_leases()
    _create_gates()
    _create_holds()
    _create_budget_alerts()
    _create_credit_grants()
    _create_journal()


def downgrade() -> None:
    op.drop_index("ix_claims_running", "claims")
    for table in (
        "postings",
        "journal_entries",
        "credit_grants",
        "budget_alerts",
        "holds",
        "gate_counters",
        "gate_positions",
        "gates",
        "process_leases",
        "rate_limits",
        "budgets",
    ):
        op.drop_table(table)
    op.create_table(
        "process_leases",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_leases")),
    )
    op.drop_index("uq_accounts_creation_id", "accounts")
    with op.batch_alter_table("accounts") as accounts:
        accounts.drop_column("creation_id")
        accounts.drop_column("gated")
    op.drop_column("api_keys", "first_key_id")


def _create_budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("key_id", sa.String),
        sa.Column("subject_id", sa.String, nullable=False),
        sa.Column("measure", sa.String, nullable=False),
        sa.Column("window", sa.String, nullable=False),
        sa.Column("limit_value", sa.BigInteger, nullable=False),
        sa.Column("hard", sa.Boolean, nullable=False),
        sa.Column("thresholds", sa.String, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.CheckConstraint("measure IN ('money', 'units')", name=op.f("ck_budgets_measure")),
        sa.CheckConstraint("\"window\" IN ('day', 'month', 'total')", name=op.f("ck_budgets_window")),
        sa.CheckConstraint("limit_value BETWEEN 0 AND 1000000000000000000", name=op.f("ck_budgets_limit_value")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_budgets_account_id")),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_budgets_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budgets")),
    )
    op.create_index("ix_budgets_account_id", "budgets", ["account_id"])
    op.create_index("uq_budgets_subject", "budgets", ["subject_id", "measure", "window"], unique=True)


def _create_rate_limits() -> None:
    op.create_table(
        "rate_limits",
        sa.Column("subject_id", sa.String, nullable=False),
        sa.Column("requests_per_minute", sa.Integer),
        sa.Column("units_per_minute", sa.Integer),
        sa.Column("concurrency_max", sa.Integer),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_rate_limits")),
    )


def _create_process_leases() -> None:
    """Leases were judged by the clocks of hosts; what holds them now starts anew with its process anyway."""
    op.drop_table("process_leases")
    op.create_table(
        "process_leases",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("renewals", sa.BigInteger, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process_leases")),
    )
    op.create_index("ix_claims_running", "claims", ["lease_id"], sqlite_where=_RUNNING, postgresql_where=_RUNNING)


def _create_gates() -> None:
    op.create_table(
        "gates",
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("opened_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_gates")),
    )
    quantities = [f"{state}_{meter}" for state in ("settled", "held") for meter in ("requests", "units", "results")]
    op.create_table(
        "gate_positions",
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("period_start", Instant, nullable=False),
        sa.Column("plan_version_id", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in quantities),
        sa.CheckConstraint(
            "held_requests >= 0 AND held_units >= 0 AND held_results >= 0", name=op.f("ck_gate_positions_held")
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "period_start", "plan_version_id", "model", name=op.f("pk_gate_positions")
        ),
    )
    op.create_index(
        "ix_gate_positions_held", "gate_positions", ["account_id"], sqlite_where=_HOLDING, postgresql_where=_HOLDING
    )
    op.create_table(
        "gate_counters",
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("budget_id", sa.String, nullable=False),
        sa.Column("window_start", Instant, nullable=False),
        sa.Column("settled", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.CheckConstraint("settled >= 0 AND held >= 0", name=op.f("ck_gate_counters_counts")),
        sa.PrimaryKeyConstraint("account_id", "budget_id", "window_start", name=op.f("pk_gate_counters")),
    )


def _create_holds() -> None:
    op.create_table(
        "holds",
        sa.Column("event_id", SortableId, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("lease_id", sa.String, nullable=False),
        sa.Column("plan_version_id", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("occurred_at", Instant, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("requests", "units", "results")),
        *(sa.Column(f"position_{name}", sa.BigInteger, nullable=False) for name in ("requests", "units", "results")),
        sa.Column("amount_nanos", sa.BigInteger, nullable=False),
        sa.Column("budget_ids", sa.String, nullable=False),
        sa.CheckConstraint(
            "requests >= 0 AND units >= 0 AND results >= 0 AND amount_nanos >= 0", name=op.f("ck_holds_quantities")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_account_id", "holds", ["account_id"])
    op.create_index("ix_holds_lease_id", "holds", ["lease_id"])


def _create_budget_alerts() -> None:
    op.create_table(
        "budget_alerts",
        sa.Column("id", SortableId, nullable=False),
        sa.Column("budget_id", sa.String, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("key_id", sa.String),
        sa.Column("measure", sa.String, nullable=False),
        sa.Column("window", sa.String, nullable=False),
        sa.Column("window_start", Instant, nullable=False),
        sa.Column("percent", sa.SmallInteger, nullable=False),
        sa.Column("limit_value", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("mailed_at", Instant),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_budget_alerts_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_alerts")),
    )
    op.create_index("uq_budget_alerts_once", "budget_alerts", ["budget_id", "window_start", "percent"], unique=True)
    op.create_index("ix_budget_alerts_account_id_id", "budget_alerts", ["account_id", "id"])


def _create_credit_grants() -> None:
    op.create_table(
        "credit_grants",
        sa.Column("id", SortableId, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        *(
            sa.Column(f"{name}_nanos", sa.BigInteger, nullable=False)
            for name in ("amount", "remaining", "refunded", "expired")
        ),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("expires_at", Instant),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("creation_id", sa.String),
        sa.CheckConstraint("kind IN ('paid', 'promotional')", name=op.f("ck_credit_grants_kind")),
        sa.CheckConstraint(
            "amount_nanos BETWEEN 1 AND 1000000000000000000", name=op.f("ck_credit_grants_amount_nanos")
        ),
        sa.CheckConstraint("remaining_nanos BETWEEN 0 AND amount_nanos", name=op.f("ck_credit_grants_remaining_nanos")),
        sa.CheckConstraint("refunded_nanos >= 0 AND expired_nanos >= 0", name=op.f("ck_credit_grants_gone")),
        sa.CheckConstraint("priority BETWEEN 0 AND 100", name=op.f("ck_credit_grants_priority")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_credit_grants_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_grants")),
    )
    op.create_index("ix_credit_grants_account_id_id", "credit_grants", ["account_id", "id"])
    op.create_index("uq_credit_grants_creation", "credit_grants", ["account_id", "creation_id"], unique=True)


def _create_journal() -> None:
    op.create_table(
        "journal_entries",
        sa.Column("id", SortableId, nullable=False),
        sa.Column("account_id", sa.String, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("source_kind", sa.String, nullable=False),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("occurred_at", Instant, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_journal_entries_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entries")),
    )
    source = ["account_id", "source_kind", "source_id"]
    op.create_index("uq_journal_entries_source", "journal_entries", source, unique=True)
    op.create_index("ix_journal_entries_account_id_id", "journal_entries", ["account_id", "id"])
    op.create_table(
        "postings",
        sa.Column("entry_id", SortableId, nullable=False),
        sa.Column("ledger_account", sa.String, nullable=False),
        sa.Column("grant_id", sa.String, nullable=False),
        sa.Column("amount_nanos", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["journal_entries.id"], name=op.f("fk_postings_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "ledger_account", "grant_id", name=op.f("pk_postings")),
    )
    op.create_index("ix_postings_grant_id", "postings", ["grant_id"])
