"""Closing instants and the change sequence, under the concurrency that they exist for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.accounts.account import Account
from app.accounts.service import Accounts
from app.accounts.store import (
    booking_facts,
    close_through,
    end_key,
    find_account,
    find_key,
    latest_change,
    lock_account,
    record_change,
)
from app.database import Database
from app.errors import NotFound
from tests.builders import NOON, make_account, open_account

DAY = timedelta(days=1)


def test_books_are_closed_forwards_only(database: Database) -> None:
    account = open_account(database)
    seen = []
    for instant in (NOON, NOON - DAY, NOON + DAY, NOON):
        with database.transaction() as session:
            close_through(session, account.id, instant)
            seen.append(booking_facts(session, [account.id])[account.id].closed_through)
    assert seen == [NOON, NOON, NOON + DAY, NOON + DAY]


def test_closing_one_account_leaves_the_others_open(database: Database) -> None:
    open_account(database)
    open_account(database, make_account(id="acct_2"))
    with database.transaction() as session:
        close_through(session, "acct_1", NOON)
        facts = booking_facts(session, ["acct_2", "acct_1", "acct_3"])
        assert {name: each.closed_through for name, each in facts.items()} == {"acct_1": NOON, "acct_2": None}


def test_an_account_is_found_as_it_was_inserted(database: Database) -> None:
    account = open_account(database, make_account(zone="Asia/Kathmandu", anchor_day=31, currency="JPY"))
    with database.transaction() as session:
        assert find_account(session, account.id) == lock_account(session, account.id) == account
        with pytest.raises(NotFound):
            lock_account(session, "acct_unknown")


def test_changes_made_at_the_same_time_are_all_counted(database: Database) -> None:
    def change(_: int) -> None:
        with database.transaction() as session:
            record_change(session)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(40)))
    with database.reading() as session:
        assert latest_change(session) == 40


def test_a_revocation_is_never_taken_back(database: Database, accounts: Accounts, account: Account) -> None:
    key = accounts.create_key(account.id).key
    revoked = accounts.revoke_key(account.id, key.id)
    with database.transaction() as session:
        end_key(session, key.id, expires_at=NOON + DAY, revoked_at=None)
        assert find_key(session, account.id, key.id) == revoked
