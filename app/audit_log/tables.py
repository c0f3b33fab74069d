"""The table of the audit log.

It has no foreign keys: an entry outlives what it tells of.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, SortableId

_WITH_ADDRESS = text("actor_address IS NOT NULL")


class AuditEntryRow(Base):
    """`details` is a JSON object of texts."""

    __tablename__ = "audit_log"
    __table_args__ = (
        CheckConstraint("actor_kind IN ('user', 'key', 'installation')", name="actor_kind"),
        Index("ix_audit_log_account_id_id", "account_id", "id"),
        Index("ix_audit_log_with_address", "occurred_at", sqlite_where=_WITH_ADDRESS, postgresql_where=_WITH_ADDRESS),
    )

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    actor_kind: Mapped[str] = mapped_column(String)
    actor_id: Mapped[str] = mapped_column(String)
    actor_address: Mapped[str | None] = mapped_column(String)
    action: Mapped[str] = mapped_column(String)
    target: Mapped[str] = mapped_column(String)
    account_id: Mapped[str | None] = mapped_column(String)
    details: Mapped[str] = mapped_column(Text)
