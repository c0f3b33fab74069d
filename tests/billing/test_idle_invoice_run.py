"""A run that finds the books as they should be: it reads them, and nobody waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.billing.invoice_run_report import RunResult
from app.database import Database, Session
from app.period import Month
from tests.billing.books import Books, utc

MARCH = Month(2026, 3)
IN_MARCH, MARCH_IS_OVER = utc("2026-03-10T08:00"), utc("2026-04-01T01:00")


class CountingDatabase(Database):
    """The real database, which counts the transactions that may write."""

    transactions = 0

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Session]:
        self.transactions += 1
        with super().transaction(durable=durable) as session:
            yield session


def test_a_run_that_changes_nothing_takes_no_lock_and_writes_nothing(books: Books) -> None:
    counting = CountingDatabase(books.database.url.render_as_string(hide_password=False))
    run = Books(counting, books.clock).invoice_run
    used = books.open_account("payg")
    books.open_account("payg")
    books.use(used, IN_MARCH, 700)
    results = []
    for now in (utc("2026-02-01T00:00"), utc("2026-03-20T00:00"), utc("2026-03-20T01:00"), MARCH_IS_OVER):
        books.clock.move_to(now)
        for _ in range(2):
            report = run.run(MARCH)
        results.append(([outcome.result for outcome in report.outcomes], counting.transactions))
    counting.dispose()
    nothing = RunResult.NOTHING_OWED
    assert results == [
        ([RunResult.NOT_BEGUN] * 2, 0),
        ([RunResult.DRAFT, nothing], 1),
        ([RunResult.DRAFT, nothing], 1),
        ([RunResult.ALREADY_ISSUED, nothing], 2),
    ]
