"""`faremeter economics`: what each model earned, and what the hardware cost."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from app import bootstrap
from app.commands.output import AsJson, minute, print_json, print_table
from app.economics.margin_report import MarginReport
from app.economics.margin_table import account_facts, device_facts, margin_facts, model_facts, total_facts
from app.period import Month
from app.settings import load_settings

app = typer.Typer(help="See what each model earned and what the hardware cost.", no_args_is_help=True)


@app.callback()
def economics() -> None:
    """See what each model earned and what the hardware cost."""


@app.command()
def report(
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="A UTC month; without it, this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a month up to now: earned, cost, idle, margin and break-even calls a day, one line a model."""
    margins = bootstrap.open_books(load_settings()).margins
    found = margins.report(Month.parse(month) if month else None)
    if as_json:
        print_json(margin_facts(found))
    else:
        _print_report(found)


def _print_report(found: MarginReport) -> None:
    period = f"{minute(found.period.start)} to {minute(found.period.end)}"
    _print_facts(f"Models, {period}", [model_facts(each) for each in found.models])
    _print_facts("Devices whose time no model bears", [device_facts(each) for each in found.unattributed])
    _print_facts("Totals", [total_facts(each) for each in found.totals])
    if found.uncounted:
        lines = [account_facts(each) for each in found.uncounted]
        _print_facts("Accounts that cannot be charged, and are in no figure", lines)


def _print_facts(title: str, lines: Sequence[Mapping[str, str | int | None]]) -> None:
    if not lines:
        typer.echo(f"{title}: none")
        return
    rows = (["-" if value is None else str(value) for value in line.values()] for line in lines)
    print_table(title, [name.replace("_", " ") for name in lines[0]], rows)
