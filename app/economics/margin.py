"""What each model earned, what its hardware cost, and what is left (pure). Currencies are never added up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from app.economics.device_cost import DeviceCost
from app.economics.earnings import Earning


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMargin:
    """One model in one currency; `calls` are those that invoices of that currency count.

    `margin` is (earned - cost - idle) / earned, and `break_even_calls_a_day` how many such calls would have paid for
    cost and idle. Both are None for a model that earned nothing, and for one whose cost is not known in this currency:
    it has amounts in another, or ran on a device that nobody declared.
    """

    model: str
    currency: str
    calls: int
    earned_nanos: int
    cost_nanos: int
    idle_nanos: int
    margin: Fraction | None
    break_even_calls_a_day: int | None


@dataclass(slots=True)
class _Amounts:
    """The sums of one line, while they grow."""

    calls: int = 0
    earned_nanos: int = 0
    cost_nanos: int = 0
    idle_nanos: int = 0


def model_margins(
    earnings: Sequence[Earning], costs: Sequence[DeviceCost], *, cost_unknown: Collection[str], days: Fraction
) -> tuple[ModelMargin, ...]:
    """Return a line for each model and currency, by name, over so many days.

    `cost_unknown` are the models that ran on a device that nobody declared.
    """
    lines = _sums_of(earnings, costs)
    currencies: dict[str, set[str]] = {}
    for (model, currency), sums in lines.items():
        if sums.earned_nanos or sums.cost_nanos or sums.idle_nanos:
            currencies.setdefault(model, set()).add(currency)
    comparable = {model for model, own in currencies.items() if len(own) == 1} - set(cost_unknown)
    return tuple(_margin_of(*key, lines[key], days if key[0] in comparable else None) for key in sorted(lines))


def margin_of(earned_nanos: int, spent_nanos: int) -> Fraction | None:
    """Return the share of what was earned that remains, below zero where more was spent; None of nothing."""
    return Fraction(earned_nanos - spent_nanos, earned_nanos) if earned_nanos else None


def _sums_of(earnings: Sequence[Earning], costs: Sequence[DeviceCost]) -> dict[tuple[str, str], _Amounts]:
    lines: dict[tuple[str, str], _Amounts] = {}
    for earning in earnings:
        if earning.model is not None:
            sums = lines.setdefault((earning.model, earning.currency), _Amounts())
            sums.calls += earning.calls
            sums.earned_nanos += earning.earned_nanos
    for cost in costs:
        for share in cost.shares:
            sums = lines.setdefault((share.model, cost.currency), _Amounts())
            sums.cost_nanos += share.cost_nanos
            sums.idle_nanos += share.idle_nanos
    return lines


def _margin_of(model: str, currency: str, sums: _Amounts, days: Fraction | None) -> ModelMargin:
    """Return one line; `days` is None where earned and spent cannot be compared."""
    spent_nanos = sums.cost_nanos + sums.idle_nanos
    comparable = days is not None and sums.earned_nanos > 0
    break_even = ceil(spent_nanos * sums.calls / (sums.earned_nanos * days)) if comparable and days else None
    return ModelMargin(
        model=model,
        currency=currency,
        calls=sums.calls,
        earned_nanos=sums.earned_nanos,
        cost_nanos=sums.cost_nanos,
        idle_nanos=sums.idle_nanos,
        margin=margin_of(sums.earned_nanos, spent_nanos) if comparable else None,
        break_even_calls_a_day=break_even,
    )
