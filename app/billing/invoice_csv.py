"""An invoice as CSV, one record a line, that a spreadsheet opens without running anything in it."""

from datetime import datetime

from app.billing.invoice import Invoice, InvoiceLine
from app.money import format_money
from app.spreadsheet import csv_line

_COLUMNS = (
    "invoice",
    "number",
    "status",
    "currency",
    "kind",
    "description",
    "period_start",
    "period_end",
    "plan",
    "plan_version",
    "model",
    "meter",
    "quantity",
    "exact_amount",
    "amount",
)


def invoice_csv(invoice: Invoice) -> str:
    """Return the header and the lines (RFC 4180); instants are UTC, amounts decimal strings in the currency named."""
    return csv_line(_COLUMNS) + "".join(csv_line(_record(invoice, line)) for line in invoice.lines)


def _record(invoice: Invoice, line: InvoiceLine) -> tuple[str, ...]:
    return (
        invoice.id,
        invoice.number or "",
        invoice.status,
        invoice.currency,
        line.kind,
        line.description,
        _instant(line.period.start),
        _instant(line.period.end),
        line.plan_key,
        str(line.plan_version),
        line.model or "",
        line.meter or "",
        str(line.quantity),
        format_money(line.exact_nanos, invoice.currency),
        format_money(line.amount_nanos, invoice.currency),
    )


def _instant(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
