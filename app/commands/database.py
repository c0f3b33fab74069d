"""`faremeter db`: the schema."""

import typer

from app import bootstrap, schema
from app.commands.output import AsJson, print_json
from app.settings import load_settings

app = typer.Typer(help="Bring the database up to date.", no_args_is_help=True)


@app.callback()
def database() -> None:
    """Bring the database up to date."""


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Migrate the database to the version of this program."""
    revision = schema.upgrade(bootstrap.open_books(load_settings()).database)
    if as_json:
        print_json({"revision": revision})
    else:
        typer.echo(f"the database is at revision {revision}")
