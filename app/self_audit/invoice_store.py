"""The queries of the invoices' checks."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.account import Account
from app.accounts.store import account_of
from app.accounts.tables import AccountRow
from app.billing.tables import InvoiceNumberRow, InvoiceRow

_PAGE_ROWS = 500


class IssuedInvoice(NamedTuple):
    """An invoice's id, and whose it is."""

    id: str
    account: Account


def issued_invoices(session: Session) -> Iterator[IssuedInvoice]:
    """Yield the issued invoices in the order of their ids."""
    after = ""
    query = select(InvoiceRow.id, AccountRow).join(AccountRow, AccountRow.id == InvoiceRow.account_id)
    issued = query.where(InvoiceRow.status == "issued").order_by(InvoiceRow.id).limit(_PAGE_ROWS)
    while page := session.execute(issued.where(InvoiceRow.id > after)).all():
        yield from (IssuedInvoice(row[0], account_of(row[1])) for row in page)
        after = page[-1][0]


def numbers(session: Session) -> Iterator[str]:
    """Yield the numbers of invoices in the order in which they were drawn."""
    query = select(InvoiceRow.number).where(InvoiceRow.number.is_not(None))
    in_order = query.order_by(func.length(InvoiceRow.number), InvoiceRow.number)
    options = {"stream_results": True, "yield_per": _PAGE_ROWS}
    yield from (number for number in session.scalars(in_order, execution_options=options) if number)


def drawn_numbers(session: Session) -> int:
    """Return how many numbers were drawn."""
    return int(session.scalar(select(func.coalesce(func.sum(InvoiceNumberRow.last_number), 0))) or 0)
