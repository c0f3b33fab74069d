"""The invoice run on both databases: drafts and issue, once and without a gap, whatever happens around it."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from fractions import Fraction
from random import Random

import pytest
from sqlalchemy import select

from app.accounts.account import Account
from app.accounts.store import find_account
from app.billing.invoice import Invoice, InvoiceStatus, LineKind
from app.billing.invoice_run_report import RunResult
from app.database import Database
from app.errors import NotFound
from app.metering.tables import UsageEventRow
from app.metering.usage_event import Outcome
from app.period import Month, Period
from tests.billing.books import Books, flat_plan, utc

MARCH = Month(2026, 3)
IN_MARCH = utc("2026-03-10T08:00")
MARCH_IS_OVER = utc("2026-04-01T01:00")  # its end plus the grace of an hour
TICK = timedelta(microseconds=1)


def outcome_of(books: Books, account: Account, month: Month = MARCH) -> tuple[RunResult, Invoice | None]:
    (outcome,) = books.invoice_run.run(month, account.id).outcomes
    return outcome.result, outcome.invoice


def issued_in_march(books: Books, account: Account) -> Invoice:
    books.clock.move_to(MARCH_IS_OVER)
    result, invoice = outcome_of(books, account)
    assert result is RunResult.ISSUED
    assert invoice is not None
    return invoice


def numbers_of(books: Books, accounts: list[Account]) -> list[str]:
    pages = [books.invoices.list(account.id) for account in accounts]
    return sorted(invoice.number or "" for page in pages for invoice in page.invoices)


def test_usage_becomes_lines_that_explain_themselves(books: Books) -> None:
    account = books.open_account("payg")
    books.use(account, IN_MARCH, 12_345)
    books.use(account, IN_MARCH, 1_500, model="vgg16")

    invoice = issued_in_march(books, account)

    assert (invoice.number, invoice.status, invoice.currency) == ("INV-000001", InvoiceStatus.ISSUED, "USD")
    assert invoice.period == Period(utc("2026-03-01T00:00"), utc("2026-04-01T00:00"))
    assert [line.description for line in invoice.lines] == [
        "linear, 12,345 units: 12,345 at 0.00001",
        "vgg16, 1,500 units: 1,000 at 0, 500 at 0.002",
    ]
    assert [line.exact_nanos for line in invoice.lines] == [123_450_000, 1_000_000_000]
    assert [line.amount_nanos for line in invoice.lines] == [120_000_000, 1_000_000_000]
    assert (invoice.subtotal_nanos, invoice.tax_nanos, invoice.total_nanos) == (1_120_000_000, 0, 1_120_000_000)
    assert books.invoices.get(account.id, invoice.id) == invoice
    assert books.invoices.find("INV-000001") == invoice


def test_a_period_that_is_not_over_is_drafted_anew_by_each_run(books: Books) -> None:
    account = books.open_account("payg")
    books.use(account, IN_MARCH, 1_000)
    books.clock.move_to(IN_MARCH)
    result, first = outcome_of(books, account)
    books.use(account, IN_MARCH, 2_000)
    books.clock.advance(timedelta(hours=1))
    _, second = outcome_of(books, account)

    assert result is RunResult.DRAFT
    assert first is not None
    assert second is not None
    assert (first.id, first.number, first.total_nanos) == (second.id, None, 10_000_000)
    assert second.total_nanos == 30_000_000
    assert books.invoices.list(account.id).invoices == [second]


@pytest.mark.parametrize(
    ("now", "result"),
    [
        (utc("2026-02-28T23:59"), RunResult.NOT_BEGUN),
        (utc("2026-03-31T23:59"), RunResult.DRAFT),
        (utc("2026-04-01T00:59"), RunResult.DRAFT),
        (MARCH_IS_OVER - TICK, RunResult.DRAFT),
        (MARCH_IS_OVER, RunResult.ISSUED),
        (utc("2027-04-01T00:00"), RunResult.ISSUED),
    ],
)
def test_an_invoice_is_issued_when_its_period_and_the_grace_are_over(
    books: Books, now: datetime, result: RunResult
) -> None:
    books.clock.move_to(utc("2026-02-01T00:00"))
    account = books.open_account("payg")
    books.use(account, IN_MARCH, 5)
    books.clock.move_to(now)
    assert outcome_of(books, account)[0] is result


def test_issuing_keeps_the_id_of_the_draft_and_closes_the_books(books: Books) -> None:
    account = books.open_account("payg")
    books.use(account, IN_MARCH, 5)
    _, draft = outcome_of(books, account)
    invoice = issued_in_march(books, account)

    assert draft is not None
    assert invoice.id == draft.id
    with books.database.reading() as session:
        closed = find_account(session, account.id)
    assert closed is not None
    assert closed.closed_through == invoice.period.end


def test_a_draft_leaves_the_books_open(books: Books) -> None:
    account = books.open_account("payg")
    books.use(account, IN_MARCH, 5)
    outcome_of(books, account)
    with books.database.reading() as session:
        open_account = find_account(session, account.id)
    assert open_account is not None
    assert open_account.closed_through is None


def test_an_issued_invoice_is_never_changed_by_what_comes_after(books: Books) -> None:
    account = books.open_account("payg")
    books.use(account, IN_MARCH, 5_000)
    invoice = issued_in_march(books, account)

    books.use(account, IN_MARCH, 99)
    books.clock.advance(timedelta(days=40))
    assert outcome_of(books, account) == (RunResult.ALREADY_ISSUED, invoice)
    assert books.invoices.list(account.id).invoices == [invoice]


def test_an_account_without_usage_and_without_base_fee_gets_no_invoice(books: Books) -> None:
    account, unplanned = books.open_account("payg"), books.open_account()
    books.clock.move_to(MARCH_IS_OVER)
    assert outcome_of(books, account) == (RunResult.NOTHING_OWED, None)
    assert outcome_of(books, unplanned) == (RunResult.NOTHING_OWED, None)
    assert books.invoices.list(account.id).invoices == []


def test_a_draft_of_a_fee_that_will_not_fall_due_after_all_is_taken_back(books: Books) -> None:
    books.plans.publish(flat_plan("fee", base_fee="10"))
    account = books.open_account()
    books.plans.assign(account.id, "fee", starts_at=utc("2026-03-20T00:00"))
    assert outcome_of(books, account)[0] is RunResult.DRAFT
    books.plans.assign(account.id, "payg", starts_at=utc("2026-03-20T00:00"))
    assert outcome_of(books, account)[0] is RunResult.NOTHING_OWED
    assert books.invoices.list(account.id).invoices == []


def test_free_usage_gets_an_invoice_of_zero(books: Books) -> None:
    account = books.open_account("payg")
    books.use(account, IN_MARCH, 1_000, model="vgg16")
    assert issued_in_march(books, account).total_nanos == 0


def test_failures_test_keys_and_other_periods_are_not_invoiced(books: Books) -> None:
    books.clock.move_to(utc("2026-01-15T00:00"))
    account = books.open_account("payg")
    books.use(account, utc("2026-03-01T00:00") - TICK, 1)
    books.use(account, utc("2026-03-01T00:00"), 10)
    books.use(account, utc("2026-04-01T00:00") - TICK, 100)
    books.use(account, utc("2026-04-01T00:00"), 1_000)
    books.use(account, IN_MARCH, 10_000, live=False)
    books.use(account, IN_MARCH, 100_000, outcome=Outcome.FAILED)
    assert [line.quantity for line in issued_in_march(books, account).lines] == [110]


def test_each_model_under_the_star_is_rated_on_its_own(books: Books) -> None:
    books.plans.publish(flat_plan("star", base_fee="0"))
    account = books.open_account("star")
    for model, units in (("b", 2), ("a", 1)):
        books.use(account, IN_MARCH, units, model=model)
    lines = issued_in_march(books, account).lines
    assert [(line.model, line.quantity, line.exact_nanos) for line in lines] == [
        ("a", 1, 10_000_000),
        ("b", 2, 20_000_000),
    ]


def test_a_new_version_within_the_period_prices_what_came_after_it(books: Books) -> None:
    books.plans.publish(flat_plan("flat", base_fee="0", unit_price="0.01"))
    account = books.open_account("flat")
    books.use(account, utc("2026-03-02T00:00"), 3)
    books.clock.move_to(utc("2026-03-20T06:00"))
    books.plans.publish(flat_plan("flat", base_fee="0", unit_price="0.05"))
    books.use(account, utc("2026-03-21T00:00"), 3)

    lines = issued_in_march(books, account).lines
    assert [(line.plan_version, line.exact_nanos) for line in lines] == [(1, 30_000_000), (2, 150_000_000)]
    assert [line.period for line in lines] == [
        Period(utc("2026-03-01T12:00"), utc("2026-03-20T06:00")),
        Period(utc("2026-03-20T06:00"), utc("2026-04-01T00:00")),
    ]


def test_base_fees_are_shared_by_time_and_one_fee_sums_to_itself(books: Books) -> None:
    books.clock.move_to(utc("2026-02-10T00:00"))
    for step in range(4):
        books.plans.publish(flat_plan("fee", base_fee="10", unit_price=f"0.0{step}"))
        if step == 0:
            account = books.open_account("fee")
        books.clock.move_to(utc(f"2026-03-0{step + 3}T07:31:09"))
    fees = [line for line in issued_in_march(books, account).lines if line.kind is LineKind.BASE_FEE]
    assert len(fees) == 4
    assert sum(fee.exact_nanos for fee in fees) == 10 * 10**9
    assert fees[0].period.start == utc("2026-03-01T00:00")
    assert fees[-1].period.end == utc("2026-04-01T00:00")


def test_a_customer_who_comes_in_the_middle_pays_the_exact_share_of_the_fee(books: Books) -> None:
    books.plans.publish(flat_plan("fee", base_fee="31"))
    books.clock.move_to(utc("2026-03-21T00:00"))
    account = books.open_account("fee")
    assert issued_in_march(books, account).total_nanos == 11 * 10**9


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Asia/Kathmandu", "2026-02-28T18:15", "2026-03-31T18:15"),
        ("America/Los_Angeles", "2026-03-01T08:00", "2026-04-01T07:00"),  # the clock goes forward on the 8th
    ],
)
def test_a_period_runs_from_local_midnight_to_local_midnight(books: Books, zone: str, start: str, end: str) -> None:
    books.clock.move_to(utc("2026-01-15T00:00"))
    books.plans.publish(flat_plan("fee", base_fee="7.43"))
    account = books.open_account("fee", zone=zone)
    for instant, units in ((start, 10), (end, 1000)):
        books.use(account, utc(instant) - TICK, units)
        books.use(account, utc(instant), units * 10)
    books.clock.move_to(utc(end) + timedelta(hours=1))

    result, invoice = outcome_of(books, account)

    assert result is RunResult.ISSUED
    assert invoice is not None
    assert invoice.period == Period(utc(start), utc(end))
    assert [(line.kind, line.quantity) for line in invoice.lines] == [(LineKind.BASE_FEE, 1), (LineKind.USAGE, 1100)]
    assert invoice.lines[0].exact_nanos == 7_430_000_000


def test_hours_of_a_month_in_which_the_clock_changes_count_as_they_passed(books: Books) -> None:
    books.plans.publish(flat_plan("fee", base_fee="743"))  # March in Los Angeles has 743 hours in 2026
    books.clock.move_to(utc("2026-03-08T08:00"))  # the midnight before the change: 168 hours have passed
    account = books.open_account("fee", zone="America/Los_Angeles")
    books.clock.move_to(utc("2026-04-02T00:00"))
    _, invoice = outcome_of(books, account)
    assert invoice is not None
    assert invoice.total_nanos == (743 - 168) * 10**9


def test_running_a_month_twice_at_once_issues_each_invoice_once_and_numbers_have_no_gap(books: Books) -> None:
    accounts = [books.open_account("payg") for _ in range(6)]
    for account in accounts:
        books.use(account, IN_MARCH, 700)
    books.clock.move_to(MARCH_IS_OVER)

    other_host = Books(Database(books.database.url.render_as_string(hide_password=False)), books.clock)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda host: host.invoice_run.run(MARCH), [books, other_host]))
    other_host.database.dispose()

    assert sum(len(report.of(RunResult.ISSUED)) for report in reports) == 6
    assert sum(len(report.of(RunResult.ALREADY_ISSUED)) for report in reports) == 6
    assert numbers_of(books, accounts) == [f"INV-{number:06d}" for number in range(1, 7)]
    assert reports[0].totals_nanos().keys() <= {("USD", RunResult.ISSUED), ("USD", RunResult.ALREADY_ISSUED)}


def test_drafting_twice_at_once_leaves_one_draft(books: Books) -> None:
    account = books.open_account("payg")
    books.use(account, IN_MARCH, 700)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(books.invoice_run.run, [MARCH] * 4))
    assert all(len(report.of(RunResult.DRAFT)) == 1 for report in reports)
    assert len(books.invoices.list(account.id).invoices) == 1


def test_one_failure_is_reported_and_neither_stops_the_run_nor_leaves_a_gap(books: Books) -> None:
    books.plans.publish(flat_plan("gold", base_fee="0", unit_price="900000000"))
    accounts = [books.open_account(plan) for plan in ("payg", "gold", "payg")]
    for account in accounts:
        books.use(account, IN_MARCH, 2)
    books.clock.move_to(MARCH_IS_OVER)

    report = books.invoice_run.run(MARCH)

    results = [outcome.result for outcome in report.outcomes]
    assert results == [RunResult.ISSUED, RunResult.FAILED, RunResult.ISSUED]
    (failure,) = report.failed
    assert failure.account_id == accounts[1].id
    assert "more than one invoice can carry" in (failure.error or "")
    assert numbers_of(books, accounts) == ["INV-000001", "INV-000002"]


def test_a_failure_after_the_number_was_drawn_gives_it_back(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = [books.open_account("payg") for _ in range(3)]
    for account in accounts:
        books.use(account, IN_MARCH, 2)
    books.clock.move_to(MARCH_IS_OVER)

    def fail_for_the_second(_session: object, account_id: str, _instant: datetime) -> None:
        if account_id == accounts[1].id:
            raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("app.billing.invoice_run.close_through", fail_for_the_second)
        report = books.invoice_run.run(MARCH)
    assert [outcome.error for outcome in report.failed] == ["a bug: OSError"]
    assert numbers_of(books, accounts) == ["INV-000001", "INV-000002"]

    books.invoice_run.run(MARCH)
    assert numbers_of(books, accounts) == ["INV-000001", "INV-000002", "INV-000003"]


KILLED_RUN = """
import os, sys
from datetime import datetime
from app.billing import invoice_run
from app.clock import FrozenClock
from app.database import Database
from app.period import Month

