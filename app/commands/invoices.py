"""`faremeter invoice`: run a month's invoices and show one."""

from typing import Annotated, Any

import typer

from app import bootstrap
from app.api.wire_invoice import invoice_body
from app.billing.invoice import Invoice, InvoiceLine
from app.billing.invoice_run_report import AccountOutcome, InvoiceRunReport
from app.commands.output import AsJson, minute, print_json, print_table
from app.money import format_money
from app.period import Month
from app.settings import load_settings

app = typer.Typer(help="Run a month's invoices and show them.", no_args_is_help=True)


@app.command()
def run(
    month: Annotated[str, typer.Argument(metavar="YYYY-MM", help="Periods that start in this month.")],
    account: Annotated[str | None, typer.Option(help="One account's id; without it, all accounts.")] = None,
    as_json: AsJson = False,
) -> None:
    """Issue the invoices of periods that are over, draft the others; what is issued stays as it is."""
    report = bootstrap.open_books(load_settings()).invoice_run.run(Month.parse(month), account)
    if as_json:
        print_json({"month": str(report.month), "accounts": [_outcome_facts(outcome) for outcome in report.outcomes]})
    else:
        _print_report(report)
    if report.failed:
        raise typer.Exit(1)


@app.command()
def show(
    invoice: Annotated[str, typer.Argument(help="An invoice's id or number.")],
    as_json: AsJson = False,
) -> None:
    """Show an invoice with its lines."""
    found = bootstrap.open_books(load_settings()).invoices.find(invoice)
    if as_json:
        print_json(invoice_body(found))
    else:
        _print_invoice(found)


def _print_report(report: InvoiceRunReport) -> None:
    columns = ("account", "result", "number", "total")
    print_table(f"Invoice run {report.month}", columns, map(_outcome_row, report.outcomes))
    for (currency, result), total_nanos in sorted(report.totals_nanos().items()):
        typer.echo(f"{result.replace('_', ' ')}: {format_money(total_nanos, currency)} {currency}")
    for outcome in report.failed:
        typer.echo(f"{outcome.account_id} was not invoiced: {outcome.error}")


def _outcome_row(outcome: AccountOutcome) -> tuple[str, ...]:
    invoice, result = outcome.invoice, outcome.result.replace("_", " ")
    if invoice is None:
        return outcome.account_id, result, "", ""
    total = f"{format_money(invoice.total_nanos, invoice.currency)} {invoice.currency}"
    return outcome.account_id, result, invoice.number or "", total


def _print_invoice(invoice: Invoice) -> None:
    period = f"{minute(invoice.period.start)} to {minute(invoice.period.end)}"
    columns = ("what", "plan", "from", "until", "exact", "amount")
    print_table(
        f"{invoice.number or 'Draft'} ({invoice.id}), {period}",
        columns,
        (_line_row(line, invoice.currency) for line in invoice.lines),
    )
    for name, amount_nanos in (
        ("subtotal", invoice.subtotal_nanos),
        ("tax", invoice.tax_nanos),
        ("total", invoice.total_nanos),
    ):
        typer.echo(f"{name}: {format_money(amount_nanos, invoice.currency)} {invoice.currency}")


def _line_row(line: InvoiceLine, currency: str) -> tuple[str, ...]:
    return (
        line.description,
        f"{line.plan_key} v{line.plan_version}",
        f"{line.period.start:%Y-%m-%d}",
        f"{line.period.end:%Y-%m-%d}",
        format_money(line.exact_nanos, currency),
        format_money(line.amount_nanos, currency),
    )


def _outcome_facts(outcome: AccountOutcome) -> dict[str, Any]:
    invoice = invoice_body(outcome.invoice) if outcome.invoice else None
    return {
        "account": outcome.account_id,
        "result": outcome.result.value,
        "invoice": invoice,
        "error": outcome.error,
    }
