"""Money is exact: parsing, printing and the one rounding, against oracles of their own."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.money import (
    AMOUNT_NANOS_MAX,
    format_money,
    format_nanos,
    minor_digits,
    parse_currency,
    parse_nanos,
    round_to_minor,
    share_nanos,
)

AMOUNTS = st.integers(0, AMOUNT_NANOS_MAX)
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KRW", "KWD", "TND"])


@given(AMOUNTS)
def test_an_amount_reads_back_as_it_was_printed(nanos: int) -> None:
    assert parse_nanos(format_nanos(nanos)) == nanos
    assert Fraction(format_nanos(nanos)) == Fraction(nanos, 10**9)


@given(st.integers(-(10**30), 10**30))
def test_any_sum_prints_exactly_without_exponent_or_trailing_zeros(nanos: int) -> None:
    text = format_nanos(nanos)
    assert Fraction(text) == Fraction(nanos, 10**9)
    assert "e" not in text.lower()
    assert not ("." in text and text.endswith(("0", ".")))


@given(st.integers(0, 9), st.integers(0, 10**9))
def test_a_decimal_string_means_what_it_says(decimals: int, scaled: int) -> None:
    if scaled <= 10**9 * 10**decimals:
        text = f"{Decimal(scaled).scaleb(-decimals):f}"
        assert Fraction(parse_nanos(text), 10**9) == Fraction(scaled, 10**decimals)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not an amount"),
        (" 1", "not an amount"),
        ("1.", "not an amount"),
        (".5", "not an amount"),
        ("1e3", "not an amount"),
        ("NaN", "not an amount"),
        ("Infinity", "not an amount"),
        ("1,000", "not an amount"),
        ("0x10", "not an amount"),
        ("+1", "not an amount"),
        ("12345678901", "not an amount"),
        ("-0.01", "negative"),
        ("0.0000000001", "more than 9 decimals"),
        ("1000000000.000000001", "above 1,000,000,000"),
        (0.002, "not an amount"),
        (2, "not an amount"),
        (True, "not an amount"),
        (None, "not an amount"),
    ],
)
def test_a_bad_amount_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        parse_nanos(text, where="price[0].unit_price")
    assert caught.value.where == "price[0].unit_price"
    assert caught.value.hint


def test_the_greatest_and_the_smallest_amount_are_accepted() -> None:
    assert parse_nanos("1000000000") == AMOUNT_NANOS_MAX
    assert parse_nanos("0.000000001") == 1
    assert parse_nanos("0") == parse_nanos("0.000000000") == 0


@given(st.integers(-(10**24), 10**24), CURRENCIES)
def test_rounding_to_the_minor_unit_is_half_even(nanos: int, currency: str) -> None:
    with localcontext(prec=60):
        minor = Decimal(1).scaleb(-minor_digits(currency))
        expected = Decimal(nanos).scaleb(-9).quantize(minor, rounding=ROUND_HALF_EVEN)
        assert Decimal(round_to_minor(nanos, currency)).scaleb(-9) == expected


@pytest.mark.parametrize(
    ("nanos", "currency", "rounded"),
    [
        (5_000_000, "USD", 0),
        (15_000_000, "USD", 20_000_000),
        (25_000_000, "USD", 20_000_000),
        (25_000_001, "USD", 30_000_000),
        (500_000_000, "JPY", 0),
        (1_500_000_000, "JPY", 2_000_000_000),
        (2_500_000, "KWD", 2_000_000),
    ],
)
def test_halves_go_to_the_even_neighbour(nanos: int, currency: str, rounded: int) -> None:
    assert round_to_minor(nanos, currency) == rounded


@given(st.integers(0, AMOUNT_NANOS_MAX), st.integers(0, 10**15), st.integers(1, 10**15))
def test_a_share_is_rounded_once_half_even(nanos: int, numerator: int, denominator: int) -> None:
    exact = Fraction(nanos) * numerator / denominator
    share = share_nanos(nanos, numerator, denominator)
    assert abs(share - exact) <= Fraction(1, 2)
    assert abs(share - exact) < Fraction(1, 2) or share % 2 == 0


@pytest.mark.parametrize(
    ("nanos", "currency", "text"),
    [
        (1_500_000_000, "USD", "1.50"),
        (0, "USD", "0.00"),
        (-20_000_000, "EUR", "-0.02"),
        (1_000_000_000, "JPY", "1"),
        (1_005_000_000, "KWD", "1.005"),
    ],
)
def test_money_is_written_with_the_decimals_of_its_currency(nanos: int, currency: str, text: str) -> None:
    assert format_money(nanos, currency) == text


@pytest.mark.parametrize("text", ["usd", "US", "USDT", "U$D", "", "ÜSD", "USD\n"])
def test_a_currency_is_three_capital_letters(text: str) -> None:
    assert parse_currency("USD") == "USD"
    with pytest.raises(Invalid, match="three capital letters"):
        parse_currency(text)
