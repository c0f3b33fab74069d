"""What was spent before a budget was set: exactly what the calls added up to, one after the other."""

from hypothesis import given
from hypothesis import strategies as st

from app.charging.spent_so_far import UsedPart, spent_nanos
from app.metering.meter import Meter, Quantities
from app.pricing.plan import Graduated, PerUnit, Price, Tier
from app.rating.rate import rate
from tests.pricing.plan_strategies import schemes

TIERED = Price("vgg16", Meter.UNITS, Graduated((Tier(10, 0), Tier(None, 3))))
SMALL = st.integers(0, 50)
CALLS = st.lists(st.builds(Quantities, requests=SMALL, units=SMALL, compute_ms=SMALL), max_size=12)


@st.composite
def prices(draw: st.DrawFn) -> tuple[Price, ...]:
    meters = draw(st.sets(st.sampled_from([Meter.REQUESTS, Meter.UNITS, Meter.COMPUTE_MS]), min_size=1))
    return tuple(Price("vgg16", meter, draw(schemes(bound_max=200))) for meter in sorted(meters))


def total(calls: list[Quantities]) -> Quantities:
    return sum(calls, Quantities())


@given(prices=prices(), before=CALLS, used=CALLS)
def test_an_account_has_spent_the_marginal_amounts_of_its_calls(
    prices: tuple[Price, ...], before: list[Quantities], used: list[Quantities]
) -> None:
    one_by_one = 0
    for position in range(len(used)):
        reached = total([*before, *used[:position]])
        one_by_one += sum(rate(p.scheme, used[position].of(p.meter), position=reached.of(p.meter)) for p in prices)
    part = UsedPart(prices, total(before), total(used), total(used))
    assert spent_nanos([part]) == one_by_one


@given(prices=prices(), before=CALLS, own=CALLS, others=CALLS)
def test_keys_bear_the_whole_between_them_and_at_most_a_nano_a_price_too_much(
    prices: tuple[Price, ...], before: list[Quantities], own: list[Quantities], others: list[Quantities]
) -> None:
    used = total([*own, *others])
    parts = [UsedPart(prices, total(before), used, total(calls)) for calls in (own, others, [used])]
    mine, theirs, together = (spent_nanos([part]) for part in parts)
    assert together <= mine + theirs <= together + len(prices)


@given(price=st.integers(0, 10**18), own=SMALL, others=SMALL)
def test_a_key_has_spent_exactly_its_own_where_each_unit_costs_the_same(price: int, own: int, others: int) -> None:
    prices = (Price("linear", Meter.UNITS, PerUnit(price)),)
    part = UsedPart(prices, Quantities(units=7), Quantities(units=own + others), Quantities(units=own))
    assert spent_nanos([part]) == own * price


def test_tiers_go_on_from_where_the_account_was_when_the_window_began() -> None:
    used = Quantities(units=4)
    assert [spent_nanos([UsedPart((TIERED,), Quantities(units=n), used, used)]) for n in (0, 6, 8, 10)] == [0, 0, 6, 12]


def test_a_key_pays_the_average_price_rounded_up() -> None:
    part = UsedPart((TIERED,), Quantities(), Quantities(units=14), Quantities(units=5))  # 12 nanos in all, 5 of 14
    assert spent_nanos([part]) == 5


def test_nothing_used_has_cost_nothing_and_parts_add_up() -> None:
    assert spent_nanos([]) == 0
    assert spent_nanos([UsedPart((TIERED,), Quantities(units=99), Quantities(), Quantities())]) == 0
    parts = [UsedPart((TIERED,), Quantities(units=n), Quantities(units=1), Quantities(units=1)) for n in (10, 11)]
    assert [spent_nanos(some) for some in ([parts[0]], [parts[1]], parts)] == [3, 3, 6]
