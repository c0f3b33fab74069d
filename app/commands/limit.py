"""`faremeter limit`: how many requests, units and calls at once keys, accounts and models may have."""

from typing import Annotated

import typer

from app import bootstrap
from app.accounts.rate_limits import RateLimits
from app.api.wire_limits import limits_body
from app.bootstrap import Books
from app.commands.output import AsJson, print_json, print_table
from app.errors import Invalid
from app.settings import load_settings

app = typer.Typer(help="Limit requests, units and calls at once.", no_args_is_help=True)


@app.command("set")
def set_limits(
    account: Annotated[str | None, typer.Option(help="The account's id: limits of all its keys together.")] = None,
    key: Annotated[str | None, typer.Option(help="With --account: the id of one of its keys.")] = None,
    model: Annotated[str | None, typer.Option(help="The model's name: limits of all who call it.")] = None,
    requests: Annotated[int | None, typer.Option(help="Requests a minute.")] = None,
    units: Annotated[int | None, typer.Option(help="Units a minute.")] = None,
    concurrency: Annotated[int | None, typer.Option(help="Calls at once.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set all limits of a key, an account or a model; those left out are none."""
    limits = RateLimits(requests, units, concurrency)
    subject = _set(bootstrap.open_books(load_settings()), account, key, model, limits)
    if as_json:
        print_json({"subject": subject, **limits_body(limits)})
    else:
        rates = f"requests {_text(requests)}, units {_text(units)} a minute"
        typer.echo(f"{subject}: {rates}, calls at once {_text(concurrency)}")


@app.command("list")
def list_limits(as_json: AsJson = False) -> None:
    """List all limits that are set."""
    found = bootstrap.open_books(load_settings()).limits.list()
    if as_json:
        print_json([{"subject": subject, **limits_body(limits)} for subject, limits in found])
    else:
        rows = [(subject, *map(_text, limits.values)) for subject, limits in found]
        print_table("Limits", ("of", "requests a minute", "units a minute", "calls at once"), rows)


def _set(books: Books, account: str | None, key: str | None, model: str | None, limits: RateLimits) -> str:
    """Set the limits and return whose they are. Raises Invalid unless an account, its key or a model is named."""
    if model is not None and account is None and key is None:
        books.limits.set_of_model(model, limits)
        return model
    if account is None or model is not None:
        raise Invalid("say whose limits to set", hint="--account ID, --account ID --key ID, or --model NAME")
    if key is None:
        books.limits.set_of_account(account, limits)
        return account
    books.limits.set_of_key(account, key, limits)
    return key


def _text(value: int | None) -> str:
    return "any" if value is None else str(value)
