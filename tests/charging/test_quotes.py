"""Quotes: exact where every price is flat, without any reading; else an estimate at the tier of now."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.charging.quotes import Quotes, price_of_one
from app.charging.tier_positions import PositionKey, TierPositions
from app.clock import FrozenClock
from app.database import Database
from app.metering.meter import Meter
from app.pricing.condition import Condition
from app.pricing.plan import Graduated, PerUnit, Price, Tier
from app.rating.call_charge import CallCharge
from tests.builders import make_event, make_quantities, open_account, record_usage

KEY = PositionKey("acct_1", "plv_1", "linear")
ONE_CALL = make_quantities(requests=1, units=2)
FLAT = Price("linear", Meter.UNITS, PerUnit(10))
TIERED = Price("linear", Meter.UNITS, Graduated((Tier(5, 100), Tier(None, 1))))


@pytest.fixture
def positions(database: Database, clock: FrozenClock) -> TierPositions:
    open_account(database)
    return TierPositions(database, clock)


async def test_a_flat_price_is_exact_and_needs_no_position(database: Database, positions: TierPositions) -> None:
    assert await Quotes(positions).quote([FLAT], ONE_CALL, KEY) == CallCharge(20, 20)
    assert positions.known(KEY) is None


async def test_a_tiered_price_is_an_estimate_that_moves_with_what_was_recorded(
    database: Database, positions: TierPositions
) -> None:
    record_usage(database, make_event(units=2))
    quotes = Quotes(positions)
    charges = []
    for _ in range(3):
        charges.append(await quotes.quote([TIERED], ONE_CALL, KEY))
        quotes.settle(ONE_CALL, KEY)
    # units 3 and 4 at 100, unit 5 at 100 and 6 at 1, units 7 and 8 at 1
    assert charges == [CallCharge(None, 200), CallCharge(None, 101), CallCharge(None, 2)]


async def test_results_are_exact_once_they_are_counted_and_no_list_tells_them_before(positions: TierPositions) -> None:
    sure = Price("linear", Meter.RESULTS, PerUnit(5), Condition("progression", at_least=Decimal(150)))
    assert price_of_one([FLAT, sure]) is None
    used = replace(ONE_CALL, results=1)
    assert await Quotes(positions).quote([FLAT, sure], used, KEY) == CallCharge(25, 25)


async def test_one_tiered_price_among_flat_ones_makes_the_charge_an_estimate(
    database: Database, positions: TierPositions
) -> None:
    requests = Price("linear", Meter.REQUESTS, PerUnit(7))
    assert await Quotes(positions).quote([requests, TIERED], ONE_CALL, KEY) == CallCharge(None, 207)
    assert await Quotes(positions).quote([], ONE_CALL, KEY) == CallCharge(0, 0)


@pytest.mark.parametrize(
    ("prices", "nanos"),
    [
        ([], None),
        ([FLAT], 10),
        ([FLAT, Price("linear", Meter.REQUESTS, PerUnit(7))], 17),
        ([TIERED], None),
        ([FLAT, Price("linear", Meter.COMPUTE_MS, PerUnit(7))], None),  # nobody knows before how long it takes
    ],
)
def test_a_list_says_what_one_input_costs_where_nothing_else_counts(prices: list[Price], nanos: int | None) -> None:
    assert price_of_one(prices) == nanos
