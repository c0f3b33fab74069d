"""The most that a call may use, known before it runs: what a hold sets aside."""

from collections.abc import Sequence

from app.metering.meter import Meter, Quantities
from app.pricing.plan import Price


def most_of_call(prices: Sequence[Price], items: int) -> Quantities:
    """Return the most that a call with so many inputs is charged for: each input may be a result, where those count.

    `compute_ms` is left out: nobody knows it before, and no price asks for it where there is a hold.
    """
    counts_results = any(price.meter is Meter.RESULTS for price in prices)
    return Quantities(requests=1, units=items, results=items if counts_results else 0)
