import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.accounts import password
from app.accounts.account import Account
from app.accounts.service import Accounts
from app.clock import FrozenClock
from app.database import Database


@pytest.fixture
def accounts(database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> Accounts:
    # The same algorithm at its least cost: none of these passwords is worth stealing.
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    monkeypatch.setattr(password, "_hasher", cheap)
    return Accounts(database, clock)


@pytest.fixture
def account(accounts: Accounts) -> Account:
    return accounts.create_account("Ada & Sons")
