import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.accounts.account import Account
from app.accounts.service import Accounts
from app.clock import FrozenClock
from app.database import Database


@pytest.fixture
def accounts(database: Database, clock: FrozenClock) -> Accounts:
    accounts = Accounts(database, clock)
    # The same algorithm at its least cost: these tests check dozens of passwords, and none of them is worth stealing.
    accounts._passwords = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    return accounts


@pytest.fixture
def account(accounts: Accounts) -> Account:
    return accounts.create_account("Ada & Sons")
