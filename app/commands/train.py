"""`faremeter train`: make the shipped models again."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from app.commands.output import AsJson, print_json
from app.settings import load_settings

app = typer.Typer(help="Train the shipped models on data that scikit-learn carries.", no_args_is_help=True)

Into = Annotated[Path | None, typer.Option(help="The version folder to write; without one, in the data folder.")]


@app.command()
def linear(into: Into = None, as_json: AsJson = False) -> None:
    """Train `linear` by gradient descent, and compare it with the closed form."""
    from app.training.linear import EPOCHS, train_linear

    settings = load_settings()
    version_dir = into or settings.data_dir / "models" / "linear" / "1"
    with _progress("epochs") as progress:
        task = progress.add_task("linear", total=EPOCHS, note="")
        predictor = settings.models_dir / "linear" / "predictor.py"
        report = train_linear(predictor, version_dir, lambda epoch: progress.update(task, completed=epoch))
    if as_json:
        print_json(report)
    else:
        typer.echo(
            f"linear: R² {report.sgd.r2:.4f}, RMSE {report.sgd.rmse:.2f} on {report.rows_held_out} held-out patients "
            f"(closed form: {report.closed_form.r2:.4f}, {report.closed_form.rmse:.2f}), in {version_dir}"
        )


@app.command()
def vgg16(
    epochs: Annotated[
        int | None, typer.Option(help="Epochs at most; more than the default seldom helps.", min=1)
    ] = None,
    into: Into = None,
    as_json: AsJson = False,
) -> None:
    """Train `vgg16-digits` from scratch: about two minutes on two cores."""
    from app.training.vgg16_digits import EPOCHS, TrainingProgress, train_vgg16_digits

    settings = load_settings()
    version_dir = into or settings.data_dir / "models" / "vgg16-digits" / "1"
    with _progress("steps") as progress:
        task = progress.add_task("vgg16-digits", total=None, note="")

        def show(state: TrainingProgress) -> None:
            progress.update(task, total=state.steps, completed=state.step, note=state.note)

        predictor = settings.models_dir / "vgg16-digits" / "predictor.py"
        report = train_vgg16_digits(predictor, version_dir, show, epochs=epochs or EPOCHS)
    if as_json:
        print_json(report)
    else:
        typer.echo(
            f"vgg16-digits: {report.held_out_accuracy:.2%} of {report.images_held_out} held-out digits, "
            f"in {report.seconds:.0f} s and {report.epochs} epochs, in {version_dir}"
        )


def _progress(unit: str) -> Progress:
    """Return a progress bar on stderr, so that --json leaves stdout to the document."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )
