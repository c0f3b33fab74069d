"""The command line, put together from `app/commands`."""

import sys

import typer

from app.commands import accounts, database, economics, invoices, keys, models, plans, server, train, users
from app.errors import AppError

cli = typer.Typer(
    name="faremeter",
    help="PyTorch models as a paid API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
cli.add_typer(server.app)
cli.add_typer(accounts.app, name="account")
cli.add_typer(keys.app, name="key")
cli.add_typer(users.app, name="user")
cli.add_typer(plans.app, name="plan")
cli.add_typer(invoices.app, name="invoice")
cli.add_typer(economics.app, name="price")
cli.add_typer(models.app, name="model")
cli.add_typer(train.app, name="train")
cli.add_typer(database.app, name="db")


def main() -> None:
    """Run a command; what a caller did wrong is one line on stderr and exit status 1."""
    try:
        cli()
    except AppError as error:
        sys.exit(f"faremeter: {error}")


if __name__ == "__main__":
    main()
