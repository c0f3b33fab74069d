"""Amounts and numbers of forms: exact, or refused beside their field."""

import pytest

from app.errors import Invalid
from app.portal.frame.bounds import BudgetForm
from app.portal.frame.number_field import amount_of, number_of


@pytest.mark.parametrize(("text", "nanos"), [("10", 10**10), ("0.000000001", 1), ("0", 0), ("1000000000", 10**18)])
def test_an_amount_is_exact(text: str, nanos: int) -> None:
    assert amount_of(text, where="limit") == nanos


@pytest.mark.parametrize("text", ["", "1,5", "-1", "1e3", "NaN", "0.0000000001", "1000000000.1", "$5"])
def test_what_is_no_amount_names_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        amount_of(text, where="limit")
    assert (refused.value.code, refused.value.where) == ("no_amount", "limit")


@pytest.mark.parametrize("text", ["", "1.5", "-1", "+1", "1_000", "١٢", "²", "9" * 20])
def test_what_is_no_whole_number_names_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        number_of(text, where="units_per_minute")
    assert (refused.value.code, refused.value.where) == ("no_number", "units_per_minute")


@pytest.mark.parametrize(
    ("text", "percents"),
    [("80, 100", (80, 100)), ("80%，100%", (80, 100)), ("50", (50,)), ("", ()), (" 1 2;3 ", (1, 2, 3))],  # noqa: RUF001 - a Chinese comma is meant
)
def test_thresholds_are_listed_as_people_write_lists(text: str, percents: tuple[int, ...]) -> None:
    assert BudgetForm(thresholds=text).percents() == percents
