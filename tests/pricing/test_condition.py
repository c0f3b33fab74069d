"""Which outputs count as results: numbers exactly as JSON writes them, texts letter by letter."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvariantViolation
from app.metering.meter import Meter
from app.pricing.condition import Condition, is_decimal, plain, read_condition
from app.pricing.plan import PerUnit, Price
from tests.pricing.plan_strategies import conditions

HALF = Decimal("0.5")


@pytest.mark.parametrize(
    ("value", "counts"),
    [(0.5, True), (0.49999999999999994, False), (0.8, True), (0.8000000000000002, False), (1, False), (0.7, True)],
)
def test_both_bounds_are_part_of_what_counts(value: float, counts: bool) -> None:
    assert Condition("probability", HALF, Decimal("0.8")).holds(value) is counts


def test_a_number_is_what_its_answer_says_and_not_the_binary_fraction_beside_it() -> None:
    a_tenth = Condition("probability", at_least=Decimal("0.1"), at_most=Decimal("0.1"))
    assert a_tenth.holds(0.1)  # whose binary fraction is 0.1000000000000000055…
    assert not Condition("probability", at_most=Decimal("0.3")).holds(0.1 + 0.2)
    assert Condition("probability", among=("0.10", "7")).holds(0.1)
    assert Condition("probability", among=("0.10", "7")).holds(7.0)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_number_that_counts_is_the_number_in_the_answer(value: float) -> None:
    written = Decimal(msgspec.json.encode(value).decode())
    assert Condition("x", at_least=written, at_most=written).holds(value)


def test_a_text_is_compared_letter_by_letter_and_has_no_bounds() -> None:
    digits = Condition("label", among=("3", "cat"))
    assert digits.holds("3")
    assert not digits.holds("03")
    assert not digits.holds("Cat")
    assert not Condition("label", at_least=HALF, among=("3",)).holds("3")


@pytest.mark.parametrize("value", [None, True, [0.9], {"probability": 0.9}, float("nan"), float("inf")])
def test_what_is_neither_text_nor_finite_number_never_counts(value: object) -> None:
    assert not Condition("probability", at_least=Decimal(0)).holds(value)
    assert not Condition("probability", among=("1", "0.9")).holds(value)


def test_a_list_with_words_tells_no_number_and_a_bound_tells_no_text() -> None:
    words, bound = Condition("label", among=("3", "cat")), Condition("probability", at_most=HALF)
    assert (words.suits_texts, words.suits_numbers) == (True, False)
    assert (bound.suits_texts, bound.suits_numbers) == (False, True)
    assert not words.holds(3)


@given(conditions())
def test_a_condition_is_read_as_it_was_written(condition: Condition) -> None:
    assert read_condition(json.loads(json.dumps(condition.written()))) == condition


@given(st.decimals(-(10**19), 10**19, allow_nan=False, places=20))
def test_the_plain_text_of_a_number_is_a_decimal_and_its_only_one(number: Decimal) -> None:
    text = plain(number)
    assert is_decimal(text)
    assert Decimal(text) == number
    assert plain(Decimal(text + ("0" if "." in text else ".0"))) == text


def test_a_condition_asks_for_something_and_belongs_to_results_alone() -> None:
    with pytest.raises(InvariantViolation, match="asks for nothing"):
        Condition("label")
    with pytest.raises(InvariantViolation, match="and no other, has a condition"):
        Price("linear", Meter.RESULTS, PerUnit(1))
    with pytest.raises(InvariantViolation, match="and no other, has a condition"):
        Price("linear", Meter.UNITS, PerUnit(1), Condition("label", among=("cat",)))
