"""Rating against an oracle that is written from the definitions alone, and the laws that every scheme keeps."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvariantViolation
from app.pricing.plan import Graduated, PerUnit, Scheme, Tier
from app.rating.rate import rate, rate_parts
from tests.pricing.plan_strategies import schemes

FREE_THOUSAND = Graduated((Tier(1000, 0), Tier(None, 2_000_000)))
QUANTITIES = st.one_of(st.integers(0, 50), st.integers(0, 2**70))


def price_of_unit(scheme: Scheme, number: int) -> Fraction:
    """The price of the unit of that number, in currency units, by the definition of each scheme."""
    if isinstance(scheme, PerUnit):
        return Fraction(scheme.unit_price_nanos, 10**9)
    first = next(tier for tier in scheme.tiers if tier.up_to is None or number <= tier.up_to)
    return Fraction(first.unit_price_nanos, 10**9)


def price_of_units(scheme: Scheme, first: int, last: int) -> Fraction:
    """The same for many units, by sets: those of each tier are the ones up to its end less those up to its start."""
    if isinstance(scheme, PerUnit):
        return max(last - first + 1, 0) * Fraction(scheme.unit_price_nanos, 10**9)
    total, start = Fraction(0), 1
    for tier in scheme.tiers:
        end = last if tier.up_to is None else tier.up_to
        units = range(max(first, start), min(last, end) + 1)
        total += max(units.stop - units.start, 0) * Fraction(tier.unit_price_nanos, 10**9)
        start = end + 1
    return total


@given(schemes(bound_max=60), st.integers(0, 60), st.integers(0, 60))
def test_a_quantity_costs_the_sum_of_its_units_one_by_one(scheme: Scheme, position: int, quantity: int) -> None:
    unit_by_unit = sum(price_of_unit(scheme, number) for number in range(position + 1, position + quantity + 1))
    assert Fraction(rate(scheme, quantity, position=position), 10**9) == unit_by_unit


@given(schemes(), QUANTITIES, QUANTITIES)
def test_huge_quantities_cost_what_their_tiers_say(scheme: Scheme, position: int, quantity: int) -> None:
    by_sets = price_of_units(scheme, position + 1, position + quantity)
    assert Fraction(rate(scheme, quantity, position=position), 10**9) == by_sets


@given(schemes(), st.lists(QUANTITIES, max_size=6))
def test_a_quantity_in_parts_costs_what_it_costs_as_a_whole(scheme: Scheme, quantities: list[int]) -> None:
    position = total = 0
    for quantity in quantities:
        total += rate(scheme, quantity, position=position)
        position += quantity
    assert total == rate(scheme, position)


@given(schemes(), QUANTITIES, QUANTITIES)
def test_more_usage_never_costs_less(scheme: Scheme, quantity: int, more: int) -> None:
    assert rate(scheme, quantity + more) >= rate(scheme, quantity) >= 0


@given(schemes(), QUANTITIES, QUANTITIES)
def test_the_parts_of_a_calculation_sum_to_quantity_and_amount(scheme: Scheme, position: int, quantity: int) -> None:
    parts = rate_parts(scheme, quantity, position=position)
    assert sum(part.quantity for part in parts) == quantity
    assert sum(part.amount_nanos for part in parts) == rate(scheme, quantity, position=position)
    assert all(part.quantity > 0 for part in parts)


@pytest.mark.parametrize(
    ("quantity", "position", "amount_nanos"),
    [(0, 0, 0), (1000, 0, 0), (1001, 0, 2_000_000), (1, 999, 0), (1, 1000, 2_000_000), (10, 995, 10_000_000)],
)
def test_a_free_tier_is_free_up_to_its_last_unit(quantity: int, position: int, amount_nanos: int) -> None:
    assert rate(FREE_THOUSAND, quantity, position=position) == amount_nanos


def test_sums_go_beyond_64_bits() -> None:
    assert rate(PerUnit(10**18), 10**18) == 10**36


@pytest.mark.parametrize(("quantity", "position"), [(-1, 0), (1, -1)])
def test_a_negative_quantity_is_a_bug(quantity: int, position: int) -> None:
    with pytest.raises(InvariantViolation, match="zero or more"):
        rate(FREE_THOUSAND, quantity, position=position)


@pytest.mark.parametrize(
    "bounds", [(), (10,), (None, 10), (10, 10, None), (10, 5, None), (0, None), (None, None)], ids=str
)
def test_tiers_that_do_not_cover_each_unit_once_cannot_be_made(bounds: tuple[int | None, ...]) -> None:
    with pytest.raises(InvariantViolation, match="tiers must ascend"):
        Graduated(tuple(Tier(bound, 1) for bound in bounds))
