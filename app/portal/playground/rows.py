"""Rows as people paste them: from a spreadsheet, a CSV file, a notebook or a JSON body (pure)."""

import re
from collections.abc import Sequence

from app.errors import Invalid
from app.inference.inputs import check_count

_SEPARATOR = re.compile(r"[,;\s]+")
_COMMA_INSIDE_WORD = re.compile(r"[^\s,;],[^\s,;]")
_OTHER_SEPARATOR = re.compile(r"[;\s]")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_LIST = re.compile(r"[\[(]([^\[\]()]*)[\])]")
_AROUND_LISTS = re.compile(r"\"?inputs\"?\s*:|array|tensor|[\[\](){},;\s]+")


class RowsUnreadable(Invalid):
    """What was pasted holds something that is no number."""

    code = "rows_unreadable"


class DecimalComma(RowsUnreadable):
    """A comma may separate two numbers here, or be the decimal point of one: nobody is charged for a guess."""

    code = "decimal_comma"


def rows_of(text: str, *, rows_max: int) -> list[list[float]]:
    """Return the numbers of each line; where there are lists in brackets, those of each innermost list.

    Raises RowsUnreadable that names the row and the place in it, and InputInvalid for too many rows, before any is
    read.
    """
    lists = _LIST.findall(text)
    if lists and (stray := _AROUND_LISTS.sub("", _LIST.sub("", text))):
        raise RowsUnreadable(f"{stray[:40]!r} stands outside of the lists", where="inputs", hint="[[1, 2], [3, 4]]")
    written = [row.strip() for row in lists or text.splitlines() if row.strip()]
    if not written:
        raise RowsUnreadable("there is no number", where="inputs", hint="paste a row of numbers")
    check_count(written, rows_max)
    return [_row_of(row, f"inputs[{index}]") for index, row in enumerate(written)]


def row_text(row: Sequence[float]) -> str:
    """Return a row as a person writes it."""
    return ", ".join(f"{value:g}" if value == float(f"{value:g}") else repr(value) for value in row)


def _row_of(text: str, where: str) -> list[float]:
    if _OTHER_SEPARATOR.search(text) and (found := _COMMA_INSIDE_WORD.search(text)):
        raise DecimalComma(
            f"{found[0]!r} may be one number or two",
            where=where,
            hint="write 0.5, with a point; separate numbers all in one way, by a comma and a blank",
        )
    words = [word for word in _SEPARATOR.split(text) if word]
    return [_number_of(word, f"{where}[{place}]") for place, word in enumerate(words)]


def _number_of(word: str, where: str) -> float:
    if not _NUMBER.fullmatch(word):  # Python's own float() reads 1_0 and digits of other scripts as well
        raise RowsUnreadable(
            f"{word[:40]!r} is no number", where=where, hint="write 0.5, with a point; commas and blanks separate"
        )
    return int(word) if _WHOLE.fullmatch(word) else float(word)
