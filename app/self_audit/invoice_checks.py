"""The checks of invoices: what was issued is what its period comes to today, and no number is missing."""

from datetime import datetime

from app.accounts.account import Account
from app.billing.assemble import invoice_lines
from app.billing.invoice import Invoice, InvoiceLine
from app.billing.store import find_invoice, read_usage
from app.database import DatabaseUnavailable, Session
from app.errors import AppError
from app.self_audit import invoice_store
from app.self_audit.report import Tally


def invoices_are_rated(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Rate the usage of each invoiced period once more, and compare it line by line."""
    for each in invoice_store.issued_invoices(session):
        try:
            invoice = find_invoice(session, each.id)
            if invoice is not None:
                _compare(session, tally, invoice, each.account)
        except DatabaseUnavailable:
            raise
        except (AppError, ValueError) as error:  # an invoice that contradicts itself cannot even be read
            tally.compare(each.id, "an invoice that can be computed", str(error))


def numbers_have_no_gap(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Count from the first invoice to the last number that was drawn."""
    last = 0
    for number in invoice_store.numbers(session):
        last += 1
        tally.compare(f"invoice number {last}", f"INV-{last:06d}", number)
    tally.compare("the last number that was drawn", last, invoice_store.drawn_numbers(session))


def _compare(session: Session, tally: Tally, invoice: Invoice, account: Account) -> None:
    name = f"{invoice.number} ({invoice.id})"
    lines = invoice_lines(read_usage(session, invoice.account_id, invoice.period), invoice.period)
    tally.compared += 1
    if lines != invoice.lines:
        tally.differ(name, _told(lines, invoice.lines), _told(invoice.lines, lines))
    closed = account.closed_through is not None and account.closed_through >= invoice.period.end
    tally.compare(f"the period of {name} is closed", expected=True, found=closed)


def _told(lines: tuple[InvoiceLine, ...], others: tuple[InvoiceLine, ...]) -> str:
    """Return in words the lines that the other side does not have."""
    own = [f"{line.description} = {line.exact_nanos} nanos" for line in lines if line not in others]
    return "; ".join(own) or "no such line"
