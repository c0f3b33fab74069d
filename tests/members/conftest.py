from collections.abc import Iterator

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.accounts import password
from app.accounts.service import Accounts
from app.clock import FrozenClock
from app.database import Database
from tests.members.people import People


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same algorithm at its least cost: these tests check dozens of passwords, and none is worth stealing."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    monkeypatch.setattr(password, "_hasher", cheap)
    password._decoy_hash.cache_clear()
    yield
    password._decoy_hash.cache_clear()


@pytest.fixture
def accounts(database: Database, clock: FrozenClock) -> Accounts:
    return Accounts(database, clock)


@pytest.fixture
def people(database: Database, clock: FrozenClock) -> People:
    return People(database, clock)
