from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.economics.percentage import format_percentage, parse_percentage
from app.errors import Invalid


@given(st.integers(0, 100 * 10**6))
def test_a_percentage_reads_back_as_it_was_written(millionths: int) -> None:
    value = Fraction(millionths, 100 * 10**6)
    assert parse_percentage(format_percentage(value), where="margin", example="60%") == value


@pytest.mark.parametrize(("text", "value"), [("60%", Fraction(3, 5)), ("62.5%", Fraction(5, 8)), ("100%", Fraction(1))])
def test_a_percentage_is_an_exact_fraction(text: str, value: Fraction) -> None:
    assert parse_percentage(text, where="margin", example="60%") == value
    assert format_percentage(value) == text


@pytest.mark.parametrize("text", ["60", "0.6", "-1%", "100.1%", "NaN%", "1e1%", "", "%", "60 %"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Invalid, match=r"margin: .* is not a percentage .*write e\.g\. 60%"):
        parse_percentage(text, where="margin", example="60%")


@pytest.mark.parametrize(
    ("value", "text"), [(Fraction(-1, 200), "-0.5%"), (Fraction(-5), "-500%"), (Fraction(-1, 10**10), "0%")]
)
def test_a_loss_keeps_its_sign(value: Fraction, text: str) -> None:
    assert format_percentage(value) == text
