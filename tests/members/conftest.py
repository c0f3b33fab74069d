import pytest

from app.accounts.service import Accounts
from app.clock import FrozenClock
from app.database import Database
from tests.members.people import People


@pytest.fixture
def accounts(database: Database, clock: FrozenClock) -> Accounts:
    return Accounts(database, clock)


@pytest.fixture
def people(database: Database, clock: FrozenClock) -> People:
    return People(database, clock)
