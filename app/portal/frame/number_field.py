"""Amounts and whole numbers that are typed into a form: what is none says so beside its field."""

from app.errors import Invalid
from app.money import parse_nanos

_DIGITS_MAX = 19


class NoAmount(Invalid):
    """What stands in a form's field for an amount of money is none."""

    code = "no_amount"


class NoNumber(Invalid):
    """What stands in a form's field for a whole number is none."""

    code = "no_number"


def amount_of(text: str, *, where: str) -> int:
    """Return the nanos of the amount that was written. Raises NoAmount."""
    try:
        return parse_nanos(text, where=where)
    except Invalid as invalid:
        raise NoAmount(invalid.detail, where=where, hint=invalid.hint) from None


def number_of(text: str, *, where: str) -> int:
    """Return the whole number that was written. Raises NoNumber."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise NoNumber(f"{text[:40]!r} is no whole number", where=where, hint="write digits alone, such as 1000")
    return int(text)
