"""What the usage of a month comes to for each model, in each currency: owed, or paid from credit (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.billing.account_charges import AccountCharges


@dataclass(frozen=True, slots=True)
class Earning:
    """What one model earned in one currency, and the calls that did; model None stands for the base fees of plans."""

    model: str | None
    currency: str
    calls: int = 0
    earned_nanos: int = 0


def earnings_of(charges: Iterable[AccountCharges]) -> list[Earning]:
    """Return the exact nanos of all lines and the calls of all usage by model and currency, in order."""
    calls: dict[tuple[str, str], int] = {}
    nanos: dict[tuple[str, str], int] = {}
    for each in charges:
        for total in each.totals:
            key = total.model, each.account.currency
            calls[key] = calls.get(key, 0) + total.quantities.requests
        for line in each.earning_lines:
            key = line.model or "", each.account.currency
            nanos[key] = nanos.get(key, 0) + line.exact_nanos
    return [
        Earning(model or None, currency, calls.get((model, currency), 0), nanos.get((model, currency), 0))
        for model, currency in sorted({*calls, *nanos})
    ]
