import pytest

from app.clock import FrozenClock
from app.database import Database
from tests.billing.books import PAYG, Books, utc


@pytest.fixture
def books(database: Database) -> Books:
    """Books on which `payg` has been for sale since the start of 2026; it is the first of March, noon."""
    clock = FrozenClock(utc("2026-01-01T00:00"))
    books = Books(database, clock)
    books.plans.publish(PAYG)
    clock.move_to(utc("2026-03-01T12:00"))
    return books
