"""Whoever waits for an account's lock is not overtaken for ever by recorders that share it (PostgreSQL)."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from app.accounts.store import booking_facts, lock_account
from app.clock import FrozenClock
from app.database import Database
from tests.charging.gated_account import open_gated_account

RECORDERS = 8
_WAITS_S = 0.5


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.dispose()


def waits(database: Database) -> int:
    """Return how many sessions wait for a lock."""
    with database.reading() as session:
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return int(session.scalar(query) or 0)


def test_recorders_do_not_overtake_an_operator_for_ever(postgresql: Database, clock: FrozenClock) -> None:
    """Each recorder holds the lock until the next has it, too, or waits: there is never a gap."""
    account_id = open_gated_account(postgresql, clock).account.id
    entered = [threading.Event() for _ in range(RECORDERS + 1)]
    changed = threading.Event()
    overtook: list[int] = []

    def record(number: int) -> None:
        with postgresql.transaction() as session:
            booking_facts(session, [account_id])
            if not changed.is_set():
                overtook.append(number)
            entered[number].set()
            entered[number + 1].wait(_WAITS_S)

    def change() -> None:
        with postgresql.transaction() as session:
            lock_account(session, account_id)
            changed.set()

    threads = [threading.Thread(target=record, args=[number]) for number in range(RECORDERS)]
    threads[0].start()
    entered[0].wait()
    operator = threading.Thread(target=change)
    operator.start()
    while not waits(postgresql):
        time.sleep(0.01)
    for number in range(1, RECORDERS):
        threads[number].start()
        entered[number].wait(_WAITS_S)
    for thread in (*threads, operator):
        thread.join()
    assert overtook == [0]
