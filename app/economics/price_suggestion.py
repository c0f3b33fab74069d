"""What a model should cost: from its measured compute, the cost of its device and a margin, exactly."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from app.economics.hardware import HOURS_PER_MONTH, Device, Purchase
from app.errors import Conflict, Invalid
from app.metering.store import ComputeTotal

HOURS_PER_DAY = 24
DAYS_PER_MONTH = HOURS_PER_MONTH / HOURS_PER_DAY
_US_PER_HOUR = 3_600 * 10**6


class NothingMeasured(Conflict):
    """No call of the model has been measured in the time asked for."""

    code = "nothing_measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSuggestion:
    """The figures behind a price, in nanos of the device's currency.

    `price_…` are whole nanos, rounded up; the `per_unit` ones are None for a model that counts no units. Without a
    price nothing breaks even, and without a purchase or a monthly margin nothing pays back: those are None too.
    """

    model: str
    device: Device
    margin: Fraction
    measured: ComputeTotal
    calls_a_day: Fraction
    cost_per_call_nanos: Fraction
    cost_per_unit_nanos: Fraction | None
    price_per_call_nanos: int
    price_per_unit_nanos: int | None
    capacity_calls_a_day: int
    break_even_calls_a_day: int | None
    monthly_margin_nanos: Fraction
    payback_months: int | None


def suggest_price(
    *, model: str, device: Device, margin: Fraction, measured: ComputeTotal, calls_a_day: Fraction
) -> PriceSuggestion:
    """Return a price that keeps the margin, and what follows from it at so many calls a day.

    Raises NothingMeasured without calls or compute, and Invalid for a margin of 100%, which no price can keep.
    """
    if not measured.requests or not measured.compute_us:
        raise NothingMeasured(
            f"no call of {model} has been measured", where="model", hint=f"send some calls to {model}, then ask again"
        )
    if not 0 <= margin < 1:
        raise Invalid("a margin is at least 0% and below 100%", where="margin", hint="write e.g. 60%")
    compute_us_per_call = Fraction(measured.compute_us, measured.requests)
    cost_per_call = cost_of(compute_us_per_call, device)
    cost_per_unit = cost_of(Fraction(measured.compute_us, measured.units), device) if measured.units else None
    price_per_call_nanos = price_of(cost_per_call, margin)
    monthly_margin = monthly_margin_of(price_per_call_nanos, calls_a_day, device)
    return PriceSuggestion(
        model=model,
        device=device,
        margin=margin,
        measured=measured,
        calls_a_day=calls_a_day,
        cost_per_call_nanos=cost_per_call,
        cost_per_unit_nanos=cost_per_unit,
        price_per_call_nanos=price_per_call_nanos,
        price_per_unit_nanos=None if cost_per_unit is None else price_of(cost_per_unit, margin),
        capacity_calls_a_day=int(HOURS_PER_DAY * _US_PER_HOUR / compute_us_per_call),
        break_even_calls_a_day=break_even_calls_a_day(price_per_call_nanos, device),
        monthly_margin_nanos=monthly_margin,
        payback_months=payback_months(monthly_margin, device),
    )


def cost_of(compute_us: Fraction, device: Device) -> Fraction:
    """Return compute time x hourly cost / utilization: idle time is paid for by the work that is sold."""
    return compute_us / _US_PER_HOUR * device.hourly_cost_nanos / device.utilization


def price_of(cost_nanos: Fraction, margin: Fraction) -> int:
    """Return cost / (1 - margin), since margin = (price - cost) / price; rounded up to a nano."""
    return ceil(cost_nanos / (1 - margin))


def break_even_calls_a_day(price_per_call_nanos: int, device: Device) -> int | None:
    """Return daily hardware cost / price, rounded up: so many calls pay for the device, used or idle."""
    if not price_per_call_nanos:
        return None
    return ceil(HOURS_PER_DAY * device.hourly_cost_nanos / price_per_call_nanos)


def monthly_margin_of(price_per_call_nanos: int, calls_a_day: Fraction, device: Device) -> Fraction:
    """Return what a month leaves in cash: calls x price - rent or electricity. A purchase is paid back from it."""
    return calls_a_day * DAYS_PER_MONTH * price_per_call_nanos - HOURS_PER_MONTH * device.hourly_cash_nanos


def payback_months(monthly_margin_nanos: Fraction, device: Device) -> int | None:
    """Return the month in which the margins add up to the purchase price: price / monthly margin, rounded up."""
    if not isinstance(device.cost, Purchase) or monthly_margin_nanos <= 0:
        return None
    return ceil(device.cost.price_nanos / monthly_margin_nanos)
