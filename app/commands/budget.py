"""`faremeter budget`: what accounts and their keys may spend or use."""

from typing import Annotated

import typer

from app import bootstrap
from app.accounts.budget import DEFAULT_THRESHOLDS, BudgetInvalid, Measure, Window
from app.api.wire_budget import budget_body, state_body, value_body
from app.charging.budget_state import BudgetState
from app.commands.output import AsJson, minute, print_json, print_table
from app.money import parse_nanos
from app.settings import load_settings

app = typer.Typer(help="Bound what accounts and their keys may spend or use.", no_args_is_help=True)
OfAccount = Annotated[str, typer.Option("--account", help="The account's id.")]


@app.command("set")
def set_budget(
    account: OfAccount,
    window: Annotated[Window, typer.Option(help="How long it counts before it starts anew.")],
    key: Annotated[str | None, typer.Option(help="A key's id; without, it bounds all keys of the account.")] = None,
    money: Annotated[str | None, typer.Option(help="In the account's currency, such as 10.00.")] = None,
    units: Annotated[int | None, typer.Option(help="A number of units: a quota.")] = None,
    soft: Annotated[bool, typer.Option("--soft", help="Tell, and refuse nothing.")] = False,
    threshold: Annotated[
        list[int] | None, typer.Option(help="Tell at this percent of the limit; repeat the option.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set a budget or quota, or replace it, and print its id and what its window has seen already."""
    books = bootstrap.open_books(load_settings())
    measure, limit_value = _limit(money, units)
    state = books.budgets.set(
        account,
        key_id=key,
        measure=measure,
        window=window,
        limit_value=limit_value,
        hard=not soft,
        thresholds=tuple(threshold) if threshold else DEFAULT_THRESHOLDS,
    )
    currency = books.accounts.get_account(account).currency
    if as_json:
        print_json(state_body(state, currency))
    else:
        typer.echo(f"{state.budget.id}  {value_body(measure, state.used, currency)} used")


@app.command("list")
def list_budgets(account: OfAccount, as_json: AsJson = False) -> None:
    """List the budgets of an account and its keys, and where they stand."""
    books = bootstrap.open_books(load_settings())
    currency = books.accounts.get_account(account).currency
    states = books.budgets.list(account)
    if as_json:
        print_json([state_body(each, currency) for each in states])
    else:
        columns = ("id", "key", "budget", "kind", "limit", "used", "held", "starts anew")
        print_table(f"Budgets, money in {currency}", columns, [_row(each, currency) for each in states])


@app.command("remove")
def remove_budget(
    budget_id: Annotated[str, typer.Argument(metavar="ID", help="The budget's id.")], as_json: AsJson = False
) -> None:
    """Remove a budget, and forget what was counted against it."""
    books = bootstrap.open_books(load_settings())
    removed = books.budgets.remove(budget_id)
    if as_json:
        print_json(budget_body(removed, books.accounts.get_account(removed.account_id).currency))
    else:
        typer.echo(f"{removed.name} of {removed.key_id or removed.account_id} is removed")


def _limit(money: str | None, units: int | None) -> tuple[Measure, int]:
    if (money is None) == (units is None):
        raise BudgetInvalid(
            "a budget is of money or of units", where="limit", hint="give --money 10.00 or --units 1000"
        )
    if money is not None:
        return Measure.MONEY, parse_nanos(money, where="--money")
    return Measure.UNITS, units or 0


def _row(state: BudgetState, currency: str) -> tuple[str, ...]:
    budget = state.budget
    values = (budget.limit_value, state.used, state.held)
    limit, used, held = (str(value_body(budget.measure, value, currency)) for value in values)
    anew = minute(state.reset_at) if state.reset_at else "never"
    return budget.id, budget.key_id or "", budget.name, "hard" if budget.hard else "soft", limit, used, held, anew
