"""Rows are read as people paste them, to the last bit; what is no number is refused by its place."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inference.inputs import InputInvalid
from app.portal.playground.rows import DecimalComma, RowsUnreadable, row_text, rows_of

FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**15) + 1, 10**15 - 1)
ROWS = st.lists(st.lists(FLOATS, min_size=1, max_size=12), min_size=1, max_size=5)
WRITERS: dict[str, Callable[[list[list[float]]], str]] = {
    "lines with commas": lambda rows: "\n".join(", ".join(map(repr, row)) for row in rows),
    "cells of a spreadsheet": lambda rows: "\r\n".join("\t".join(map(repr, row)) for row in rows),
    "semicolons": lambda rows: "\n\n".join(";".join(map(repr, row)) for row in rows),
    "a JSON list": json.dumps,
    "a body of the API": lambda rows: json.dumps({"inputs": rows}, indent=2),
    "an array of NumPy": lambda rows: f"array({rows!r})",
    "as we write them": lambda rows: "\n".join(map(row_text, rows)),
}


@pytest.mark.parametrize("writer", WRITERS)
@given(rows=ROWS)
def test_rows_are_read_however_they_are_written(writer: str, rows: list[list[float]]) -> None:
    assert rows_of(WRITERS[writer](rows), rows_max=5) == rows


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "inputs"),
        (" \n\t\n", "inputs"),
        ("1, 2\n3, four", "inputs[1][1]"),
        ("[[1, 2], [3, null]]", "inputs[1][1]"),
        ("[1, 2], 3", "inputs"),
        ('{"inputs": [[1]], "extra": 2}', "inputs"),
        ("1 <script>", "inputs[0][1]"),
        ("1_0, 2", "inputs[0][0]"),
        ("1, \uff12", "inputs[0][1]"),  # a digit of full width
        ("1, \u0663", "inputs[0][1]"),  # a digit of Arabic
        ("nan, inf", "inputs[0][0]"),
    ],
)
def test_what_is_no_number_is_refused_by_its_place(text: str, where: str) -> None:
    with pytest.raises(RowsUnreadable) as refused:
        rows_of(text, rows_max=5)
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("0,5 0,5 0,5 0,5 0,5", 0),
        ("1, 2\n0,5; 0,7", 1),
        ("0,5\t0,7", 0),
        ("0,5, 0,7", 0),
        ("[[0,5 0,7]]", 0),
        ("1.000,5 2", 0),
    ],
)
def test_a_decimal_comma_is_never_taken_for_two_numbers(text: str, row: int) -> None:
    with pytest.raises(DecimalComma) as refused:
        rows_of(text, rows_max=5)
    assert refused.value.where == f"inputs[{row}]"


@pytest.mark.parametrize("text", ["1,2,3", " 1,2,3 \r\n", "1, 2, 3", "1 ,2 ,3", "[[1,2,3]]", '{"inputs":[[1,2,3]]}'])
def test_commas_that_separate_are_no_decimal_ones(text: str) -> None:
    assert rows_of(text, rows_max=1) == [[1, 2, 3]]


def test_too_many_rows_are_refused_before_any_is_read() -> None:
    with pytest.raises(InputInvalid, match="has 3 inputs, at most 2"):
        rows_of("no\nnumber\nhere", rows_max=2)
