import pytest

from app.metering.meter import Meter, Quantities
from app.pricing.plan import Graduated, PerUnit, Price, Tier
from app.rating.call_charge import CallCharge, ChargeTooLarge, charge_of_call

PER_REQUEST = Price("linear", Meter.REQUESTS, PerUnit(100))
PER_UNIT = Price("linear", Meter.UNITS, PerUnit(7))
TIERED = Price("linear", Meter.UNITS, Graduated((Tier(10, 0), Tier(None, 5))))


def test_per_unit_prices_give_an_exact_charge_over_all_meters() -> None:
    charge = charge_of_call((PER_REQUEST, PER_UNIT), Quantities(requests=1, units=3), Quantities(units=99))
    assert charge == CallCharge(amount_nanos=121, estimate_nanos=121)


def test_a_tiered_price_gives_an_estimate_at_the_current_tier() -> None:
    quantities = Quantities(requests=1, units=4)
    assert charge_of_call((TIERED,), quantities, Quantities(units=8)) == CallCharge(None, 10)
    assert charge_of_call((PER_REQUEST, TIERED), quantities, Quantities(units=0)) == CallCharge(None, 100)


def test_a_meter_without_a_price_is_free_and_no_price_costs_nothing() -> None:
    assert charge_of_call((PER_UNIT,), Quantities(requests=1, compute_ms=50), Quantities()) == CallCharge(0, 0)


def test_a_charge_above_one_amount_is_refused() -> None:
    price = Price("gold", Meter.UNITS, PerUnit(10**18))
    assert charge_of_call((price,), Quantities(units=1), Quantities()).amount_nanos == 10**18
    with pytest.raises(ChargeTooLarge, match="send fewer inputs"):
        charge_of_call((price,), Quantities(units=2), Quantities())
