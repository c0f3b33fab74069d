"""What was paid from credit is owed no more, on both databases."""

from app.billing.invoice_run_report import RunResult
from app.billing.preview import InvoicePreview
from app.period import Month
from tests.billing.books import Books, flat_plan, utc

MARCH = Month(2026, 3)
IN_MARCH = utc("2026-03-10T08:00")
MARCH_IS_OVER = utc("2026-04-01T01:00")  # its end plus the grace of an hour


def test_a_period_paid_from_credit_alone_owes_nothing(books: Books) -> None:
    books.plans.publish(flat_plan("credit", base_fee="0", billing="prepaid"))
    account = books.open_account("credit")
    books.use(account, IN_MARCH, 1_000)
    so_far = InvoicePreview(books.database, books.clock).so_far(account.id)
    assert (so_far.lines, so_far.total_nanos, so_far.from_credit_nanos) == ((), 0, 10 * 10**9)
    books.clock.move_to(MARCH_IS_OVER)
    (outcome,) = books.invoice_run.run(MARCH, account.id).outcomes
    assert (outcome.result, outcome.invoice) == (RunResult.NOTHING_OWED, None)


def test_a_month_in_which_a_plan_became_prepaid_owes_what_came_before(books: Books) -> None:
    books.plans.publish(flat_plan("flat", base_fee="0"))
    account = books.open_account("flat")
    books.use(account, utc("2026-03-02T00:00"), 3)
    books.clock.move_to(utc("2026-03-20T06:00"))
    books.plans.publish(flat_plan("flat", base_fee="0", billing="prepaid"))
    books.use(account, utc("2026-03-21T00:00"), 7)
    books.clock.move_to(MARCH_IS_OVER)
    books.invoice_run.run(MARCH, account.id)
    (invoice,) = books.invoices.list(account.id).invoices
    assert [(line.plan_version, line.quantity) for line in invoice.lines] == [(1, 3)]
