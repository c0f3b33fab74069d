"""Gates are locked in the order of their accounts, also by a group that finds one missing (PostgreSQL)."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from app.charging import hold_store
from app.charging.gate import Pass
from app.charging.open_gate import stand_gate
from app.clock import FrozenClock
from app.database import Database
from tests.charging.gated_account import PRICE_NANOS, GatedAccount, open_gated_account
from tests.charging.serving_process import serving


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.dispose()


def without_gate(database: Database, clock: FrozenClock) -> GatedAccount:
    """Return an account with credit for a call whose gate does not stand yet."""
    opened = open_gated_account(database, clock)
    opened.credits.grant(opened.account.id, amount_nanos=PRICE_NANOS)
    with database.transaction() as session:
        hold_store.delete_gate(session, opened.account.id)
    return opened


def wait_for_a_waiting_session(database: Database) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        with database.reading() as session:
            if session.scalar(text(query)):
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits for a lock")


async def test_a_group_that_waits_for_a_missing_gate_holds_no_other(postgresql: Database, clock: FrozenClock) -> None:
    opened = [without_gate(postgresql, clock) for _ in range(2)]
    one, two = sorted(opened, key=lambda each: each.account.id)
    with postgresql.transaction() as session:
        stand_gate(session, two.account.id, clock.now())
    async with serving(postgresql, clock) as process:
        with ThreadPoolExecutor(1) as thread, postgresql.transaction() as session:
            stand_gate(session, one.account.id, clock.now())
            group = [Pass(hold=each.request()) for each in (one, two)]
            written = thread.submit(process.gate._write, group)
            wait_for_a_waiting_session(postgresql)
            session.execute(text("SET LOCAL lock_timeout = '10s'"))
            assert list(hold_store.lock_gates(session, [two.account.id])) == [two.account.id]
            session.commit()
            written.result(60)
    assert all(each.held(entry.hold) for each, entry in zip((one, two), group, strict=True) if entry.hold)
