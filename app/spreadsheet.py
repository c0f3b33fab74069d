"""CSV that spreadsheets open without running anything in it."""

import csv
import io
from collections.abc import Iterable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_line(cells: Iterable[object]) -> str:
    """Return one CSV record (RFC 4180); None is empty, and a cell that a spreadsheet would run is quoted by `'`."""
    text = io.StringIO()
    csv.writer(text).writerow(_guarded("" if cell is None else str(cell)) for cell in cells)
    return text.getvalue()


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
