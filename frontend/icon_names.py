"""Which icons the templates name, read from their syntax: in `icon("key")`, or through a macro that calls `icon`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, nodes

_SYNTAX = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


class BuildError(Exception):
    """What is wrong, in one line."""


@dataclass(frozen=True, slots=True)
class _Template:
    name: str
    syntax: nodes.Template


def icon_names(files: Iterable[Path]) -> list[str]:
    """Return every icon that the templates name, sorted."""
    templates = [_Template(file.name, _SYNTAX.parse(file.read_text(encoding="utf-8"))) for file in files]
    takers = _takers(templates)
    return sorted({name for template in templates for name in _names_in(template, takers)})


def _takers(templates: list[_Template]) -> dict[str, tuple[str, int]]:
    """Return what takes an icon's name, and as which parameter: `icon` itself, and macros that hand it on."""
    macros = [macro for template in templates for macro in template.syntax.find_all(nodes.Macro)]
    takers = {"icon": ("name", 0)}
    while True:
        found = {macro.name: parameter for macro in macros if (parameter := _handed_on(macro, takers))}
        if found.keys() <= takers.keys():
            return takers
        takers = {**found, **takers}


def _handed_on(macro: nodes.Macro, takers: dict[str, tuple[str, int]]) -> tuple[str, int] | None:
    parameters = [argument.name for argument in macro.args]
    for call in macro.find_all(nodes.Call):
        icon = _icon_of(call, takers)
        if isinstance(icon, nodes.Name) and icon.name in parameters:
            return icon.name, parameters.index(icon.name)
    return None


def _names_in(template: _Template, takers: dict[str, tuple[str, int]]) -> Iterator[str]:
    inside = {id(call) for macro in template.syntax.find_all(nodes.Macro) for call in macro.find_all(nodes.Call)}
    for call in template.syntax.find_all(nodes.Call):
        icon = _icon_of(call, takers)
        if isinstance(icon, nodes.Const) and isinstance(icon.value, str):
            yield icon.value
        elif icon is not None and not (isinstance(icon, nodes.Name) and id(call) in inside):
            raise BuildError(f"{template.name}, line {call.lineno}: an icon is named literally, so that it is built in")


def _icon_of(call: nodes.Call, takers: dict[str, tuple[str, int]]) -> nodes.Expr | None:
    """Return the expression that says which icon a call asks for; None where it asks for none."""
    if not isinstance(call.node, nodes.Name) or call.node.name not in takers:
        return None
    name, position = takers[call.node.name]
    if position < len(call.args):
        return call.args[position]
    return next((argument.value for argument in call.kwargs if argument.key == name), None)
