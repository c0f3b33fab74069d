"""TOML files that people write: every mistake is one Invalid that says what is wrong, where, and how to mend it.

Amounts are quoted decimal strings. A bare float is caught with its own literal, before it could become a binary float.
"""

import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from app.errors import Invalid
from app.money import parse_nanos

TEXT_CHARS_MAX = 256 * 1024
TABLES_MAX = 1000
INTEGER_MAX = 2**63 - 1


class _Float(str):
    """The literal of a TOML float, kept as it was written."""


class TomlTable:
    """One table of a file; `where` is its place, such as `price[1].tier[0]`."""

    def __init__(self, values: dict[str, Any], where: str = "") -> None:
        self._values = values
        self.where = where

    def place(self, name: str) -> str:
        """Return where a field stands: `price[1].unit_price`."""
        return f"{self.where}.{name}" if self.where else name

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def allow_only(self, names: Sequence[str]) -> None:
        """Raise Invalid for a field of any other name."""
        for name in self._values:
            if name not in names:
                close = get_close_matches(name, names, n=1, cutoff=0.75)
                hint = f"did you mean {close[0]}?" if close else f"the fields here are: {', '.join(names)}"
                raise Invalid(f"{name!r} is not a field", where=self.place(name), hint=hint)

    def text(self, name: str, *, example: str) -> str:
        """Return a non-empty string."""
        value = self._required(name, f'{name} = "{example}"')
        if isinstance(value, _Float) or not isinstance(value, str):
            raise Invalid(
                f"{_literal(value)} is not a string", where=self.place(name), hint=f'write it as {name} = "{example}"'
            )
        if not value.strip():
            raise Invalid(f"{name} is empty", where=self.place(name), hint=f'write it as {name} = "{example}"')
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Return a string that is one of the choices."""
        value = self.text(name, example=choices[0])
        if value not in choices:
            raise Invalid(
                f"{value!r} is not a {name}", where=self.place(name), hint=f"choose from: {', '.join(choices)}"
            )
        return value

    def amount_nanos(self, name: str, *, example: str) -> int:
        """Return the nanos of a quoted decimal string."""
        value = self._required(name, f'{name} = "{example}"')
        if isinstance(value, _Float) or (isinstance(value, int) and not isinstance(value, bool)):
            raise Invalid(
                f"{name} = {value} is a bare number, and money is never a binary float",
                where=self.place(name),
                hint=f'quote it: {name} = "{value if _is_plain(value) else example}"',
            )
        return parse_nanos(value, where=self.place(name))

    def integer(self, name: str, *, example: int) -> int:
        """Return a whole number of 1 to 2**63 - 1."""
        value = self._required(name, f"{name} = {example}")
        if isinstance(value, bool) or not isinstance(value, int):
            raise Invalid(
                f"{_literal(value)} is not a whole number", where=self.place(name), hint=f"write {name} = {example}"
            )
        if not 1 <= value <= INTEGER_MAX:
            raise Invalid(f"{value} is out of range", where=self.place(name), hint=f"use 1 to {INTEGER_MAX}")
        return value

    def decimal_text(self, name: str, *, example: str) -> str:
        """Return a quoted string that should be a number; a bare one would have been a binary float."""
        value = self._required(name, f'{name} = "{example}"')
        if isinstance(value, _Float) or not isinstance(value, str):
            raise Invalid(
                f"{name} = {_literal(value)} is not a quoted decimal",
                where=self.place(name),
                hint=f'quote it: {name} = "{value if _is_plain(value) else example}"',
            )
        return value

    def texts(self, name: str, *, example: str) -> list[str]:
        """Return a list of strings, of which there is at least one and no more than 1,000."""
        value = self._required(name, f"{name} = {example}")
        if not isinstance(value, list) or not 1 <= len(value) <= TABLES_MAX:
            raise Invalid(
                f"{name} is not a list of 1 to {TABLES_MAX} strings",
                where=self.place(name),
                hint=f"write it as {name} = {example}",
            )
        for index, item in enumerate(value):
            if isinstance(item, _Float) or not isinstance(item, str):
                raise Invalid(
                    f"{_literal(item)} is not a string",
                    where=f"{self.place(name)}[{index}]",
                    hint=f"quote each: {name} = {example}",
                )
        return value

    def table(self, name: str) -> "TomlTable":
        """Return the table `[name]`."""
        header = f"[{self._header(name)}]"
        value = self._required(name, header)
        if not isinstance(value, dict):
            raise Invalid(f"{name} is not a table", where=self.place(name), hint=f"begin it with {header}")
        return TomlTable(value, self.place(name))

    def tables(self, name: str) -> "list[TomlTable]":
        """Return the tables `[[name]]`, of which there is at least one."""
        header = f"[[{self._header(name)}]]"
        value = self._required(name, header)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Invalid(f"{name} is not a list of tables", where=self.place(name), hint=f"begin each with {header}")
        if not 1 <= len(value) <= TABLES_MAX:
            raise Invalid(f"there are {len(value)}", where=self.place(name), hint=f"write 1 to {TABLES_MAX} {header}")
        return [TomlTable(item, f"{self.place(name)}[{index}]") for index, item in enumerate(value)]

    def _required(self, name: str, line: str) -> Any:
        if name not in self._values:
            raise Invalid(f"{name} is missing", where=self.place(name), hint=f"add {line}")
        return self._values[name]

    def _header(self, name: str) -> str:
        outer = [part.partition("[")[0] for part in self.where.split(".") if part]
        return ".".join([*outer, name])


def parse_toml(text: str, *, source: str) -> TomlTable:
    """Parse a file's text. Raises Invalid, at `source`, for one that is not TOML or longer than 256 Ki characters."""
    if len(text) > TEXT_CHARS_MAX:
        raise Invalid("the file is too long", where=source, hint=f"at most {TEXT_CHARS_MAX} characters")
    try:
        return TomlTable(tomllib.loads(text, parse_float=_Float))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        detail = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is nested too deeply"
        raise Invalid(f"this is not TOML: {detail}", where=source, hint="see toml.io for the format") from None


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (_Float, int)) else repr(value)


def _is_plain(value: Any) -> bool:
    return str(value).replace(".", "", 1).isdigit()
