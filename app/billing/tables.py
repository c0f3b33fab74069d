"""Tables of invoices, their lines, and the counter that numbers them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, SortableId


class InvoiceRow(Base):
    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("account_id", "period_start", "kind", "sequence"),
        Index("ix_invoices_account_id_period_start_id", "account_id", "period_start", "id"),
        CheckConstraint("kind IN ('usage')", name="kind"),
        CheckConstraint("sequence >= 0", name="sequence"),
        CheckConstraint("period_end > period_start", name="period"),
        CheckConstraint(
            "(status = 'draft' AND number IS NULL AND issued_at IS NULL)"
            " OR (status = 'issued' AND number IS NOT NULL AND issued_at >= period_end)",
            name="status",
        ),
        CheckConstraint(
            "subtotal_nanos >= 0 AND tax_nanos >= 0 AND total_nanos = subtotal_nanos + tax_nanos"
            " AND total_nanos <= 1000000000000000000",
            name="total",
        ),
    )

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String)
    sequence: Mapped[int] = mapped_column(Integer)
    number: Mapped[str | None] = mapped_column(SortableId, unique=True)
    status: Mapped[str] = mapped_column(String)
    currency: Mapped[str] = mapped_column(String(3))
    period_start: Mapped[datetime] = mapped_column(Instant)
    period_end: Mapped[datetime] = mapped_column(Instant)
    subtotal_nanos: Mapped[int] = mapped_column(BigInteger)
    tax_nanos: Mapped[int] = mapped_column(BigInteger)
    total_nanos: Mapped[int] = mapped_column(BigInteger)
    computed_at: Mapped[datetime] = mapped_column(Instant)
    issued_at: Mapped[datetime | None] = mapped_column(Instant)


class InvoiceLineRow(Base):
    """`parts` is the calculation as JSON: `[[quantity, unit_price_nanos], …]`, one pair for each tier it touched."""

    __tablename__ = "invoice_lines"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'base_fee' AND model IS NULL AND meter IS NULL)"
            " OR (kind = 'usage' AND model IS NOT NULL AND meter IS NOT NULL)",
            name="kind",
        ),
        CheckConstraint("quantity >= 0 AND exact_nanos >= 0 AND amount_nanos >= 0", name="amounts"),
        CheckConstraint("period_end > period_start", name="period"),
    )

    invoice_id: Mapped[str] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String)
    period_start: Mapped[datetime] = mapped_column(Instant)
    period_end: Mapped[datetime] = mapped_column(Instant)
    plan_version_id: Mapped[str] = mapped_column(ForeignKey("plan_versions.id"))
    plan_key: Mapped[str] = mapped_column(String)
    plan_version: Mapped[int] = mapped_column(Integer)
    model: Mapped[str | None] = mapped_column(String)
    meter: Mapped[str | None] = mapped_column(String)
    quantity: Mapped[int] = mapped_column(BigInteger)
    parts: Mapped[str] = mapped_column(Text)
    exact_nanos: Mapped[int] = mapped_column(BigInteger)
    amount_nanos: Mapped[int] = mapped_column(BigInteger)


class InvoiceNumberRow(Base):
    """The last number that was drawn of a series; drawing locks the row until the invoice is committed."""

    __tablename__ = "invoice_numbers"
    __table_args__ = (CheckConstraint("last_number >= 1", name="last_number"),)

    series: Mapped[str] = mapped_column(String, primary_key=True)
    last_number: Mapped[int] = mapped_column(BigInteger)
