"""The worker's round: what is due is issued, what runs is drafted, and a second round changes nothing."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.bootstrap import Books, open_books
from app.clock import FrozenClock
from app.database import Database
from app.settings import load_settings
from app.worker import work_once
from tests.billing.books import Books as Bookkeeping
from tests.billing.books import flat_plan, utc


@pytest.fixture
def books(database: Database, clock: FrozenClock, tmp_path: Path) -> Books:
    url = database.url.render_as_string(hide_password=False)
    return open_books(load_settings(database_url=url, data_dir=tmp_path), clock)


@pytest.mark.parametrize(("anchor_day", "zone"), [(1, "UTC"), (31, "Pacific/Kiritimati"), (31, "Pacific/Pago_Pago")])
def test_every_period_is_drafted_while_it_runs_and_issued_when_it_is_over(
    clock: FrozenClock, books: Books, anchor_day: int, zone: str, n: Callable[[int, int], int]
) -> None:
    clock.move_to(utc("2025-12-31T00:00"))
    keeping = Bookkeeping(books.database, clock)
    keeping.plans.publish(flat_plan("fee", base_fee="30"))
    account = keeping.open_account("fee", zone=zone, anchor_day=anchor_day)
    while clock.now() < utc("2026-06-01T00:00"):
        clock.advance(timedelta(hours=n(84, 36)))
        for _ in range(2):
            work_once(books)
        now, invoices = clock.now(), keeping.invoices.list(account.id).invoices
        for invoice in invoices:
            is_due = now >= invoice.period.end + timedelta(seconds=books.settings.issue_grace_s)
            assert (invoice.status == "issued") == is_due
        assert any(now in invoice.period for invoice in invoices)
    numbers = sorted(invoice.number for invoice in invoices if invoice.number)
    assert numbers == [f"INV-{number:06d}" for number in range(1, len(numbers) + 1)]
    assert len(numbers) >= 4
    books.database.dispose()


def test_credit_that_has_expired_is_written_off_in_the_next_round(books: Books, clock: FrozenClock) -> None:
    account = books.accounts.create_account("Ada")
    expires_at = clock.now() + timedelta(days=1)
    books.credits.grant(account.id, amount_nanos=10, expires_at=expires_at)
    with capture_logs() as logs:
        for _ in range(3):
            clock.advance(timedelta(hours=12))
            work_once(books)
    assert [line["grants"] for line in logs if line["event"] == "expired credit was written off"] == [1]
    assert [(each.remaining_nanos, each.expired_nanos) for each in books.credits.grants(account.id)] == [(0, 10)]
    assert [each.kind for each in books.credits.history(account.id)] == ["expiry", "grant"]
    books.database.dispose()
