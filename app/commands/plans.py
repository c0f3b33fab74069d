"""`faremeter plan`: publish plan files and put accounts on plans."""

from pathlib import Path
from typing import Annotated

import typer

from app import bootstrap
from app.api.wire import instant
from app.api.wire_plan import plan_body
from app.commands.output import AsJson, minute, print_json, print_table
from app.money import format_money
from app.pricing.plan import PlanVersion
from app.settings import load_settings

app = typer.Typer(help="Publish price plans and put accounts on them.", no_args_is_help=True)

PlanFile = Annotated[Path, typer.Argument(help="A plan file (TOML).", exists=True, dir_okay=False, readable=True)]


@app.command()
def publish(file: PlanFile, as_json: AsJson = False) -> None:
    """Freeze FILE as the plan's next version, in effect from now on; equal content changes nothing."""
    version = bootstrap.open_books(load_settings()).plans.publish(file.read_text(encoding="utf-8"))
    if as_json:
        print_json(plan_body(version))
    else:
        typer.echo(f"{version.plan_key}: version {version.version} is in effect since {minute(version.published_at)}")


@app.command("list")
def list_plans(as_json: AsJson = False) -> None:
    """List the newest version of every plan."""
    versions = bootstrap.open_books(load_settings()).plans.list()
    if as_json:
        print_json([plan_body(version) for version in versions])
    else:
        columns = ("plan", "version", "billing", "base fee", "prices", "in effect since")
        print_table("Plans", columns, map(_row, versions))


@app.command()
def assign(
    account: Annotated[str, typer.Option(help="The account's id.")],
    plan: Annotated[str, typer.Option(help="The plan's key.")],
    as_json: AsJson = False,
) -> None:
    """Put an account on a plan, from now on."""
    assignment = bootstrap.open_books(load_settings()).plans.assign(account, plan)
    if as_json:
        print_json({"account": account, "plan": plan, "starts_at": instant(assignment.starts_at)})
    else:
        typer.echo(f"{account} is on plan {plan}")


def _row(version: PlanVersion) -> tuple[str, ...]:
    priced = ", ".join(f"{price.model} by {price.meter}" for price in version.prices)
    base_fee = f"{format_money(version.base_fee_nanos, version.currency)} {version.currency}"
    since = minute(version.published_at)
    return version.plan_key, str(version.version), version.billing, base_fee, priced, since
