"""Reading invoices: an account's own, page by page, and any one by id or number for operators."""

import builtins
from dataclasses import dataclass

from app.billing import store
from app.billing.invoice import Invoice
from app.database import Database
from app.errors import Invalid, NotFound
from app.ids import InvalidCursor

LIMIT_MAX = 100


class InvoiceNotFound(NotFound):
    """There is no such invoice, or it belongs to another account."""

    code = "invoice_not_found"


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """Invoices, the latest period first; `next_cursor` is None on the last page."""

    invoices: builtins.list[Invoice]
    next_cursor: str | None


class Invoices:
    """What was drafted and issued."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, account_id: str, cursor: str | None = None, limit: int = 20) -> InvoicePage:
        """Return a page of an account's invoices.

        Raises InvalidCursor for a cursor that is no invoice of the account, Invalid for a limit outside 1 to 100.
        """
        if not 1 <= limit <= LIMIT_MAX:
            raise Invalid(f"limit {limit} is out of range", where="limit", hint=f"use 1 to {LIMIT_MAX}")
        with self._database.reading() as session:
            after = store.find_invoice(session, cursor) if cursor else None
            if cursor and (after is None or after.account_id != account_id):
                raise InvalidCursor(
                    "this is no cursor of this list", where="cursor", hint="use next_cursor of the last page"
                )
            invoices = store.list_invoices(session, account_id, after=after, limit=limit + 1)
        page = invoices[:limit]
        return InvoicePage(page, page[-1].id if len(invoices) > limit else None)

    def get(self, account_id: str, invoice_id: str) -> Invoice:
        """Return one invoice of an account. Raises InvoiceNotFound, for those of other accounts too."""
        invoice = self.find(invoice_id)
        if invoice.account_id != account_id:
            raise InvoiceNotFound(f"there is no invoice {invoice_id}", where="invoice")
        return invoice

    def find(self, id_or_number: str) -> Invoice:
        """Return any account's invoice, by id or number: for operators. Raises InvoiceNotFound."""
        with self._database.reading() as session:
            invoice = store.find_invoice(session, id_or_number)
        if invoice is None:
            raise InvoiceNotFound(f"there is no invoice {id_or_number}", where="invoice")
        return invoice
