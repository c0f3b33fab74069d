"""The part `[price.when]` of a plan file: read into a condition or refused with the place and the remedy."""

import re
from decimal import Decimal

from app.errors import Invalid
from app.pricing.condition import Condition, is_decimal, plain
from app.toml_table import TomlTable

_FIELDS = ("field", "min", "max", "in")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TEXT_CHARS_MAX = 200
_EXAMPLE_LIST = '["cat", "dog"]'


def parse_condition(table: TomlTable) -> Condition:
    """Read which outputs count as results. Raises Invalid for the first mistake, such as `price[1].when.min`."""
    table.allow_only(_FIELDS)
    field = table.text("field", example="probability")
    if not _FIELD_NAME.fullmatch(field):
        raise Invalid(
            f"{field!r} cannot name a field of an output",
            where=table.place("field"),
            hint="GET /v1/models lists the fields of each model's outputs",
        )
    if not any(name in table for name in ("min", "max", "in")):
        raise Invalid("it asks for nothing", where=table.where, hint='add min = "0.5", max = "0.9" or in = ["cat"]')
    low, high = (_number(table, name) if name in table else None for name in ("min", "max"))
    if low is not None and high is not None and low > high:
        raise Invalid(
            f"no number is at least {plain(low)} and at most {plain(high)}",
            where=table.place("min"),
            hint=f'use min = "{plain(high)}" or less',
        )
    return _one_kind(table, Condition(field, low, high, _among(table)))


def _number(table: TomlTable, name: str) -> Decimal:
    text = table.decimal_text(name, example="0.5")
    if not is_decimal(text):
        raise Invalid(
            f"{text!r} is not a decimal number",
            where=table.place(name),
            hint=f'write it plainly, with at most 20 digits on each side of the point: {name} = "0.5"',
        )
    return Decimal(plain(Decimal(text)))


def _among(table: TomlTable) -> tuple[str, ...]:
    if "in" not in table:
        return ()
    texts = table.texts("in", example=_EXAMPLE_LIST)
    for index, text in enumerate(texts):
        if not text.isprintable() or not 1 <= len(text) <= _TEXT_CHARS_MAX:
            raise Invalid(
                f"a value is 1 to {_TEXT_CHARS_MAX} characters on one line",
                where=f"{table.place('in')}[{index}]",
                hint="write the label as the model answers it",
            )
    return tuple(sorted(set(texts)))


def _one_kind(table: TomlTable, condition: Condition) -> Condition:
    if not condition.suits_numbers and not condition.suits_texts:
        raise Invalid(
            "bounds are for numbers, and the list has texts that are none",
            where=table.place("in"),
            hint="take either out: no field is a number and a text",
        )
    return condition
