"""Exact money: an amount is an integer count of nanos, 1e-9 of a currency unit. No float is accepted anywhere.

One amount is at most 1e9 currency units, so that it fits 64 bits; sums are Python integers and have no bound.
"""

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from app.errors import Invalid

NANOS_PER_UNIT = 10**9
AMOUNT_NANOS_MAX = 10**9 * NANOS_PER_UNIT

# ISO 4217, the currencies whose minor unit is not a hundredth.
_WHOLE = re.compile("BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|UYI|VND|VUV|XAF|XOF|XPF")
_THOUSANDTHS = re.compile("BHD|IQD|JOD|KWD|LYD|OMR|TND")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DECIMAL = re.compile(r"-?\d{1,10}(\.\d+)?")


def parse_currency(text: str, *, where: str = "currency") -> str:
    """Return an ISO 4217 code. Raises Invalid for anything but three capital letters."""
    if not _CURRENCY.fullmatch(text):
        raise Invalid(f"{text!r} is not a currency code", where=where, hint="write three capital letters, such as USD")
    return text


def parse_nanos(text: str, *, where: str = "amount") -> int:
    """Return the nanos of a decimal string such as `"0.00001"`.

    Raises Invalid for floats, exponents, NaN, a negative amount, more than 9 decimals and more than 1e9 units.
    """
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise Invalid(f"{text!r} is not an amount", where=where, hint='write a decimal string such as "0.002"')
    amount = Decimal(text)
    if amount < 0:
        raise Invalid(f"{text} is negative", where=where, hint="amounts and prices are zero or more")
    nanos = amount * NANOS_PER_UNIT
    if nanos != nanos.to_integral_value():
        raise Invalid(f"{text} has more than 9 decimals", where=where, hint="the smallest amount is 0.000000001")
    if nanos > AMOUNT_NANOS_MAX:
        raise Invalid(f"{text} is above 1,000,000,000", where=where, hint="one amount is at most 1e9 currency units")
    return int(nanos)


def format_nanos(nanos: int, digits_min: int = 0) -> str:
    """Return nanos as a decimal string without exponent, with at least `digits_min` decimals: 20000 -> "0.00002".

    By itself it is for prices of one unit, as plans write them.
    """
    sign = "-" if nanos < 0 else ""
    units, fraction = divmod(abs(nanos), NANOS_PER_UNIT)
    decimals = f"{fraction:09d}".rstrip("0").ljust(digits_min, "0")
    return f"{sign}{units}.{decimals}" if decimals else f"{sign}{units}"


@lru_cache(maxsize=256)
def minor_digits(currency: str) -> int:
    """Return how many decimals the currency's minor unit has (ISO 4217): USD 2, JPY 0, KWD 3."""
    if _WHOLE.fullmatch(currency):
        return 0
    return 3 if _THOUSANDTHS.fullmatch(currency) else 2


def format_money(nanos: int, currency: str) -> str:
    """Return an exact amount with at least the decimals of its currency: 1500000000 USD -> "1.50", 5000 -> "0.000005".

    Every amount that somebody pays or has is written so, wherever it is told.
    """
    return format_nanos(nanos, minor_digits(currency))


def round_to_minor(nanos: int, currency: str) -> int:
    """Round nanos half-even to the currency's minor unit; the result is still in nanos."""
    minor_nanos: int = NANOS_PER_UNIT // 10 ** minor_digits(currency)
    return round(Fraction(nanos, minor_nanos)) * minor_nanos


def share_nanos(nanos: int, numerator: int, denominator: int) -> int:
    """Return `nanos x numerator / denominator`, rounded once, half-even (a percentage or a proration)."""
    return round(Fraction(nanos * numerator, denominator))
