"""The history of credit and the balances of the books, as sums of postings."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.accounts.account import Account
from app.database import Database
from app.ids import new_id
from app.ledger import history_store, store
from app.ledger.credit_history import CreditMovement, LedgerBalance
from app.ledger.drawdown import Draw
from app.ledger.journal_entry import JournalEntry, LedgerAccount, SourceKind, transfer
from app.ledger.store import UsageDraws
from tests.builders import ACCOUNT, NOON, make_account, open_account
from tests.ledger.grants import make_grant, make_grant_entry

MINUTE, BUCKET = timedelta(minutes=1), timedelta(minutes=15)
CASH, CREDIT, REVENUE = LedgerAccount.CASH, LedgerAccount.CUSTOMER_CREDIT, LedgerAccount.USAGE_REVENUE


@pytest.fixture
def account(database: Database) -> Account:
    return open_account(database)


def post(database: Database, *entries: JournalEntry) -> None:
    with database.transaction() as session:
        for entry in entries:
            assert store.post(session, entry)


def grant(name: str, nanos: int, at: datetime = NOON, account_id: str = ACCOUNT) -> JournalEntry:
    return make_grant_entry(make_grant(name, nanos, created_at=at, account_id=account_id))


def refund(name: str, nanos: int, at: datetime) -> JournalEntry:
    entry_id = new_id("entry", at)
    postings = transfer(CREDIT, CASH, nanos, name)
    return replace(grant(name, 1, at), id=entry_id, source_kind=SourceKind.REFUND, source_id="r", postings=postings)


def use(database: Database, bucket_start: datetime, draws: Iterable[Draw], now: datetime) -> None:
    with database.transaction() as session:
        store.post_usage(session, [UsageDraws(ACCOUNT, "USD", bucket_start, tuple(draws))], now)


def history(database: Database, before: str | None = None, limit: int = 50) -> list[CreditMovement]:
    with database.reading() as session:
        return history_store.credit_movements(session, ACCOUNT, before, limit)


def told(movements: list[CreditMovement]) -> list[tuple[str, str | None, int, int]]:
    return [(each.kind.value, each.grant_id, each.amount_nanos, each.balance_nanos) for each in movements]


def test_an_account_without_credit_has_no_history(database: Database, account: Account) -> None:
    assert history(database) == []


def test_each_movement_has_the_balance_after_it_and_the_newest_comes_first(
    database: Database, account: Account
) -> None:
    post(database, grant("g1", 10), grant("g2", 5, NOON + BUCKET), refund("g1", 4, NOON + 3 * BUCKET))
    use(database, NOON + BUCKET, [Draw("g1", 1), Draw("g2", 2)], NOON + BUCKET)
    expected = [
        ("refund", "g1", -4, 8),
        ("usage", None, -3, 12),
        ("grant", "g2", 5, 15),
        ("grant", "g1", 10, 10),
    ]
    assert told(history(database)) == expected
    first = history(database, limit=2)
    assert told(first) == expected[:2]
    assert told(history(database, before=first[-1].id)) == expected[2:]


def test_usage_stands_behind_the_credit_that_it_drew_on_and_no_balance_is_below_zero(
    database: Database, account: Account
) -> None:
    post(database, grant("g1", 10))
    use(database, NOON, [Draw("g1", 10)], NOON + MINUTE)
    post(database, grant("g2", 10, NOON + 5 * MINUTE))
    use(database, NOON, [Draw("g2", 7)], NOON + 10 * MINUTE)
    assert told(history(database)) == [("usage", None, -17, 3), ("grant", "g2", 10, 20), ("grant", "g1", 10, 10)]
    assert [each.occurred_at for each in history(database)] == [NOON, NOON + 5 * MINUTE, NOON]


def test_the_books_balance_by_currency_and_tell_nobody_of_others(database: Database, account: Account) -> None:
    open_account(database, make_account(id="acct_2", currency="EUR"))
    post(database, grant("g1", 10), replace(grant("g2", 7, account_id="acct_2"), currency="EUR"))
    use(database, NOON, [Draw("g1", 4)], NOON)
    with database.reading() as session:
        balances = history_store.trial_balance(session)
    assert balances == [
        LedgerBalance("EUR", CASH, 7),
        LedgerBalance("EUR", CREDIT, -7),
        LedgerBalance("USD", CASH, 10),
        LedgerBalance("USD", CREDIT, -6),
        LedgerBalance("USD", REVENUE, -4),
    ]
    assert len(history(database)) == 2


def test_sums_are_exact_beyond_64_bits(database: Database, account: Account) -> None:
    grants = [grant(f"g{index}", 10**18 - 1, NOON + index * MINUTE) for index in range(20)]
    post(database, *grants)
    total_nanos = 20 * (10**18 - 1)
    assert history(database)[0].balance_nanos == total_nanos > 2**63
    with database.reading() as session:
        assert history_store.trial_balance(session) == [
            LedgerBalance("USD", CASH, total_nanos),
            LedgerBalance("USD", CREDIT, -total_nanos),
        ]
