"""The charge of one call: exact where the price does not depend on what else was used, else an estimate."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import Invalid
from app.metering.meter import Quantities
from app.money import AMOUNT_NANOS_MAX
from app.pricing.plan import PerUnit, Price
from app.rating.rate import rate


class ChargeTooLarge(Invalid):
    """One call would cost more than one amount can be."""

    code = "charge_too_large"


@dataclass(frozen=True, slots=True)
class CallCharge:
    """`amount_nanos` is what the call adds to the invoice, None where that is known only when the period is rated.

    `estimate_nanos` is the list price at the tiers that the call's units fall into by what was used so far.
    """

    amount_nanos: int | None
    estimate_nanos: int


def charge_of_call(prices: Sequence[Price], quantities: Quantities, positions: Quantities) -> CallCharge:
    """Return the charge of `quantities` after `positions` were used of the same model, period and plan version.

    Raises ChargeTooLarge above 1e9 currency units.
    """
    estimate_nanos = sum(
        rate(price.scheme, quantities.of(price.meter), position=positions.of(price.meter)) for price in prices
    )
    if estimate_nanos > AMOUNT_NANOS_MAX:
        raise ChargeTooLarge("this call would cost more than 1e9 currency units", hint="send fewer inputs in one call")
    exact = all(isinstance(price.scheme, PerUnit) for price in prices)
    return CallCharge(estimate_nanos if exact else None, estimate_nanos)
