"""`faremeter quickstart` and `demo`: from nothing to a serving installation, and a demonstration of it."""

from typing import Annotated

import typer

from app import demo as demonstration
from app import quickstart as installation
from app.settings import load_settings
from app.telemetry import configure_logging

app = typer.Typer()


@app.command()
def quickstart(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
) -> None:
    """Set everything up, serve, and print a password and a curl line; ends with Ctrl-C."""
    configure_logging("warning")  # what is said here is for a person
    installation.run(load_settings(), host=host, port=port, say=typer.echo)


@app.command()
def demo() -> None:
    """Set everything up, make real paid predictions over HTTP, check the invoice, and end."""
    configure_logging("warning")
    demonstration.demonstrate(load_settings(), say=typer.echo)
