"""The scheme `graduated`: each unit costs what the tier of its own number says."""

from app.pricing.plan import Graduated
from app.rating.rated_part import RatedPart


def rate_graduated(scheme: Graduated, quantity: int, position: int) -> tuple[RatedPart, ...]:
    """Return a part for each tier that the units number `position + 1` to `position + quantity` fall into."""
    parts, last = [], position + quantity
    tier_start = 0
    for tier in scheme.tiers:
        tier_end = last if tier.up_to is None else tier.up_to
        inside = min(last, tier_end) - max(position, tier_start)
        if inside > 0:
            parts.append(RatedPart(inside, tier.unit_price_nanos))
        tier_start = tier_end
    return tuple(parts)
