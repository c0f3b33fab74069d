"""Rating: a quantity and a scheme give an amount, exactly."""

from typing import assert_never

from app.errors import InvariantViolation
from app.pricing.plan import Graduated, PerUnit, Scheme
from app.rating.graduated import rate_graduated
from app.rating.per_unit import rate_per_unit
from app.rating.rated_part import RatedPart


def rate(scheme: Scheme, quantity: int, *, position: int = 0) -> int:
    """Return what `quantity` units cost in nanos after `position` units of the same period were used.

    It is the marginal cost: `rate(q, position=p) == rate(p + q) - rate(p)`. Raises InvariantViolation below zero.
    """
    return sum(part.amount_nanos for part in rate_parts(scheme, quantity, position=position))


def rate_parts(scheme: Scheme, quantity: int, *, position: int = 0) -> tuple[RatedPart, ...]:
    """Return the same as a calculation that explains itself: the units that fall into each price, in order."""
    if quantity < 0 or position < 0:
        raise InvariantViolation(f"a quantity is zero or more: {quantity} at position {position}")
    match scheme:
        case PerUnit():
            return rate_per_unit(scheme, quantity)
        case Graduated():
            return rate_graduated(scheme, quantity, position)
        case _:
            assert_never(scheme)
