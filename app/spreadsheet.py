"""CSV that spreadsheets open without running anything in it."""

import csv
import io
from collections.abc import Iterable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_line(cells: Iterable[object]) -> str:
    """Return one CSV record (RFC 4180); None is empty, a truth value `true` or `false`.

    A cell that a spreadsheet would run is guarded by `'`.
    """
    text = io.StringIO()
    csv.writer(text).writerow(_guarded(_text_of(cell)) for cell in cells)
    return text.getvalue()


def _text_of(cell: object) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
