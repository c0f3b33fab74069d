"""How long each device was up in a period, and how long it computed for each model (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.metering.usage_event import DeviceInterval
from app.period import Period

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class DeviceCompute:
    """The device time of all batches of one model on one device."""

    device: str
    model: str
    compute_us: int


@dataclass(frozen=True, slots=True)
class DeviceTime:
    """The wall-clock time of a device, and by model what it computed, of models with any compute."""

    device: str
    up_us: int
    compute_us: Mapping[str, int]


def device_times(
    intervals: Iterable[DeviceInterval], computes: Iterable[DeviceCompute], period: Period
) -> list[DeviceTime]:
    """Return the times of every device that was up in the period or ran a batch, by name."""
    up: dict[str, list[Period]] = {}
    for interval in intervals:
        if interval.started_at < interval.ended_at:
            inside = Period(interval.started_at, interval.ended_at).intersection(period)
            up.setdefault(interval.device, []).extend([inside] if inside else [])
    by_model: dict[str, dict[str, int]] = {}
    for compute in computes:
        if compute.compute_us:
            by_model.setdefault(compute.device, {})[compute.model] = compute.compute_us
    devices = sorted({*(device for device, stretches in up.items() if stretches), *by_model})
    return [DeviceTime(device, united_us(up.get(device, ())), by_model.get(device, {})) for device in devices]


def united_us(stretches: Sequence[Period]) -> int:
    """Return how long the stretches last together; where they overlap, the time counts once.

    A device that two processes share is paid for once.
    """
    total = timedelta()
    covered_until = None
    for stretch in sorted(stretches):
        start = stretch.start if covered_until is None else max(stretch.start, covered_until)
        total += max(stretch.end - start, timedelta())
        covered_until = stretch.end if covered_until is None else max(covered_until, stretch.end)
    return total // _MICROSECOND
