"""Goal: a backup that was taken while the server serves is the books as they were, and a server goes on from it.

Method: clients of a prepaid and of a postpaid account with budgets send calls, some under idempotency keys; meanwhile a
backup is taken, and restored into a database of the other kind. Its audit is clean; a server starts on it, repeats an
old answer byte by byte, gives back what the calls of the moment held, and takes new calls. A backup of the quiet books
has the same invoices and balances.
"""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from app import schema
from app.accounts.budget import Measure, Window
from app.backup import store
from app.backup.service import Backups
from app.billing.invoice import Invoice
from app.bootstrap import Books
from app.charging.credit_balance import Balance
from app.charging.tables import HoldRow
from app.clock import SystemClock
from app.database import Base, Database
from app.metering.tables import UsageEventRow
from app.period import Month
from tests.builders import NOON, make_event, record_usage
from tests.scenarios.server_process import ServerProcess, Tenant, books_on, http_client, tenants
from tests.scenarios.test_conservation import PLAN, ROW

PREPAID = """
key = "credit"
currency = "USD"
billing = "prepaid"
base_fee = "0"
[[price]]
model = "linear"
meter = "units"
scheme = "per_unit"
unit_price = "0.001"
"""
CLIENTS = 16


@dataclass(frozen=True)
class Call:
    """One call under an idempotency key, and what it was answered."""

    tenant: Tenant
    key: str
    rows: int
    answer: bytes

    async def again(self, url: str) -> httpx.Response:
        """Send the very same call once more."""
        async with http_client(url, self.tenant.headers) as http:
            return await _predict(http, self.rows, self.key)


