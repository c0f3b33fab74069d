"""`faremeter user`: the people; the first operator is made here and nowhere else."""

import secrets
from typing import Annotated, Any

import typer

from app import bootstrap
from app.accounts.account import User
from app.api.wire import instant
from app.commands.output import AsJson, print_json, print_table
from app.settings import load_settings

app = typer.Typer(help="Create and list users, and set their passwords.", no_args_is_help=True)
_PASSWORD_BYTES = 18


@app.command()
def create(
    email: Annotated[str, typer.Argument(help="The user's address.")],
    operator: Annotated[bool, typer.Option("--operator", help="May run the installation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create a user and print the generated password, which is shown this once."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    user = bootstrap.open_books(load_settings()).accounts.create_user(email, password, operator=operator)
    _show(user.id, user.email, password, as_json=as_json)


@app.command()
def password(email: Annotated[str, typer.Argument(help="The user's address.")], as_json: AsJson = False) -> None:
    """Give a user a new generated password and print it."""
    new_password = secrets.token_urlsafe(_PASSWORD_BYTES)
    user = bootstrap.open_books(load_settings()).passwords.assign(email, new_password)
    _show(user.id, user.email, new_password, as_json=as_json)


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List users in order of creation."""
    users = bootstrap.open_books(load_settings()).accounts.list_users()
    if as_json:
        print_json([_facts(user) for user in users])
    else:
        rows = [(u.id, u.email, "operator" if u.operator else "", f"{u.created_at:%Y-%m-%d}") for u in users]
        print_table("Users", ("id", "email", "", "since"), rows)


def _facts(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "operator": user.operator,
        "created_at": instant(user.created_at),
    }


def _show(user_id: str, email: str, secret: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": user_id, "email": email, "password": secret})
    else:
        typer.echo(f"id        {user_id}\nemail     {email}\npassword  {secret}")
