"""What a call costs, said in its answer: exact for per-unit prices, else an estimate at the current tier."""

import asyncio
from collections.abc import Sequence

from app.charging.tier_positions import PositionKey, TierPositions
from app.metering.meter import Meter, Quantities
from app.pricing.plan import PerUnit, Price
from app.rating.call_charge import CallCharge, charge_of_call

_START = Quantities()
_ONE_INPUT = Quantities(requests=1, units=1)
_KNOWN_BEFORE = frozenset({Meter.REQUESTS, Meter.UNITS})


def price_of_one(prices: Sequence[Price]) -> int | None:
    """Return what a call with one input costs, in nanos, where the list alone says so; None for what is not sold."""
    known = all(isinstance(price.scheme, PerUnit) and price.meter in _KNOWN_BEFORE for price in prices)
    return charge_of_call(prices, _ONE_INPUT, _START).amount_nanos if prices and known else None


class Quotes:
    """Prices calls; reads the database only where tiers need a position that is not known."""

    def __init__(self, positions: TierPositions) -> None:
        self._positions = positions

    async def quote(self, prices: Sequence[Price], quantities: Quantities, key: PositionKey) -> CallCharge:
        """Return the charge of a call. Raises DatabaseUnavailable, ChargeTooLarge."""
        if all(isinstance(price.scheme, PerUnit) for price in prices):
            return charge_of_call(prices, quantities, _START)
        position = self._positions.known(key)
        if position is None:
            position = await asyncio.to_thread(self._positions.read, key)
        return charge_of_call(prices, quantities, position)

    def settle(self, quantities: Quantities, key: PositionKey) -> None:
        """Count what was recorded towards the tiers of the next calls."""
        self._positions.add(key, quantities)
