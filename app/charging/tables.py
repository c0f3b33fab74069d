"""Tables of claims and holds, of the leases by which processes hold them, and of the counters that holds move.

A counter is a cache of what the books say, kept under the lock of its account's gate; the self-audit compares the two.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, SortableId


class ClaimRow(Base):
    __tablename__ = "claims"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done') AND (state = 'done') = (body IS NOT NULL)", name="state"),
        Index("ix_claims_claimed_at", "claimed_at"),
        Index(
            "ix_claims_running",
            "lease_id",
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    account_id: Mapped[str] = mapped_column(String, primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary)
    event_id: Mapped[str] = mapped_column(String)
    lease_id: Mapped[str] = mapped_column(String)
    state: Mapped[str] = mapped_column(String)
    claimed_at: Mapped[datetime] = mapped_column(Instant)
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    content_type: Mapped[str | None] = mapped_column(String)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


class ProcessLeaseRow(Base):
    """`renewals` grows while the process lives: whoever sees it stand still for the lease's time may end it."""

    __tablename__ = "process_leases"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    renewals: Mapped[int] = mapped_column(BigInteger)
    host: Mapped[str] = mapped_column(String)
    pid: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(Instant)


class GateRow(Base):
    """The lock of an account: each row below is read and written under it.

    It has no foreign key: a call that makes the gate would wait for the account's row, which whoever sets a budget
    holds while he waits for the gate.
    """

    __tablename__ = "gates"

    account_id: Mapped[str] = mapped_column(String, primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(Instant)


class GatePositionRow(Base):
    """What an account has used, and what its running calls may use, of a model in a billing period."""

    __tablename__ = "gate_positions"
    __table_args__ = (
        CheckConstraint("held_requests >= 0 AND held_units >= 0 AND held_results >= 0", name="held"),
        Index(
            "ix_gate_positions_held",
            "account_id",
            sqlite_where=text("held_requests > 0"),
            postgresql_where=text("held_requests > 0"),
        ),
    )

    account_id: Mapped[str] = mapped_column(String, primary_key=True)
    period_start: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    plan_version_id: Mapped[str] = mapped_column(String, primary_key=True)
    model: Mapped[str] = mapped_column(String, primary_key=True)
    settled_requests: Mapped[int] = mapped_column(BigInteger)
    settled_units: Mapped[int] = mapped_column(BigInteger)
    settled_results: Mapped[int] = mapped_column(BigInteger)
    held_requests: Mapped[int] = mapped_column(BigInteger)
    held_units: Mapped[int] = mapped_column(BigInteger)
    held_results: Mapped[int] = mapped_column(BigInteger)


class GateCounterRow(Base):
    """What counts against one budget in one of its windows: nanos or units, by the budget's measure."""

    __tablename__ = "gate_counters"
    __table_args__ = (CheckConstraint("settled >= 0 AND held >= 0", name="counts"),)

    account_id: Mapped[str] = mapped_column(String, primary_key=True)
    budget_id: Mapped[str] = mapped_column(String, primary_key=True)
    window_start: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    settled: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger)


class HoldRow(Base):
    """Set aside for a running call, and gone once it is settled or released.

    `position_…` is how far the account was in the tiers of its prices, settled and held, before this call.
    """

    __tablename__ = "holds"
    __table_args__ = (
        Index("ix_holds_account_id", "account_id"),
        Index("ix_holds_lease_id", "lease_id"),
        CheckConstraint("requests >= 0 AND units >= 0 AND results >= 0 AND amount_nanos >= 0", name="quantities"),
    )

    event_id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    account_id: Mapped[str] = mapped_column(String)
    key_id: Mapped[str] = mapped_column(String)
    live: Mapped[bool] = mapped_column()
    lease_id: Mapped[str] = mapped_column(String)
    plan_version_id: Mapped[str] = mapped_column(String)
    model: Mapped[str] = mapped_column(String)
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    requests: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[int] = mapped_column(BigInteger)
    results: Mapped[int] = mapped_column(BigInteger)
    position_requests: Mapped[int] = mapped_column(BigInteger)
    position_units: Mapped[int] = mapped_column(BigInteger)
    position_results: Mapped[int] = mapped_column(BigInteger)
    amount_nanos: Mapped[int] = mapped_column(BigInteger)
    budget_ids: Mapped[str] = mapped_column(String)  # of the counters that it moved, as words


class BudgetAlertRow(Base):
    """A threshold of a budget was passed: told once a window."""

    __tablename__ = "budget_alerts"
    __table_args__ = (
        Index("uq_budget_alerts_once", "budget_id", "window_start", "percent", unique=True),
        Index("ix_budget_alerts_account_id_id", "account_id", "id"),
    )

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    budget_id: Mapped[str] = mapped_column(String)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    key_id: Mapped[str | None] = mapped_column(String)
    measure: Mapped[str] = mapped_column(String)
    window: Mapped[str] = mapped_column(String)
    window_start: Mapped[datetime] = mapped_column(Instant)
    percent: Mapped[int] = mapped_column(SmallInteger)
    limit_value: Mapped[int] = mapped_column(BigInteger)
    used: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)
    mailed_at: Mapped[datetime | None] = mapped_column(Instant)
