"""The usage event: one immutable fact a call; and the facts about the hardware from which cost is computed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from app.errors import InvariantViolation
from app.metering.meter import Quantities

BUCKET = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Outcome(StrEnum):
    """How a call ended. Only a success has billable quantities."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """What one call used. `occurred_at` is the instant of admission and pins the plan version.

    `amount_nanos` is the exact charge where every price is per unit, else None. `live` is False for test keys, whose
    events are counted and never invoiced. `delivered` is False where the client had left before its answer was ready.
    """

    id: str
    account_id: str
    key_id: str
    live: bool
    model: str
    version: int
    plan_version_id: str
    occurred_at: datetime
    outcome: Outcome
    delivered: bool
    units: int
    results: int
    compute_us: int
    queue_us: int
    input_bytes: int
    output_bytes: int
    batch_id: str | None
    amount_nanos: int | None

    def __post_init__(self) -> None:
        if self.outcome is not Outcome.SUCCEEDED and (self.units or self.results or self.amount_nanos):
            raise InvariantViolation(f"{self.id}: a call that failed has a billable quantity")

    @property
    def quantities(self) -> Quantities:
        """The billable quantities: none for a failure."""
        if self.outcome is not Outcome.SUCCEEDED:
            return Quantities()
        return Quantities(requests=1, units=self.units, compute_ms=compute_ms(self.compute_us), results=self.results)

    @property
    def bucket_start(self) -> datetime:
        """The start of the 15-minute UTC bucket: every zone's midnight is a boundary of one."""
        return bucket_start(self.occurred_at)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as it stands in the books, with the instant at which it became durable."""

    event: UsageEvent
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """One run of a model on a device: `items` inputs of `calls` calls, padded to `bucket`."""

    id: str
    model: str
    version: int
    device: str
    engine: str
    started_at: datetime
    ended_at: datetime
    compute_us: int
    calls: int
    items: int
    bucket: int
    items_failed: int
    items_cancelled: int


@dataclass(frozen=True, slots=True)
class DeviceInterval:
    """The time during which one process held a device, busy or idle: `ended_at` moves on while it lives."""

    id: str
    device: str
    started_at: datetime
    ended_at: datetime


def bucket_start(instant: datetime) -> datetime:
    """Return the start of the bucket that holds the instant."""
    return instant - (instant - _EPOCH) % BUCKET


def compute_ms(compute_us: int) -> int:
    """Return device time in whole milliseconds, rounded up, as the meter `compute_ms` counts it."""
    return -(-compute_us // 1000)
