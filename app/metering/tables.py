"""Tables of usage events, their rollup, batches and device intervals.

Usage events carry no foreign keys: they are written on the hot path, from ids that were read a moment before.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, SortableId

_FAILED_IS_FREE = "outcome = 'succeeded' OR (units = 0 AND results = 0 AND coalesce(amount_nanos, 0) = 0)"


class UsageEventRow(Base):
    __tablename__ = "usage_events"
    __table_args__ = (
        CheckConstraint(_FAILED_IS_FREE, name="failed_is_free"),
        CheckConstraint("outcome IN ('succeeded', 'failed')", name="outcome"),
        CheckConstraint(
            "units >= 0 AND results >= 0 AND compute_us >= 0 AND queue_us >= 0"
            " AND coalesce(amount_nanos, 0) BETWEEN 0 AND 1000000000000000000",
            name="quantities",
        ),
        Index("ix_usage_events_account_id_id", "account_id", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    account_id: Mapped[str] = mapped_column(SortableId)
    key_id: Mapped[str] = mapped_column(String)
    live: Mapped[bool] = mapped_column()
    model: Mapped[str] = mapped_column(String)
    version: Mapped[int] = mapped_column(Integer)
    plan_version_id: Mapped[str] = mapped_column(String)
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    outcome: Mapped[str] = mapped_column(String)
    delivered: Mapped[bool] = mapped_column()
    units: Mapped[int] = mapped_column(BigInteger)
    results: Mapped[int] = mapped_column(BigInteger)
    compute_us: Mapped[int] = mapped_column(BigInteger)
    queue_us: Mapped[int] = mapped_column(BigInteger)
    input_bytes: Mapped[int] = mapped_column(BigInteger)
    output_bytes: Mapped[int] = mapped_column(BigInteger)
    batch_id: Mapped[str | None] = mapped_column(String)
    amount_nanos: Mapped[int | None] = mapped_column(BigInteger)


class UsageRollupRow(Base):
    __tablename__ = "usage_rollup"
    __table_args__ = (Index("ix_usage_rollup_key", "account_id", "key_id", "bucket_start"),)

    account_id: Mapped[str] = mapped_column(String, primary_key=True)
    bucket_start: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    key_id: Mapped[str] = mapped_column(String, primary_key=True)
    live: Mapped[bool] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(String, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    plan_version_id: Mapped[str] = mapped_column(String, primary_key=True)
    outcome: Mapped[str] = mapped_column(String, primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)
    requests: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[int] = mapped_column(BigInteger)
    results: Mapped[int] = mapped_column(BigInteger)
    compute_ms: Mapped[int] = mapped_column(BigInteger)
    compute_us: Mapped[int] = mapped_column(BigInteger)
    queue_us: Mapped[int] = mapped_column(BigInteger)
    input_bytes: Mapped[int] = mapped_column(BigInteger)
    output_bytes: Mapped[int] = mapped_column(BigInteger)


class BatchRow(Base):
    __tablename__ = "batches"

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    model: Mapped[str] = mapped_column(String)
    version: Mapped[int] = mapped_column(Integer)
    device: Mapped[str] = mapped_column(String)
    engine: Mapped[str] = mapped_column(String)
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime] = mapped_column(Instant)
    compute_us: Mapped[int] = mapped_column(BigInteger)
    calls: Mapped[int] = mapped_column(Integer)
    items: Mapped[int] = mapped_column(Integer)
    bucket: Mapped[int] = mapped_column(Integer)
    items_failed: Mapped[int] = mapped_column(Integer)
    items_cancelled: Mapped[int] = mapped_column(Integer)


class DeviceIntervalRow(Base):
    __tablename__ = "device_intervals"
    __table_args__ = (CheckConstraint("ended_at >= started_at", name="forward"),)

    id: Mapped[str] = mapped_column(String, primary_key=True)
    device: Mapped[str] = mapped_column(String)
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime] = mapped_column(Instant, index=True)
