"""What a budget has seen before it was set (pure): one that is set at noon counts the morning, too."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.metering.meter import Quantities
from app.pricing.plan import Price
from app.rating.rate import rate


@dataclass(frozen=True, slots=True)
class UsedPart:
    """Use of one model under one plan version in one billing period, as far as a budget's window goes.

    `before` is how far the account was in its tiers when the window began, `used` what all its keys have used since,
    and `own` what the budget counts of that: all of it, or the part of a key.
    """

    prices: tuple[Price, ...]
    before: Quantities
    used: Quantities
    own: Quantities


def spent_nanos(parts: Iterable[UsedPart]) -> int:
    """Return what the parts cost, in nanos: exactly what they added to the account's charges, of an account.

    A key bears its share by quantity, which is exact where each unit costs the same; under tiers it pays the account's
    average price of the part, rounded up, since nobody can tell which of the keys reached which tier.
    """
    return sum(_own_nanos(price, part) for part in parts for price in part.prices)


def _own_nanos(price: Price, part: UsedPart) -> int:
    used, own = part.used.of(price.meter), part.own.of(price.meter)
    if not own:
        return 0
    nanos = rate(price.scheme, used, position=part.before.of(price.meter))
    return -(-nanos * own // used)
