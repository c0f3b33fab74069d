"""Reading invoices page by page, and never those of others."""

import pytest

from app.accounts.account import Account
from app.billing.service import InvoiceNotFound
from app.errors import Invalid
from app.ids import InvalidCursor
from app.period import Month
from tests.billing.books import Books, flat_plan, utc


@pytest.fixture
def account(books: Books) -> Account:
    """An account with invoices of January to May, run out of order."""
    books.clock.move_to(utc("2026-01-01T00:00"))
    books.plans.publish(flat_plan("fee", base_fee="5"))
    account = books.open_account("fee")
    books.clock.move_to(utc("2026-05-15T00:00"))
    for month in (3, 1, 5, 2, 4):
        books.invoice_run.run(Month(2026, month))
    return account


def test_invoices_are_listed_latest_period_first_page_by_page(books: Books, account: Account) -> None:
    months, cursor = [], None
    for _ in range(3):
        page = books.invoices.list(account.id, cursor, limit=2)
        months.append([invoice.period.start.month for invoice in page.invoices])
        cursor = page.next_cursor
    assert months == [[5, 4], [3, 2], [1]]
    assert cursor is None


def test_drafts_are_listed_as_drafts(books: Books, account: Account) -> None:
    statuses = [(invoice.status, invoice.number) for invoice in books.invoices.list(account.id).invoices]
    assert statuses == [
        ("draft", None),
        ("issued", "INV-000004"),
        ("issued", "INV-000001"),
        ("issued", "INV-000003"),
        ("issued", "INV-000002"),
    ]


def test_an_invoice_of_another_account_does_not_exist(books: Books, account: Account) -> None:
    other = books.open_account("fee")
    invoice = books.invoices.list(account.id).invoices[0]
    with pytest.raises(InvoiceNotFound, match=f"no invoice {invoice.id}"):
        books.invoices.get(other.id, invoice.id)
    with pytest.raises(InvalidCursor, match="no cursor of this list"):
        books.invoices.list(other.id, cursor=invoice.id)
    assert books.invoices.list(other.id).invoices == []


def test_an_unknown_invoice_cursor_or_limit_is_refused(books: Books, account: Account) -> None:
    with pytest.raises(InvoiceNotFound):
        books.invoices.find("INV-999999")
    with pytest.raises(InvalidCursor, match="cursor"):
        books.invoices.list(account.id, cursor="inv_none")
    for limit in (0, 101):
        with pytest.raises(Invalid, match="limit"):
            books.invoices.list(account.id, limit=limit)
