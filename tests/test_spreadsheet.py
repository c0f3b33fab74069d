"""CSV: read back by any reader it is what was written, and no spreadsheet runs a cell of it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spreadsheet import csv_line

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n")


@given(st.lists(CELLS, min_size=1))
def test_a_reader_gets_every_cell_back_and_guarded_ones_behind_an_apostrophe(cells: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(csv_line(cells), newline=""))
    assert read == [f"'{cell}" if cell.startswith(RUN_BY_SPREADSHEETS) else cell for cell in cells]


@pytest.mark.parametrize("start", RUN_BY_SPREADSHEETS)
def test_no_cell_starts_as_a_formula_does(start: str) -> None:
    (read,) = csv.reader(io.StringIO(csv_line([f"{start}HYPERLINK(1)", start]), newline=""))
    assert read == [f"'{start}HYPERLINK(1)", f"'{start}"]


def test_nothing_is_empty_and_everything_else_is_its_text() -> None:
    assert csv_line([None, "", 0, False, "0.00001"]) == ",,0,false,0.00001\r\n"
    assert csv_line(['say "hi", you']) == '"say ""hi"", you"\r\n'
