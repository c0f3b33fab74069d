"""Tables of journal entries, their postings, and credit grants."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, SortableId


class CreditGrantRow(Base):
    """`remaining_nanos` is a cache of the grant's postings; what is gone was drawn, refunded or has expired."""

    __tablename__ = "credit_grants"
    __table_args__ = (
        CheckConstraint("kind IN ('paid', 'promotional')", name="kind"),
        CheckConstraint("amount_nanos BETWEEN 1 AND 1000000000000000000", name="amount_nanos"),
        CheckConstraint("remaining_nanos BETWEEN 0 AND amount_nanos", name="remaining_nanos"),
        CheckConstraint("refunded_nanos >= 0 AND expired_nanos >= 0", name="gone"),
        CheckConstraint("priority BETWEEN 0 AND 100", name="priority"),
        Index("ix_credit_grants_account_id_id", "account_id", "id"),
        Index("uq_credit_grants_creation", "account_id", "creation_id", unique=True),
    )

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String)
    amount_nanos: Mapped[int] = mapped_column(BigInteger)
    remaining_nanos: Mapped[int] = mapped_column(BigInteger)
    refunded_nanos: Mapped[int] = mapped_column(BigInteger)
    expired_nanos: Mapped[int] = mapped_column(BigInteger)
    priority: Mapped[int] = mapped_column(SmallInteger)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    note: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(Instant)
    creation_id: Mapped[str | None] = mapped_column(String)


class JournalEntryRow(Base):
    """One business fact. `source_kind` and `source_id` make it unique, so that no fact is booked twice."""

    __tablename__ = "journal_entries"
    __table_args__ = (
        Index("uq_journal_entries_source", "account_id", "source_kind", "source_id", unique=True),
        Index("ix_journal_entries_account_id_id", "account_id", "id"),
    )

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    currency: Mapped[str] = mapped_column(String(3))
    source_kind: Mapped[str] = mapped_column(String)
    source_id: Mapped[str] = mapped_column(String)
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)


class PostingRow(Base):
    """One leg of an entry: debits above zero, credits below. `grant_id` is empty where no grant is concerned."""

    __tablename__ = "postings"
    __table_args__ = (Index("ix_postings_grant_id", "grant_id"),)

    entry_id: Mapped[str] = mapped_column(SortableId, ForeignKey("journal_entries.id"), primary_key=True)
    ledger_account: Mapped[str] = mapped_column(String, primary_key=True)
    grant_id: Mapped[str] = mapped_column(String, primary_key=True)
    amount_nanos: Mapped[int] = mapped_column(BigInteger)
