"""SQL of economics: what ran on which device, and how long devices were up: the facts that cost is computed from."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.economics.device_time import DeviceCompute
from app.ids import id_bound
from app.metering.tables import BatchRow, DeviceIntervalRow
from app.metering.usage_event import DeviceInterval
from app.period import Period


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """A device that ran batches of a model, the first of them at `first_at`."""

    device: str
    first_at: datetime


def devices_of_model(session: Session, model: str, since: datetime) -> list[DeviceUse]:
    """Return the devices on which the model has run since that instant, by name."""
    rows = session.execute(
        select(BatchRow.device, func.min(BatchRow.started_at))
        .where(BatchRow.model == model, BatchRow.started_at >= since)
        .group_by(BatchRow.device)
        .order_by(BatchRow.device)
    )
    return [DeviceUse(row[0], row[1]) for row in rows]


def compute_by_device(session: Session, period: Period) -> list[DeviceCompute]:
    """Return what each device computed for each model in batches that started in the period, failed ones included."""
    batch = BatchRow
    first, last = id_bound("bat", period.start), id_bound("bat", period.end + timedelta(milliseconds=1))
    rows = session.execute(
        select(batch.device, batch.model, func.sum(batch.compute_us))
        .where(batch.id > first, batch.id < last)  # a batch's id is made at its start, and ids have an index
        .where(batch.started_at >= period.start, batch.started_at < period.end)
        .group_by(batch.device, batch.model)
        .order_by(batch.device, batch.model)
    )
    return [DeviceCompute(row[0], row[1], int(row[2])) for row in rows]


def device_intervals(session: Session, period: Period) -> list[DeviceInterval]:
    """Return the intervals that reach into the period, whole."""
    interval = DeviceIntervalRow
    rows = session.scalars(
        select(interval)
        .where(interval.started_at < period.end, interval.ended_at > period.start)
        .order_by(interval.device, interval.started_at, interval.id)
    )
    return [DeviceInterval(row.id, row.device, row.started_at, row.ended_at) for row in rows]
