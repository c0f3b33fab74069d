"""Percentages that people write, as exact fractions."""

import re
from fractions import Fraction

from app.errors import Invalid

_PERCENTAGE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")


def parse_percentage(text: str, *, where: str, example: str) -> Fraction:
    """Return `"62.5%"` as 5/8. Raises Invalid for anything else, below 0% and above 100%."""
    match = _PERCENTAGE.fullmatch(text.strip())
    if not match or Fraction(match[1]) > 100:
        raise Invalid(f"{text!r} is not a percentage of 0% to 100%", where=where, hint=f"write e.g. {example}")
    return Fraction(match[1]) / 100


def format_percentage(value: Fraction) -> str:
    """Return 5/8 as `"62.5%"`, and what is below zero with its sign."""
    digits = f"{abs(round(value * 10**8)):09d}"
    decimals = digits[-6:].rstrip("0")
    sign = "-" if value < 0 and digits.strip("0") else ""
    return f"{sign}{int(digits[:-6])}{'.' + decimals if decimals else ''}%"
