"""`faremeter account`: who pays."""

from typing import Annotated, Any

import typer

from app import bootstrap
from app.accounts.account import Account
from app.api.wire import instant
from app.commands.output import AsJson, print_json, print_table
from app.pricing.open_account import open_account
from app.settings import load_settings

app = typer.Typer(help="Create and list accounts.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the account is called.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code; it never changes.")] = "USD",
    zone: Annotated[str, typer.Option(help="IANA time zone of its billing periods.")] = "UTC",
    anchor_day: Annotated[int, typer.Option(help="Day of the month on which periods start.")] = 1,
    plan: Annotated[str | None, typer.Option(help="Plan to start on; default: FAREMETER_DEFAULT_PLAN.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create an account and put it on a plan."""
    settings = load_settings()
    books = bootstrap.open_books(settings)
    account = open_account(
        books.database,
        books.clock,
        name,
        currency=currency,
        zone=zone,
        anchor_day=anchor_day,
        plan_key=plan or settings.default_plan,
    )
    if as_json:
        print_json(_facts(account))
    else:
        typer.echo(account.id)


@app.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """List accounts in order of creation."""
    accounts = bootstrap.open_books(load_settings()).accounts.list_accounts()
    if as_json:
        print_json([_facts(account) for account in accounts])
    else:
        rows = [(a.id, a.name, a.currency, a.zone, str(a.anchor_day)) for a in accounts]
        print_table("Accounts", ("id", "name", "currency", "zone", "anchor day"), rows)


def _facts(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "currency": account.currency,
        "zone": account.zone,
        "anchor_day": account.anchor_day,
        "created_at": instant(account.created_at),
    }
