"""Conditions: which outputs of a call a price counts as results (pure)."""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.errors import InvariantViolation


@dataclass(frozen=True, slots=True)
class Condition:
    """What an output must say for itself: its `field` lies within the bounds, both included, and is one of `among`.

    The values of `among` are texts: they are compared as such with a text, and as exact decimals with a number.
    """

    field: str
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    among: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.bounded and not self.among:
            raise InvariantViolation(f"the condition on {self.field} asks for nothing")

    @property
    def bounded(self) -> bool:
        """Whether a number is asked for by a bound."""
        return self.at_least is not None or self.at_most is not None

    @property
    def suits_texts(self) -> bool:
        """Whether a text can be told by it: a text has no bounds."""
        return not self.bounded

    @property
    def suits_numbers(self) -> bool:
        """Whether a number can be told by it: what it may be one of are numbers."""
        return all(map(is_decimal, self.among))

    def holds(self, value: object) -> bool:
        """Tell whether the value of the field meets it; what is neither text nor number never does.

        A number counts as JSON writes it, with the fewest digits that name it: 0.5 is at least 0.5, and 0.1 + 0.2,
        which is written as 0.30000000000000004, is not at most 0.3.
        """
        if isinstance(value, str):
            return self.suits_texts and value in self.among
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.suits_numbers and self._holds_number(Decimal(repr(value)))

    def written(self) -> dict[str, Any]:
        """Return it as a plan file writes it: `field`, and those of `min`, `max` and `in` that are asked for."""
        fields: dict[str, Any] = {"field": self.field}
        if self.at_least is not None:
            fields["min"] = plain(self.at_least)
        if self.at_most is not None:
            fields["max"] = plain(self.at_most)
        if self.among:
            fields["in"] = list(self.among)
        return fields

    def _holds_number(self, number: Decimal) -> bool:
        return (
            number.is_finite()
            and (self.at_least is None or number >= self.at_least)
            and (self.at_most is None or number <= self.at_most)
            and (not self.among or number in _decimals(self.among))
        )


def read_condition(written: dict[str, Any]) -> Condition:
    """Return the condition that was written with `Condition.written`."""
    low, high = (Decimal(written[name]) if name in written else None for name in ("min", "max"))
    return Condition(written["field"], low, high, tuple(written.get("in", ())))


def is_decimal(text: str) -> bool:
    """Tell whether a text is a decimal number: digits, a sign and a point alone, at most 20 digits on each side."""
    whole, point, fraction = text.removeprefix("-").partition(".")
    parts = [whole, fraction] if point else [whole]
    return all(part.isascii() and part.isdecimal() and len(part) <= 20 for part in parts)


def plain(number: Decimal) -> str:
    """Return the one text of a number: no exponent, no idle zeros."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


@lru_cache(maxsize=1024)
def _decimals(texts: tuple[str, ...]) -> frozenset[Decimal]:
    return frozenset(map(Decimal, texts))
