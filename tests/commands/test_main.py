"""The command line as a whole."""

from typer.testing import CliRunner

from app.__main__ import cli


def test_help_names_every_command() -> None:
    output = CliRunner().invoke(cli, ["--help"]).output
    names = {line.strip("│ ").split()[0] for line in output.splitlines() if line.startswith("│ ")}
    groups = {"account", "key", "user", "plan", "invoice", "price", "model", "train", "db", "audit"}
    assert {"serve", "worker", "quickstart", "demo", *groups} <= names
