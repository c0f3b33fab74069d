"""Budgets in tables: one of each kind and subject."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.accounts import budget_store
from app.accounts.account import Account
from app.accounts.budget import Budget, Measure, Window
from app.accounts.service import Accounts
from app.clock import FrozenClock
from app.database import Database
from app.ids import new_id

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
def account(database: Database, clock: FrozenClock) -> Account:
    return Accounts(database, clock).create_account("Lab")


def budget_of(account: Account, key_id: str | None = None, measure: Measure = Measure.MONEY) -> Budget:
    return Budget(
        id=new_id("bud"),
        account_id=account.id,
        key_id=key_id,
        measure=measure,
        window=Window.DAY,
        limit_value=10**18,
        hard=True,
        thresholds=(80, 100),
        created_at=NOW,
    )


def test_a_budget_is_read_as_it_was_stored(database: Database, account: Account) -> None:
    budget = budget_of(account)
    with database.transaction() as session:
        assert budget_store.put_budget(session, budget) == budget
    with database.reading() as session:
        assert budget_store.find_budget(session, budget.id) == budget
        assert budget_store.budgets_of(session, [account.id, "acct_other"]) == {account.id: [budget]}


def test_a_budget_of_the_same_kind_is_replaced_and_keeps_its_id(database: Database, account: Account) -> None:
    first = budget_of(account)
    second = replace(budget_of(account), limit_value=0, hard=False, thresholds=())
    with database.transaction() as session:
        budget_store.put_budget(session, first)
        stored = budget_store.put_budget(session, second)
    assert stored == replace(second, id=first.id, created_at=first.created_at)
    with database.reading() as session:
        assert budget_store.budgets_of(session, [account.id]) == {account.id: [stored]}


def test_budgets_of_keys_measures_and_the_account_stand_side_by_side(
    database: Database, clock: FrozenClock, account: Account
) -> None:
    accounts = Accounts(database, clock)
    key_ids = [accounts.create_key(account.id).key.id for _ in range(2)]
    budgets = [budget_of(account), budget_of(account, measure=Measure.UNITS), *(budget_of(account, k) for k in key_ids)]
    with database.transaction() as session:
        for budget in budgets:
            budget_store.put_budget(session, budget)
    with database.transaction() as session:
        assert budget_store.budgets_of(session, [account.id]) == {account.id: budgets}
        budget_store.delete_budget(session, budgets[0].id)
    with database.reading() as session:
        assert budget_store.budgets_of(session, [account.id]) == {account.id: budgets[1:]}
        found = budget_store.find_budget_of(session, account.id, key_ids[0], Measure.MONEY, Window.DAY)
        assert found == budgets[2]
        assert budget_store.find_budget_of(session, account.id, None, Measure.MONEY, Window.DAY) is None
