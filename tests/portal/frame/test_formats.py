"""Amounts as people read them: exact to the last digit, the thousands told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.money import format_money, format_nanos
from app.portal.frame.formats import money, unit_price
from app.portal.frame.preferences import Language


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (1_234_567_500_000_000, "1,234,567.50 USD"),
        (999_990_000_000, "999.99 USD"),
        (-1_234_500_000_000, "-1,234.50 USD"),
        (-500_000_000, "-0.50 USD"),
        (0, "0.00 USD"),
    ],
)
def test_the_thousands_of_money_are_told_apart(nanos: int, text: str) -> None:
    assert money(nanos, "USD", Language.ENGLISH) == money(nanos, "USD", Language.CHINESE) == text


@given(st.integers(-(10**18), 10**18), st.sampled_from(Language), st.sampled_from(["USD", "JPY", "KWD"]))
def test_no_digit_is_lost(nanos: int, language: Language, currency: str) -> None:
    assert unit_price(nanos, currency, language).replace(",", "") == f"{format_nanos(nanos)} {currency}"
    assert money(nanos, currency, language).replace(",", "") == f"{format_money(nanos, currency)} {currency}"
