"""Margins, model by model: pure, so that every case is a line of a table."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.economics.device_cost import DeviceCost, ModelCost
from app.economics.earnings import Earning
from app.economics.margin import ModelMargin, model_margins

EARNED = [Earning(None, "USD", earned_nanos=7), Earning("linear", "USD", calls=10, earned_nanos=1_000)]


def cost(*shares: ModelCost, currency: str = "USD", device: str = "cpu") -> DeviceCost:
    wall_nanos = sum(share.cost_nanos + share.idle_nanos for share in shares)
    return DeviceCost(device, currency, wall_nanos, wall_nanos, shares)


def line(**fields: object) -> ModelMargin:
    nothing = {"calls": 0, "earned_nanos": 0, "cost_nanos": 0, "idle_nanos": 0}
    unknown = {"margin": None, "break_even_calls_a_day": None}
    values: dict[str, object] = {"model": "linear", "currency": "USD", **nothing, **unknown, **fields}
    return ModelMargin(**values)  # type: ignore[arg-type]  # a test names only what it is about


def margins(
    earnings: list[Earning], *costs: DeviceCost, unknown: frozenset[str] = frozenset(), days: int = 2
) -> list[ModelMargin]:
    return list(model_margins(earnings, costs, cost_unknown=unknown, days=Fraction(days)))


def test_a_margin_is_what_cost_and_idle_time_leave_of_what_was_earned() -> None:
    (only,) = margins(EARNED, cost(ModelCost("linear", 100, 150)))
    expected = {"calls": 10, "earned_nanos": 1_000, "cost_nanos": 100, "idle_nanos": 150, "margin": Fraction(3, 4)}
    assert only == line(**expected, break_even_calls_a_day=2)  # 125 nanos a day at 100 nanos a call


def test_a_loss_is_a_margin_below_zero() -> None:
    (only,) = margins(EARNED, cost(ModelCost("linear", 1_000, 500)))
    assert (only.margin, only.break_even_calls_a_day) == (Fraction(-1, 2), 8)


def test_the_costs_of_several_devices_add_up() -> None:
    (only,) = margins(EARNED, cost(ModelCost("linear", 1, 2)), cost(ModelCost("linear", 3, 4), device="cuda:0"))
    assert (only.cost_nanos, only.idle_nanos) == (4, 6)


@pytest.mark.parametrize("earned", [[], [Earning("linear", "USD", calls=5)]])
def test_a_model_that_earned_nothing_has_no_margin(earned: list[Earning]) -> None:
    (only,) = margins(earned, cost(ModelCost("linear", 1, 2)))
    assert (only.cost_nanos, only.margin, only.break_even_calls_a_day) == (1, None, None)


def test_a_model_that_cost_nothing_keeps_all_and_breaks_even_at_once() -> None:
    (only,) = margins(EARNED)
    assert (only.margin, only.break_even_calls_a_day) == (Fraction(1), 0)


def test_amounts_of_different_currencies_stand_apart_and_are_not_compared() -> None:
    euros = Earning("linear", "EUR", calls=3, earned_nanos=5)
    assert margins([*EARNED, euros], cost(ModelCost("linear", 1, 2), currency="CNY")) == [
        line(currency="CNY", cost_nanos=1, idle_nanos=2),
        line(currency="EUR", calls=3, earned_nanos=5),
        line(calls=10, earned_nanos=1_000),
    ]


def test_free_calls_in_another_currency_do_not_hide_a_margin() -> None:
    free = Earning("linear", "EUR", calls=3)
    assert [each.margin for each in margins([*EARNED, free], cost(ModelCost("linear", 100, 150)))] == [
        None,
        Fraction(3, 4),
    ]


def test_a_model_that_ran_where_nobody_knows_the_cost_has_no_margin() -> None:
    (only,) = margins(EARNED, cost(ModelCost("linear", 1, 2)), unknown=frozenset({"linear"}))
    assert (only.earned_nanos, only.cost_nanos, only.margin) == (1_000, 1, None)


@given(st.integers(1, 10**6), st.integers(1, 10**15), st.integers(0, 10**15), st.integers(1, 31))
def test_so_many_calls_a_day_break_even_and_one_less_does_not(calls: int, earned: int, spent: int, days: int) -> None:
    earning = Earning("linear", "USD", calls=calls, earned_nanos=earned)
    (only,) = margins([earning], cost(ModelCost("linear", spent, 0)), days=days)
    assert only.break_even_calls_a_day is not None
    assert only.break_even_calls_a_day * days * Fraction(earned, calls) >= spent
    assert (only.break_even_calls_a_day - 1) * days * Fraction(earned, calls) < spent
