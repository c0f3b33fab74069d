"""The preview says what the invoice will say, and writes nothing."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.billing import preview
from app.billing.invoice_run_report import RunResult
from app.billing.preview import InvoicePreview
from app.errors import NotFound
from app.period import Month, period_starting_in
from tests.billing.books import Books, flat_plan, utc
from tests.database_examples import ON_DATABASE

MARCH = Month(2026, 3)
IN_MARCH = utc("2026-03-10T08:00")


def preview_of(books: Books) -> InvoicePreview:
    return InvoicePreview(books.database, books.clock)


def test_a_month_is_what_its_run_drafts_and_later_issues_to_the_nano(books: Books) -> None:
    books.plans.publish(flat_plan("flat", base_fee="9.99", unit_price="0.000000001"))
    for plan, zone, anchor_day in (("payg", "UTC", 1), ("flat", "Asia/Kathmandu", 1), ("flat", "UTC", 20)):
        account = books.open_account(plan, zone=zone, anchor_day=anchor_day)
        books.use(account, utc("2026-03-25T08:00"), 12_345)
    for now in ("2026-03-26T00:00", "2026-05-01T00:00", "2026-06-01T00:00"):
        books.clock.move_to(utc(now))
        before = preview_of(books).of_month(MARCH).charges
        invoices = [outcome.invoice for outcome in books.invoice_run.run(MARCH).outcomes]
        assert [charges.lines for charges in before] == [invoice.lines for invoice in invoices if invoice]
        assert [charges.total_nanos for charges in before] == [invoice.total_nanos for invoice in invoices if invoice]
        after = preview_of(books).of_month(MARCH).charges  # of accounts whose periods the run has closed
        assert [charges.lines for charges in after] == [charges.lines for charges in before]


def test_nothing_is_written(books: Books) -> None:
    account = books.open_account("payg")
    books.use(account, IN_MARCH, 1_000)
    books.clock.move_to(utc("2026-05-01T00:00"))
    preview_of(books).of_month(MARCH)
    preview_of(books).so_far(account.id)
    assert books.invoices.list(account.id).invoices == []


def test_accounts_that_owe_nothing_and_periods_that_have_not_begun_are_left_out(books: Books) -> None:
    idle, late, busy = (books.open_account("payg", anchor_day=day) for day in (1, 20, 1))
    books.use(busy, IN_MARCH, 5)
    books.clock.move_to(IN_MARCH)
    found = {charges.account.id for charges in preview_of(books).of_month(MARCH).charges}
    assert found == {busy.id}, (idle, late)


def test_accounts_that_cannot_be_charged_stand_apart_with_the_reason_that_the_run_gives(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = [books.open_account("payg") for _ in range(3)]
    for account in accounts:
        books.use(account, IN_MARCH, 2)
    books.use(accounts[1], IN_MARCH, 2, model="sold-to-nobody")
    books.clock.move_to(utc("2026-05-01T00:00"))
    found = preview_of(books).of_month(MARCH)
    failed = books.invoice_run.run(MARCH).of(RunResult.FAILED)
    assert [charges.account.id for charges in found.charges] == [accounts[0].id, accounts[2].id]
    assert [(each.account.id, each.reason) for each in found.uncounted] == [
        (outcome.account_id, outcome.error) for outcome in failed
    ]
    assert [outcome.account_id for outcome in failed] == [account.id for account in accounts[1:2]]

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(preview, "invoice_lines", fail)
    with capture_logs():
        assert {each.reason for each in preview_of(books).of_month(MARCH).uncounted} == {"a bug: ZeroDivisionError"}


def test_an_account_sees_its_period_so_far_in_its_own_zone(books: Books) -> None:
    books.plans.publish(flat_plan("flat", base_fee="31"))
    account = books.open_account("flat", zone="Asia/Kathmandu", anchor_day=5)
    books.use(account, utc("2026-03-04T18:00"), 3)  # still the period before, by a quarter of an hour
    books.use(account, utc("2026-03-04T18:15"), 4)
    books.clock.move_to(IN_MARCH)
    charges = preview_of(books).so_far(account.id)
    assert charges.period == period_starting_in(MARCH, 5, ZoneInfo("Asia/Kathmandu"))
    assert [(line.model, line.quantity, line.exact_nanos) for line in charges.lines] == [
        (None, 1, 31 * 10**9),
        ("linear", 4, 40_000_000),
    ]
    assert charges.total_nanos == 31_040_000_000


def test_an_account_without_plan_and_usage_is_charged_nothing(books: Books) -> None:
    account = books.open_account()
    charges = preview_of(books).so_far(account.id)
    assert (charges.lines, charges.totals, charges.total_nanos) == ((), [], 0)


def test_an_unknown_account_is_not_found(books: Books) -> None:
    with pytest.raises(NotFound, match="acct_9"):
        preview_of(books).so_far("acct_9")


@ON_DATABASE
@given(st.lists(st.tuples(st.integers(0, 31 * 24 * 60), st.integers(0, 10**6)), max_size=6))
def test_whatever_was_used_the_preview_is_the_invoice(books: Books, uses: list[tuple[int, int]]) -> None:
    books.clock.move_to(utc("2026-03-01T12:00"))
    account = books.open_account("payg")
    for minutes, units in uses:
        books.use(account, books.clock.now() + timedelta(minutes=minutes), units, model="vgg16")
    books.clock.move_to(utc("2026-03-31T23:00"))
    (outcome,) = books.invoice_run.run(MARCH, account.id).outcomes
    lines = preview_of(books).so_far(account.id).lines
    assert lines == (outcome.invoice.lines if outcome.invoice else ())
    assert (outcome.result is RunResult.NOTHING_OWED) == (not lines)
