"""The command line: each group is a module of `app/commands`, imported when it is asked for (torch takes seconds)."""

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from app.errors import AppError
from app.settings import load_settings
from app.telemetry import configure_logging

# The name on the command line, and the module and command behind it.
_COMMANDS = {
    "serve": "server:serve",
    "worker": "server:worker",
    "quickstart": "quickstart:quickstart",
    "demo": "quickstart:demo",
    "account": "accounts",
    "key": "keys",
    "user": "users",
    "member": "members",
    "plan": "plans",
    "credit": "credit",
    "budget": "budget",
    "limit": "limit",
    "invoice": "invoices",
    "price": "prices",
    "economics": "economics",
    "model": "models",
    "train": "train",
    "db": "database",
    "audit": "audit",
}


class LazyGroup(TyperGroup):
    """Knows the commands by name and imports one when it runs, or all of them for `--help`."""

    def list_commands(self, _ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return None
        module, _, command = _COMMANDS[cmd_name].partition(":")
        group: Any = typer.main.get_command(importlib.import_module(f"app.commands.{module}").app)
        found = group.get_command(ctx, command) if command else group
        found.name = cmd_name  # a group does not know the name under which it was added here
        return found


cli = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


@cli.callback()
def faremeter() -> None:
    """PyTorch models as a paid API."""
    configure_logging(load_settings().log_level)


def main() -> None:
    """Run a command; what a caller did wrong is one line on stderr and exit status 1."""
    try:
        cli(prog_name="faremeter")
    except AppError as error:
        sys.exit(f"faremeter: {error}")


if __name__ == "__main__":
    main()
