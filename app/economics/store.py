"""SQL of economics: on which devices a model ran. Batches are the facts that cost is computed from."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.metering.tables import BatchRow


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
