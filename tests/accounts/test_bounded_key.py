"""A key with a hard budget gets hold of no key without it, also where the budget is set at the same moment."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.accounts.account import Account
from app.accounts.bounded_key import BudgetLoosened
from app.accounts.budget import Budget, Measure, Window
from app.accounts.budget_store import put_budget
from app.accounts.service import Accounts
from app.accounts.store import lock_account
from app.database import Database
from tests.builders import NOON

NO_GRACE = timedelta()


def quota(account: Account, key_id: str, *, hard: bool = True) -> Budget:
    return Budget(
        id="bud_1",
        account_id=account.id,
        key_id=key_id,
        measure=Measure.UNITS,
        window=Window.DAY,
        limit_value=5,
        hard=hard,
        thresholds=(),
        created_at=NOON,
    )


def test_it_rotates_itself_alone_and_makes_none(database: Database, accounts: Accounts, account: Account) -> None:
    mine, other = accounts.create_key(account.id).key, accounts.create_key(account.id).key
    with database.transaction() as session:
        put_budget(session, quota(account, mine.id))
    with pytest.raises(BudgetLoosened):
        accounts.create_key(account.id, asking_key_id=mine.id)
    with pytest.raises(BudgetLoosened):
        accounts.rotate_key(account.id, other.id, grace=NO_GRACE, asking_key_id=mine.id)
    successor = accounts.rotate_key(account.id, mine.id, grace=NO_GRACE, asking_key_id=mine.id).key
    assert successor.budget_key_id == mine.id
    accounts.create_key(account.id, asking_key_id=other.id)
    assert len(accounts.list_keys(account.id)) == 4


def test_a_soft_budget_bounds_nothing(database: Database, accounts: Accounts, account: Account) -> None:
    mine = accounts.create_key(account.id).key
    with database.transaction() as session:
        put_budget(session, quota(account, mine.id, hard=False))
    accounts.create_key(account.id, asking_key_id=mine.id)


def test_a_budget_that_is_set_at_the_same_moment_counts(
    database: Database, accounts: Accounts, account: Account
) -> None:
    mine = accounts.create_key(account.id).key
    with ThreadPoolExecutor() as pool:
        with database.transaction() as session:
            lock_account(session, account.id)
            put_budget(session, quota(account, mine.id))
            making = pool.submit(accounts.create_key, account.id, asking_key_id=mine.id)
            time.sleep(0.2)  # it looks, and has to wait for what it sees
        with pytest.raises(BudgetLoosened):
            making.result()
    assert [key.id for key in accounts.list_keys(account.id)] == [mine.id]
