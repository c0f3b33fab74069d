"""A month's margins: every nano that came in, and every nano that the hardware cost while it was up (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from app.billing.month_preview import UncountedAccount
from app.economics.device_cost import DeviceCost, device_cost
from app.economics.device_time import DeviceTime
from app.economics.earnings import Earning
from app.economics.hardware import Hardware
from app.economics.margin import ModelMargin, margin_of, model_margins
from app.period import Month, Period

_MICROSECOND = timedelta(microseconds=1)
_DAY_US = timedelta(days=1) // _MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class UnattributedDevice:
    """A device whose time no model bears: no batch ran on it, or the hardware file does not declare it.

    Without a declaration neither its currency nor its cost is known.
    """

    device: str
    up_us: int
    currency: str | None = None
    idle_nanos: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyTotal:
    """All amounts of one currency, those that belong to no model too. Exactly: cost + idle = wall-clock cost."""

    currency: str
    earned_nanos: int
    base_fee_nanos: int
    cost_nanos: int
    idle_nanos: int
    wall_nanos: int

    @property
    def margin(self) -> Fraction | None:
        """The share of earnings and base fees that the hardware leaves."""
        return margin_of(self.earned_nanos + self.base_fee_nanos, self.wall_nanos)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginReport:
    """A UTC month, or `period`, the part of it that has passed.

    What was earned is what the invoices of the accounts' periods that start in the month charge: an account whose
    period begins late in the month brings in what it used until late in the next. What `uncounted` accounts owe cannot
    be computed: it is in no figure.
    """

    month: Month
    period: Period
    models: tuple[ModelMargin, ...]
    unattributed: tuple[UnattributedDevice, ...]
    totals: tuple[CurrencyTotal, ...]
    uncounted: tuple[UncountedAccount, ...] = ()


def margin_report(
    month: Month, period: Period, *, earnings: Sequence[Earning], times: Sequence[DeviceTime], hardware: Hardware
) -> MarginReport:
    """Return the margins of a month from what was earned, and from the devices' time at their declared cost."""
    devices = [(time, hardware.find(time.device)) for time in times]
    costs = [device_cost(time, device) for time, device in devices if device]
    undeclared = [time for time, device in devices if not device]
    days = Fraction((period.end - period.start) // _MICROSECOND, _DAY_US)
    cost_unknown = {model for time in undeclared for model in time.compute_us}
    return MarginReport(
        month=month,
        period=period,
        models=model_margins(earnings, costs, cost_unknown=cost_unknown, days=days),
        unattributed=(
            *(_without_batch(cost) for cost in costs if not cost.shares),
            *(UnattributedDevice(device=time.device, up_us=time.up_us) for time in undeclared),
        ),
        totals=_totals(earnings, costs),
    )


def _without_batch(cost: DeviceCost) -> UnattributedDevice:
    return UnattributedDevice(device=cost.device, up_us=cost.up_us, currency=cost.currency, idle_nanos=cost.wall_nanos)


def _totals(earnings: Sequence[Earning], costs: Sequence[DeviceCost]) -> tuple[CurrencyTotal, ...]:
    currencies = {earning.currency for earning in earnings} | {cost.currency for cost in costs}
    return tuple(
        _total_of(
            currency,
            [earning for earning in earnings if earning.currency == currency],
            [cost for cost in costs if cost.currency == currency],
        )
        for currency in sorted(currencies)
    )


def _total_of(currency: str, earnings: Sequence[Earning], costs: Sequence[DeviceCost]) -> CurrencyTotal:
    without_batch = sum(cost.wall_nanos for cost in costs if not cost.shares)
    return CurrencyTotal(
        currency=currency,
        earned_nanos=sum(each.earned_nanos for each in earnings if each.model is not None),
        base_fee_nanos=sum(each.earned_nanos for each in earnings if each.model is None),
        cost_nanos=sum(share.cost_nanos for cost in costs for share in cost.shares),
        idle_nanos=sum(share.idle_nanos for cost in costs for share in cost.shares) + without_batch,
        wall_nanos=sum(cost.wall_nanos for cost in costs),
    )
