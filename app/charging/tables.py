"""Tables of claims and of the leases by which processes hold them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class ClaimRow(Base):
    __tablename__ = "claims"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done') AND (state = 'done') = (body IS NOT NULL)", name="state"),
        Index("ix_claims_claimed_at", "claimed_at"),
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
    __tablename__ = "process_leases"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant)
