"""`faremeter member`: who belongs to an account, without invitations: for whoever runs the installation."""

from typing import Annotated, Any

import typer

from app import bootstrap
from app.api.wire import instant
from app.audit_log.actor import INSTALLATION
from app.commands.output import AsJson, print_json, print_table
from app.members.member import Member
from app.members.role import Role, parse_role
from app.settings import load_settings

app = typer.Typer(help="Let users into accounts, list and remove them.", no_args_is_help=True)
AccountId = Annotated[str, typer.Option("--account", help="The account's id.")]
Email = Annotated[str, typer.Argument(help="The address of an existing user.")]


@app.command()
def add(
    email: Email,
    account: AccountId,
    role: Annotated[str, typer.Option(help=f"One of: {', '.join(Role)}.")] = Role.OWNER,
    as_json: AsJson = False,
) -> None:
    """Let a user into an account."""
    members = bootstrap.open_books(load_settings()).members
    member = members.add(account, email, parse_role(role))
    if as_json:
        print_json(_facts(member))
    else:
        typer.echo(member.user.id)


@app.command("list")
def list_members(account: AccountId, as_json: AsJson = False) -> None:
    """List the members of an account in the order in which they joined."""
    books = bootstrap.open_books(load_settings())
    members = books.members.list(books.accounts.get_account(account).id)
    if as_json:
        print_json([_facts(member) for member in members])
    else:
        rows = [(m.user.id, m.user.email, m.role, f"{m.since:%Y-%m-%d}") for m in members]
        print_table("Members", ("user", "email", "role", "since"), rows)


@app.command()
def remove(email: Email, account: AccountId) -> None:
    """Take a member out of an account; the last owner stays."""
    members = bootstrap.open_books(load_settings()).members
    members.remove(account, members.find(account, email).user.id, by=INSTALLATION)
    typer.echo("removed")


def _facts(member: Member) -> dict[str, Any]:
    return {
        "user": member.user.id,
        "email": member.user.email,
        "role": member.role,
        "since": instant(member.since),
    }
