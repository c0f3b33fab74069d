"""Rows are read as people paste them, to the last bit; what is no number is refused by its place."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.portal.playground.rows import RowsUnreadable, row_text, rows_of

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
    assert rows_of(WRITERS[writer](rows)) == rows


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
    ],
)
def test_what_is_no_number_is_refused_by_its_place(text: str, where: str) -> None:
    with pytest.raises(RowsUnreadable) as refused:
        rows_of(text)
    assert refused.value.where == where
