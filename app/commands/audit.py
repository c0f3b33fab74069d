"""`faremeter audit`: whether the books agree with each other."""

import typer

from app import bootstrap
from app.commands.output import AsJson, print_json
from app.self_audit.audit_table import audit_facts
from app.self_audit.report import CheckResult
from app.settings import load_settings

app = typer.Typer()


@app.command()
def audit(as_json: AsJson = False) -> None:
    """Compare everything that the books keep twice; exit with 1 where they disagree.

    Where calls hold something it looks on until their processes give a sign of life, and notes those that give none.
    """
    settings = load_settings()
    report = bootstrap.open_books(settings).self_audit.run(look_on_s=settings.process_lease_s)
    if as_json:
        print_json(audit_facts(report))
    else:
        for result in report.results:
            _print(result)
        verdict = "the books agree" if report.clean else "the books disagree"
        typer.echo(f"{verdict}, as of {report.as_of:%Y-%m-%dT%H:%M:%SZ}")
    if not report.clean:
        raise typer.Exit(1)


def _print(result: CheckResult) -> None:
    mark = "ok" if not result.differences else f"{result.differences:,} differ"
    uncompared = f", {result.uncompared:,} cannot be compared" if result.uncompared else ""
    typer.echo(f"{mark:>10}  {result.claim} ({result.compared:,} compared{uncompared})")
    for each in result.first:
        typer.echo(f"{'':12}{each.subject}: expected {each.expected}, found {each.found}")
    for warning in result.warnings:
        typer.echo(f"{'':12}note: {warning}")
