"""What can be bounded before a call runs: the condition of selling on credit, or under a cap in money (pure)."""

from app.metering.meter import Meter
from app.pricing.plan import PlanDraft, PlanVersion, Price

_KNOWN_AT_MOST = frozenset({Meter.REQUESTS, Meter.UNITS, Meter.RESULTS})


def unbounded_price_of(plan: PlanDraft | PlanVersion) -> Price | None:
    """Return the first price of the plan that no call can be held to before it runs, None where there is none.

    A call is one request, its inputs are its units, and it has at most one result an input; how long it will compute
    nobody knows.
    """
    return next((price for price in plan.prices if not is_bounded(price)), None)


def is_bounded(price: Price) -> bool:
    """Tell whether a call can be held, before it runs, to the most that it may cost by this price."""
    return price.meter in _KNOWN_AT_MOST
