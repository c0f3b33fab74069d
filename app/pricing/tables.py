"""Tables of plans, their frozen versions, and assignments to accounts."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, SortableId


class PlanRow(Base):
    __tablename__ = "plans"

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    key: Mapped[str] = mapped_column(SortableId, unique=True)
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(Instant)


class PlanVersionRow(Base):
    """`document` is the canonical JSON of everything that was published, `sha256` its digest in hex."""

    __tablename__ = "plan_versions"
    __table_args__ = (
        UniqueConstraint("plan_id", "version"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
    )

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"))
    version: Mapped[int] = mapped_column(Integer)
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(Instant)


class PlanAssignmentRow(Base):
    """Of two assignments that start at one instant, the one with the greater `sequence` counts."""

    __tablename__ = "plan_assignments"
    __table_args__ = (
        UniqueConstraint("account_id", "sequence"),
        CheckConstraint("sequence >= 1", name="sequence"),
    )

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"))
    sequence: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
