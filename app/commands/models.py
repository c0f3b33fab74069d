"""`faremeter model`: what is in the model repository, and whether it works."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.output import AsJson, print_json, print_table
from app.inference.model_repository import ModelFolder, ModelRepository, VersionFolder
from app.settings import Settings, load_settings

app = typer.Typer(help="List, check and fetch the models of the repository.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The model's name.")]
Version = Annotated[int | None, typer.Option(help="Its version; without one, the default version.", min=1)]
Photo = Annotated[
    Path | None,
    typer.Option(help="A JPEG, PNG or WebP file; without one, a black picture.", exists=True, dir_okay=False),
]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models on disk: their versions, and what hinders each."""
    rows = [row for folder in _repository(load_settings()).scan() for row in _rows(folder)]
    if as_json:
        print_json([dict(zip(("model", "version", "default", "hindrance"), row, strict=True)) for row in rows])
    else:
        cells = [
            (name, str(number or ""), "yes" if default else "", reason or "") for name, number, default, reason in rows
        ]
        print_table("Models", ("model", "version", "default", "what hinders it"), cells)


@app.command()
def check(name: Name, version: Version = None, photo: Photo = None, as_json: AsJson = False) -> None:
    """Load a model as the server does, run one input, and print its answer."""
    from app.inference.model_check import check_model

    settings = load_settings()
    result = check_model(_repository(settings), name, version=version, device=settings.device, photo=photo)
    if as_json:
        print_json(result)
        return
    typer.echo(f"{name} {result.version} on {result.device}: loaded in {result.load_ms} ms, ran in {result.run_us} us")
    for guess in result.output.get("top", []):
        typer.echo(f"  {guess['probability']:7.2%}  {guess['label']}")
    if "top" not in result.output:
        typer.echo("  " + ", ".join(f"{field} {value}" for field, value in result.output.items()))


@app.command()
def fetch(name: Name, version: Version = None, as_json: AsJson = False) -> None:
    """Fetch a model's published weights into the data folder, and check their hash."""
    from app.inference.model_check import fetch_model

    file = fetch_model(_repository(load_settings()), name, version=version)
    if as_json:
        print_json({"model": name, "weights": str(file)})
    else:
        typer.echo(f"{name}: weights are in {file}")


def _repository(settings: Settings) -> ModelRepository:
    return ModelRepository(settings.models_dir, settings.data_dir)


def _rows(folder: ModelFolder) -> list[tuple[str, int | None, bool, str | None]]:
    manifest = folder.manifest
    if manifest is None:
        return [(folder.name, None, False, folder.reason)]
    return [_row(folder.name, version, manifest.default_version) for version in folder.versions.values()]


def _row(name: str, version: VersionFolder, default_version: int) -> tuple[str, int | None, bool, str | None]:
    return name, version.number, version.number == default_version, version.refusal()