@pytest.fixture
def other_url(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables, of the other kind."""
    if database_url.startswith("sqlite"):
        return str(request.getfixturevalue("empty_postgres_url"))
    return f"sqlite:///{tmp_path}/restored.db"


@pytest.fixture
async def restored(other_url: str, tmp_path: Path) -> AsyncIterator[Books]:
    """The books of that database."""
    books = books_on(other_url, tmp_path)
    yield books
    books.database.dispose()


async def test_a_backup_of_a_serving_installation_restores_into_one_that_serves(
    books: Books, restored: Books, tmp_path: Path, n: Callable[[int, int], int], figures: Callable[[str], None]
) -> None:
    pair, calls = _customers(books), n(150, 3_000)
    with ServerProcess(_url(books), tmp_path) as server:
        async with _sending(server.url, pair) as answered:
            await _until(lambda: len(answered) >= calls)
            early = answered[:5]
            manifest = await asyncio.to_thread(books.backups.take, tmp_path / "busy.zip")
            await _until(lambda: len(answered) >= calls * 2)
        assert (await asyncio.to_thread(books.self_audit.run)).clean
    await asyncio.to_thread(_restore, tmp_path / "busy.zip", restored)
    in_backup, held = (_rows(restored.database, table) for table in (UsageEventRow, HoldRow))
    assert calls <= in_backup < _rows(books.database, UsageEventRow)
    await _goes_on(restored, early, tmp_path)
    figures(f"{manifest.rows} rows while {CLIENTS} clients call, {in_backup} events, {held} holds of running calls")
    _assert_same_books_after(books, pair, tmp_path)


def test_the_pages_of_a_backup_take_the_memory_of_one_whatever_their_number(
    database_url: str, other_url: str, tmp_path: Path, n: Callable[[int, int], int], figures: Callable[[str], None]
) -> None:
    source, target = Database(database_url), Database(other_url)
    page_rows = n(500, store._PAGE_ROWS)  # many pages need not be many rows
    peaks = []
    for number, pages in enumerate((3, n(24, 200))):  # of the first, two are full and there at once
        _record(source, pages * page_rows, first=number * 10_000_000)
        peaks.append(_peak_bytes(Backups(source, SystemClock()), tmp_path / f"{number}.zip", page_rows))
    assert peaks[1] < peaks[0] * 2
    begun_s = time.monotonic()
    manifest = Backups(source, SystemClock()).take(tmp_path / "timed.zip")
    taking = time.monotonic() - begun_s
    schema.upgrade(target)
    begun_s = time.monotonic()
    Backups(target, SystemClock()).restore(tmp_path / "timed.zip")
    restoring = time.monotonic() - begun_s
    assert _rows(target, UsageEventRow) == _rows(source, UsageEventRow)
    figures(
        f"{manifest.rows:,} rows, {source.dialect}: backup {manifest.rows / taking:,.0f} rows/s,"
        f" into {target.dialect}: check and restore {manifest.rows / restoring:,.0f} rows/s,"
        f" {(tmp_path / 'timed.zip').stat().st_size / manifest.rows:.0f} bytes a row,"
        f" at most {peaks[1] / 2**20:.0f} MiB of Python's memory"
    )
    for database in (source, target):
        database.dispose()


def _customers(books: Books) -> tuple[Tenant, Tenant]:
    """Return a prepaid account with credit, and a postpaid one with budgets, neither of which runs out."""
    (prepaid,), (postpaid,) = tenants(books, PREPAID, 1), tenants(books, PLAN.replace('"scenario"', '"owed"'), 1)
    books.credits.grant(prepaid.account_id, amount_nanos=10**15)
    for measure in Measure:
        books.budgets.set(postpaid.account_id, measure=measure, window=Window.MONTH, limit_value=10**15)
    return prepaid, postpaid


@asynccontextmanager
async def _sending(url: str, pair: tuple[Tenant, Tenant]) -> AsyncIterator[list[Call]]:
    """Let all clients send calls until the block ends; each of them is answered, and listed."""
    answered: list[Call] = []
    ending = asyncio.Event()

    async def client(tenant: Tenant) -> None:
        async with http_client(url, tenant.headers) as http:
            while not ending.is_set():
                key, rows = str(uuid4()), 1 + len(answered) % 5
                answer = await _predict(http, rows, key)
                assert answer.status_code == 200, answer.text
                answered.append(Call(tenant, key, rows, answer.content))

    clients = [asyncio.create_task(client(pair[number % 2])) for number in range(CLIENTS)]
    try:
        yield answered
    finally:
        ending.set()
        await asyncio.gather(*clients)


async def _predict(http: httpx.AsyncClient, rows: int, key: str) -> httpx.Response:
    headers = {"Idempotency-Key": key}
    return await http.post("/v1/models/linear/predict", json={"inputs": [ROW] * rows}, headers=headers)


async def _until(condition: Callable[[], bool]) -> None:
    """Wait for what another process or task does; the test's own timeout bounds it."""
    while not condition():  # noqa: ASYNC110 - the database tells nobody
        await asyncio.sleep(0.05)


def _restore(file: Path, books: Books) -> None:
    """Restore a backup: its books agree."""
    books.backups.restore(file)
    report = books.self_audit.run()
    assert [result for result in report.results if result.differences] == []


async def _goes_on(books: Books, early: list[Call], folder: Path) -> None:
    """A server on the restored books repeats old answers, takes new calls, and frees what nobody runs any more."""
    with ServerProcess(_url(books), folder) as server:
        for call in early:
            repeated = await call.again(server.url)
            assert (repeated.content, repeated.headers.get("idempotent-replayed")) == (call.answer, "true")
            assert (await replace(call, key=str(uuid4())).again(server.url)).status_code == 200
        await _until(lambda: not _rows(books.database, HoldRow))
        report = await asyncio.to_thread(books.self_audit.run)
    assert report.clean
    assert not [warning for result in report.results for warning in result.warnings]


def _assert_same_books_after(books: Books, pair: tuple[Tenant, Tenant], folder: Path) -> None:
    """Back up the books that nobody changes any more: the restored ones owe and have the same."""
    told = [_told(books, tenant) for tenant in pair]
    assert [len(invoices) for invoices, _ in told] == [0, 1]
    books.backups.take(folder / "quiet.zip")
    restored = books_on(f"sqlite:///{folder}/quiet.db", folder)
    _restore(folder / "quiet.zip", restored)
    assert [_told(restored, tenant) for tenant in pair] == told
    restored.database.dispose()


def _url(books: Books) -> str:
    return books.database.url.render_as_string(hide_password=False)


def _told(books: Books, tenant: Tenant) -> tuple[list[Invoice], tuple[int, int, int]]:
    """Return the account's draft of this month, as of one moment, and what it has in advance."""
    now = datetime.now(UTC)
    books.invoice_run.run(Month(now.year, now.month), tenant.account_id)
    balance: Balance = books.credits.balance(tenant.account_id)
    amounts = balance.available_nanos, balance.held_nanos, balance.total_nanos
    return list(books.invoices.list(tenant.account_id).invoices), amounts


def _peak_bytes(backups: Backups, file: Path, page_rows: int) -> int:
    """Take a backup in pages of so many rows; return the most of Python's memory that it used at once."""
    gc.collect()  # else what others left behind sets when rows that are done with are collected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_PAGE_ROWS", page_rows)
        tracemalloc.start()
        try:
            backups.take(file)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def _record(database: Database, rows: int, *, first: int) -> None:
    """Put events into the database, a hundred in a second."""
    for start in range(0, rows, 5_000):
        numbers = range(first + start, first + min(start + 5_000, rows))
        record_usage(database, *(make_event(occurred_at=NOON + timedelta(milliseconds=10 * it)) for it in numbers))


def _rows(database: Database, table: type[Base]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
