"""What a device's wall-clock time cost, shared exactly over the models that ran on it (pure).

A model bears its compute at the device's hourly cost, and of the idle time a part in proportion to its compute. Nanos
are dealt by the largest remainder, so that the shares sum to the cost of the wall-clock time, whatever the figures are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.economics.device_time import DeviceTime
from app.economics.hardware import Device

_US_PER_HOUR = 3_600 * 10**6


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What one model bears of one device: `cost_nanos` for its compute, `idle_nanos` for its part of the idle time."""

    model: str
    cost_nanos: int
    idle_nanos: int


@dataclass(frozen=True, slots=True)
class DeviceCost:
    """The cost of a device's wall-clock time and its shares by model; without any, all of it is nobody's idle time."""

    device: str
    currency: str
    up_us: int
    wall_nanos: int
    shares: tuple[ModelCost, ...]


def device_cost(time: DeviceTime, device: Device) -> DeviceCost:
    """Return the cost of a device's time at its hourly cost; `utilization` says nothing here, idle time is measured.

    Batches that ran at once, or just before a crash whose last seconds nobody noted, may have computed for longer than
    the device is known to have been up: then they share its wall-clock cost and there is no idle time.
    """
    nanos_per_us = device.hourly_cost_nanos / _US_PER_HOUR
    wall_nanos = time.up_us * nanos_per_us
    busy_us = sum(time.compute_us.values())
    busy_nanos = min(busy_us, time.up_us) * nanos_per_us
    parts = [Fraction(compute_us, busy_us) for compute_us in time.compute_us.values()]
    exact = [*(busy_nanos * part for part in parts), *((wall_nanos - busy_nanos) * part for part in parts)]
    whole = round(wall_nanos)
    dealt = deal(whole, exact) if exact else []
    costs, idles = dealt[: len(parts)], dealt[len(parts) :]
    shares = tuple(map(ModelCost, time.compute_us, costs, idles))
    return DeviceCost(time.device, device.currency, time.up_us, whole, shares)


def deal(total: int, shares: Sequence[Fraction]) -> list[int]:
    """Return each share as a whole number beside it, so that they sum to `total`: the sum of the shares, rounded.

    What rounding down leaves goes to the largest remainders, one each, the earlier share first among equals.
    """
    whole = [share.numerator // share.denominator for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda index: whole[index] - shares[index])
    for index in by_remainder[: total - sum(whole)]:
        whole[index] += 1
    return whole
