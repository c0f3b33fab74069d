import pytest

from app.accounts.account import Account
from app.accounts.service import Accounts
from app.clock import FrozenClock
from app.database import Database


@pytest.fixture
def accounts(database: Database, clock: FrozenClock) -> Accounts:
    return Accounts(database, clock)


@pytest.fixture
def account(accounts: Accounts) -> Account:
    return accounts.create_account("Ada & Sons")
