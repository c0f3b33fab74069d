"""The formulas, on figures that can be checked by hand, and the margin that every price must keep."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.economics.hardware import Device, Purchase, Rent
from app.economics.price_suggestion import NothingMeasured, PriceSuggestion, suggest_price
from app.economics.price_table import price_facts
from app.errors import Invalid
from app.metering.store import ComputeTotal

CPU = Device("cpu", "USD", Fraction(1, 2), Rent(360_000_000))  # 0.36 an hour: 0.0001 a second
GPU = Device("cuda:0", "USD", Fraction(1), Purchase(8766 * 10**9, 12, power_watts=500, electricity_nanos_per_kwh=10**9))
MEASURED = ComputeTotal(requests=10, units=40, compute_us=20_000_000, queue_us=0)


def suggested(device: Device = CPU, *, margin: Fraction = Fraction(3, 5), calls_a_day: int = 1000) -> PriceSuggestion:
    return suggest_price(
        model="vgg16", device=device, margin=margin, measured=MEASURED, calls_a_day=Fraction(calls_a_day)
    )


def test_cost_is_compute_times_rate_over_utilization_and_price_is_cost_over_one_less_margin() -> None:
    suggestion = suggested()
    assert suggestion.cost_per_call_nanos == 400_000  # 2 s x 0.0001 a second / 50%
    assert suggestion.cost_per_unit_nanos == 100_000
    assert suggestion.price_per_call_nanos == 1_000_000
    assert suggestion.price_per_unit_nanos == 250_000
    assert suggestion.capacity_calls_a_day == 43_200
    assert suggestion.break_even_calls_a_day == 8_640  # 8.64 a day / 0.001


def test_a_rented_device_leaves_revenue_less_rent_and_pays_nothing_back() -> None:
    suggestion = suggested(calls_a_day=10_000)
    assert suggestion.monthly_margin_nanos == Fraction(36525, 1200) * (10_000 * 1_000_000 - 24 * 360_000_000)
    assert suggestion.payback_months is None


def test_a_bought_device_is_paid_back_in_the_month_in_which_the_margins_reach_its_price() -> None:
    # An hour costs 8766 / 8766 h + 0.5 kW x 1 = 1.5; a call of 2 s costs 1.5 / 1800, its price 2.5 times that.
    suggestion = suggested(GPU, calls_a_day=43_200)
    assert suggestion.cost_per_call_nanos == Fraction(1_500_000_000, 1800)
    assert suggestion.price_per_call_nanos == 2_083_334
    assert suggestion.break_even_calls_a_day == 17_280
    monthly = Fraction(36525, 1200) * (43_200 * 2_083_334 - 12 * 10**9)
    assert suggestion.monthly_margin_nanos == monthly
    assert suggestion.payback_months == 4
    assert 3 * monthly < 8766 * 10**9 <= 4 * monthly


def test_too_few_calls_never_pay_a_device_back() -> None:
    assert suggested(GPU, calls_a_day=10).payback_months is None


def test_a_device_that_costs_nothing_has_no_break_even() -> None:
    suggestion = suggested(Device("cpu", "USD", Fraction(1), Rent(0)))
    assert (suggestion.price_per_call_nanos, suggestion.break_even_calls_a_day) == (0, None)


@given(st.integers(1, 10**6), st.integers(1, 10**12), st.integers(1, 10**12), st.integers(0, 99), st.integers(1, 100))
def test_a_suggested_price_keeps_its_margin_and_is_less_than_a_nano_above_it(
    requests: int, compute_us: int, rate_nanos: int, margin_percent: int, utilization_percent: int
) -> None:
    device = Device("cpu", "USD", Fraction(utilization_percent, 100), Rent(rate_nanos))
    margin = Fraction(margin_percent, 100)
    measured = ComputeTotal(requests, requests, compute_us, 0)
    suggestion = suggest_price(model="linear", device=device, margin=margin, measured=measured, calls_a_day=Fraction(1))
    price, cost = suggestion.price_per_call_nanos, suggestion.cost_per_call_nanos
    assert price * (1 - margin) >= cost > (price - 1) * (1 - margin)
    full_day = 24 * Fraction(3_600_000_000) / Fraction(compute_us, requests) * device.utilization
    assert full_day * cost == 24 * rate_nanos


@pytest.mark.parametrize("measured", [ComputeTotal(0, 0, 0, 0), ComputeTotal(0, 0, 5, 0), ComputeTotal(5, 5, 0, 0)])
def test_without_measurements_there_is_no_price(measured: ComputeTotal) -> None:
    with pytest.raises(NothingMeasured, match="no call of linear has been measured"):
        suggest_price(model="linear", device=CPU, margin=Fraction(0), measured=measured, calls_a_day=Fraction(1))


def test_no_price_keeps_a_margin_of_all_of_it() -> None:
    with pytest.raises(Invalid, match="below 100%"):
        suggested(margin=Fraction(1))


def test_a_model_that_counts_no_units_has_a_price_per_call_only() -> None:
    measured = ComputeTotal(requests=10, units=0, compute_us=20_000_000, queue_us=0)
    suggestion = suggest_price(model="m", device=CPU, margin=Fraction(0), measured=measured, calls_a_day=Fraction(1))
    assert (suggestion.cost_per_unit_nanos, suggestion.price_per_unit_nanos) == (None, None)
    assert price_facts(suggestion)["price_per_unit"] is None


def test_the_printed_figures_are_decimal_strings() -> None:
    assert price_facts(suggested()) == {
        "model": "vgg16",
        "device": "cpu",
        "currency": "USD",
        "margin": "60%",
        "utilization": "50%",
        "measured_calls": 10,
        "measured_units": 40,
        "compute_ms_per_call": "2000.000",
        "hourly_cost": "0.36",
        "cost_per_call": "0.0004",
        "cost_per_unit": "0.0001",
        "price_per_call": "0.001",
        "price_per_unit": "0.00025",
        "capacity_calls_a_day": 43_200,
        "break_even_calls_a_day": 8_640,
        "calls_a_day": "1000.0",
        "calls_within_capacity": "yes",
        "monthly_margin": "-232.5425",
        "payback_months": None,
    }
