"""How invoices look on the wire: beside the amount of each line, in whole minor units, its exact one."""

from typing import Any

from app.api.wire import instant
from app.billing.invoice import Invoice, InvoiceLine
from app.money import format_money, format_nanos


def invoice_body(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice with its lines."""
    return {
        "id": invoice.id,
        "number": invoice.number,
        "status": invoice.status,
        "kind": invoice.kind,
        "currency": invoice.currency,
        "period_start": instant(invoice.period.start),
        "period_end": instant(invoice.period.end),
        "lines": [_line_body(line, invoice.currency) for line in invoice.lines],
        "subtotal": format_money(invoice.subtotal_nanos, invoice.currency),
        "tax": format_money(invoice.tax_nanos, invoice.currency),
        "total": format_money(invoice.total_nanos, invoice.currency),
        "computed_at": instant(invoice.computed_at),
        "issued_at": instant(invoice.issued_at),
    }


def _line_body(line: InvoiceLine, currency: str) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "description": line.description,
        "period_start": instant(line.period.start),
        "period_end": instant(line.period.end),
        "plan": line.plan_key,
        "plan_version": line.plan_version,
        "model": line.model,
        "meter": line.meter,
        "quantity": line.quantity,
        "parts": [
            {
                "quantity": part.quantity,
                "unit_price": format_nanos(part.unit_price_nanos),
                "amount": format_money(part.amount_nanos, currency),
            }
            for part in line.parts
        ],
        "exact_amount": format_money(line.exact_nanos, currency),
        "amount": format_money(line.amount_nanos, currency),
    }
