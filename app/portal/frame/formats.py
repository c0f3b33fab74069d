"""How numbers, amounts and instants look on a page. Amounts are exact decimal strings: no float is on the way."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, get_decimal_symbol

from app.money import format_money, format_nanos
from app.portal.frame.preferences import Language

LANGUAGE_NAMES = {Language.ENGLISH: "English", Language.CHINESE: "中文"}
_NONE = "-"
LOCALES = {Language.ENGLISH: "en_GB", Language.CHINESE: "zh_CN"}


def number(value: int, language: Language) -> str:
    """Return an integer with its thousands told apart: 12,345."""
    return str(format_decimal(value, locale=LOCALES[language]))


def instant(value: datetime | None, zone: str, language: Language) -> str:
    """Return an instant as the local date and minute of a zone."""
    if value is None:
        return _NONE
    return str(format_datetime(value, "medium", tzinfo=ZoneInfo(zone), locale=LOCALES[language]))


def day(value: datetime | None, zone: str, language: Language) -> str:
    """Return the local day of an instant."""
    if value is None:
        return _NONE
    return str(format_date(value.astimezone(ZoneInfo(zone)).date(), "medium", locale=LOCALES[language]))


def unit_price(nanos: int, currency: str, language: Language) -> str:
    """Return the price of one unit as the plan writes it: 0.5 USD."""
    return f"{_grouped(format_nanos(nanos), language)} {currency}"


def money(nanos: int, currency: str, language: Language) -> str:
    """Return an exact amount with at least the decimals of its currency: 1,234.50 USD, 0.00009 USD."""
    return f"{_grouped(format_money(nanos, currency), language)} {currency}"


def _grouped(decimal: str, language: Language) -> str:
    """Tell the thousands of a decimal string apart; the rest of it stays as it is."""
    sign, digits = ("-", decimal[1:]) if decimal.startswith("-") else ("", decimal)
    whole, point, fraction = digits.partition(".")
    return sign + number(int(whole), language) + (get_decimal_symbol(LOCALES[language]) if point else "") + fraction
