"""`faremeter db`: the schema, backups and restores."""

from pathlib import Path
from typing import Annotated

import typer

from app import bootstrap, schema
from app.backup.manifest import Manifest
from app.commands.output import AsJson, print_json
from app.settings import load_settings

app = typer.Typer(help="Bring the database up to date, back it up, restore it.", no_args_is_help=True)
BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


@app.callback()
def database() -> None:
    """Bring the database up to date, back it up, restore it."""


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Migrate the database to the version of this program."""
    revision = schema.upgrade(bootstrap.open_books(load_settings()).database)
    if as_json:
        print_json({"revision": revision})
    else:
        typer.echo(f"the database is at revision {revision}")


@app.command()
def backup(file: BackupFile, as_json: AsJson = False) -> None:
    """Write the whole database to a new file, while servers and workers go on."""
    manifest = bootstrap.open_books(load_settings()).backups.take(file)
    _tell(f"{file} holds", manifest, file, as_json=as_json)


@app.command()
def restore(file: BackupFile, as_json: AsJson = False) -> None:
    """Fill an empty database, of either kind, from a backup; refuse a damaged one before anything is written."""
    manifest = bootstrap.open_books(load_settings()).backups.restore(file)
    _tell("the database has", manifest, file, as_json=as_json)


def _tell(beginning: str, manifest: Manifest, file: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "file": str(file),
                "bytes": file.stat().st_size,
                "taken_at": manifest.taken_at,
                "revision": manifest.revision,
                "rows": {table.name: table.rows for table in manifest.tables},
            }
        )
    else:
        typer.echo(
            f"{beginning} {manifest.rows:,} rows of {len(manifest.tables)} tables,"
            f" as they were at {manifest.taken_at:%Y-%m-%dT%H:%M:%SZ}"
        )