def close_and_die(session, account_id, instant):
    if account_id == sys.argv[3]:
        os._exit(9)

invoice_run.close_through = close_and_die
clock = FrozenClock(datetime.fromisoformat(sys.argv[2]))
invoice_run.InvoiceRun(Database(sys.argv[1]), clock, 3600).run(Month(2026, 3))
"""


def test_a_run_that_is_killed_in_the_middle_is_finished_by_the_next(books: Books) -> None:
    accounts = [books.open_account("payg") for _ in range(4)]
    for account in accounts:
        books.use(account, IN_MARCH, 2)
    books.clock.move_to(MARCH_IS_OVER)
    url = books.database.url.render_as_string(hide_password=False)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, url, MARCH_IS_OVER.isoformat(), accounts[2].id],
        check=False,
        timeout=60,
    )
    assert killed.returncode == 9
    assert numbers_of(books, accounts) == ["INV-000001", "INV-000002"]

    report = books.invoice_run.run(MARCH)
    assert [outcome.result for outcome in report.outcomes] == 2 * [RunResult.ALREADY_ISSUED] + 2 * [RunResult.ISSUED]
    assert numbers_of(books, accounts) == [f"INV-00000{number}" for number in range(1, 5)]


def test_an_unknown_account_is_refused(books: Books) -> None:
    with pytest.raises(NotFound, match="no account acct_none"):
        books.invoice_run.run(MARCH, "acct_none")


def test_a_month_of_random_usage_is_invoiced_as_an_independent_sum_over_its_events(books: Books) -> None:
    random = Random(7)
    books.clock.move_to(utc("2026-02-01T00:00"))
    accounts = [books.open_account("payg", zone=zone) for zone in ("UTC", "Asia/Kathmandu", "America/Los_Angeles")]
    for _ in range(60):
        instant = utc("2026-02-27T00:00") + timedelta(minutes=random.randrange(36 * 24 * 60))
        model = random.choice(["linear", "vgg16"])
        books.use(random.choice(accounts), instant, random.randrange(1, 400), model=model)
    books.clock.move_to(utc("2026-04-03T00:00"))

    for outcome in books.invoice_run.run(MARCH).of(RunResult.ISSUED):
        invoice = outcome.invoice
        assert invoice is not None
        used = units_by_model(books.database, invoice)
        assert {line.model: line.quantity for line in invoice.lines} == used
        expected = Fraction(used.get("linear", 0), 100_000)
        expected += max(0, used.get("vgg16", 0) - 1000) * Fraction(2, 1000)
        assert sum(line.exact_nanos for line in invoice.lines) == expected * 10**9


def units_by_model(database: Database, invoice: Invoice) -> dict[str, int]:
    """Sum the usage events of the invoice's period, one by one, without the rollup."""
    sums: dict[str, int] = {}
    with database.reading() as session:
        for event in session.scalars(select(UsageEventRow).where(UsageEventRow.account_id == invoice.account_id)):
            if invoice.period.start <= event.occurred_at < invoice.period.end:
                sums[event.model] = sums.get(event.model, 0) + event.units
    return sums
