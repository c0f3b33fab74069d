"""The scheme `per_unit`: every unit costs the same, wherever in the period it comes."""

from app.pricing.plan import PerUnit
from app.rating.rated_part import RatedPart


def rate_per_unit(scheme: PerUnit, quantity: int) -> tuple[RatedPart, ...]:
    """Return the one part of the calculation; none for no units."""
    return (RatedPart(quantity, scheme.unit_price_nanos),) if quantity else ()
