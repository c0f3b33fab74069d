"""`faremeter price`: what a model should cost."""

from typing import Annotated

import typer

from app import bootstrap
from app.commands.output import AsJson, print_json, print_table
from app.economics.price_table import price_facts
from app.settings import load_settings

app = typer.Typer(help="Find out what a model should cost.", no_args_is_help=True)


@app.callback()
def price() -> None:
    """Find out what a model should cost."""


@app.command()
def suggest(
    model: Annotated[str, typer.Argument(help="The model's name.")],
    margin: Annotated[str, typer.Option(help="The share of the price that is to remain, such as 60%.")],
    calls_a_day: Annotated[int | None, typer.Option(help="For the payback; without it, the measured number.")] = None,
    days: Annotated[int, typer.Option(help="How many days of measurements count.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Suggest a price from measured compute, the hardware file and a margin."""
    economics = bootstrap.open_books(load_settings()).economics
    facts = price_facts(economics.suggest_price(model, margin, calls_a_day=calls_a_day, days=days))
    if as_json:
        print_json(facts)
    else:
        rows = ((name.replace("_", " "), "-" if value is None else str(value)) for name, value in facts.items())
        print_table(f"Price of {model}", ("figure", "value"), rows)
