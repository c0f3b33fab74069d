"""`faremeter key`: credentials of accounts."""

from typing import Annotated, Any

import typer

from app import bootstrap
from app.accounts.account import DEFAULT_SCOPES, ApiKey, parse_scopes
from app.api.wire import instant
from app.commands.output import AsJson, print_json, print_table
from app.settings import load_settings

app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)
OfAccount = Annotated[str, typer.Option("--account", help="The account's id.")]


@app.command()
def create(
    account: OfAccount,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "default",
    scope: Annotated[list[str] | None, typer.Option(help="What the key may do; repeat the option.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Limit the key to this model; repeat the option.")] = None,
    test: Annotated[bool, typer.Option("--test", help="A test key: real models, low limits, no invoice.")] = False,
    operator: Annotated[str | None, typer.Option(help="The operator's e-mail: needed for the scope admin.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create a key and print its id and its secret, which is shown this once."""
    new = bootstrap.open_books(load_settings()).accounts.create_key(
        account,
        name=name,
        live=not test,
        scopes=parse_scopes(scope) if scope else DEFAULT_SCOPES,
        models=frozenset(model or ()),
        operator_email=operator,
    )
    if as_json:
        print_json({**_facts(new.key), "secret": new.secret})
    else:
        typer.echo(f"id      {new.key.id}\nsecret  {new.secret}")


@app.command("list")
def list_keys(account: OfAccount, as_json: AsJson = False) -> None:
    """List an account's keys without their secrets."""
    accounts = bootstrap.open_books(load_settings()).accounts
    keys = accounts.list_keys(accounts.get_account(account).id)
    if as_json:
        print_json([_facts(key) for key in keys])
    else:
        rows = [(k.id, k.name, k.hint, " ".join(sorted(k.scopes)), "yes" if k.revoked_at else "no") for k in keys]
        print_table("Keys", ("id", "name", "hint", "scopes", "revoked"), rows)


@app.command()
def revoke(
    account: OfAccount, key: Annotated[str, typer.Option("--key", help="The key's id.")], as_json: AsJson = False
) -> None:
    """Revoke a key: every process refuses it within a second."""
    revoked = bootstrap.open_books(load_settings()).accounts.revoke_key(account, key)
    if as_json:
        print_json(_facts(revoked))
    else:
        typer.echo(f"{revoked.id} is revoked")


def _facts(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "account": key.account_id,
        "name": key.name,
        "hint": key.hint,
        "test": not key.live,
        "scopes": sorted(scope.value for scope in key.scopes),
        "models": sorted(key.models),
        "created_at": instant(key.created_at),
        "revoked_at": instant(key.revoked_at),
    }
