"""Process leases: renewed while the process lives, given back when it ends, and no reason to fail when it cannot be."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.charging.process_lease import ProcessLease
from app.charging.store import renew_lease
from app.charging.tables import ProcessLeaseRow
from app.clock import FrozenClock
from app.database import Database, DatabaseUnavailable
from tests.builders import NOON
from tests.charging.serving_process import FailingDatabase


def leases(database: Database) -> dict[str, datetime]:
    with database.reading() as session:
        return {
            row.id: row.expires_at for row in session.execute(select(ProcessLeaseRow.id, ProcessLeaseRow.expires_at))
        }


async def test_a_lease_is_taken_kept_and_given_back(database: Database, clock: FrozenClock) -> None:
    lease, other = (ProcessLease(database, clock, lease_s=6) for _ in range(2))
    await lease.start()
    await other.start()
    assert leases(database) == {lease.id: NOON + timedelta(seconds=6), other.id: NOON + timedelta(seconds=6)}
    clock.advance(timedelta(seconds=2))
    await asyncio.to_thread(lease._renew)
    assert leases(database)[lease.id] == NOON + timedelta(seconds=8)
    await lease.stop()
    assert set(leases(database)) == {other.id}
    await other.stop()


async def test_a_lease_is_renewed_by_itself_and_an_outage_does_not_end_that(
    database: Database, clock: FrozenClock
) -> None:
    failing = FailingDatabase(database)
    lease = ProcessLease(failing, clock, lease_s=0)  # renewed whenever the loop has nothing else to do
    await lease.start()
    failing.away_times = 3
    clock.advance(timedelta(seconds=1))
    while (await asyncio.to_thread(leases, database))[lease.id] == NOON:
        assert lease._renewal is not None
        assert not lease._renewal.done()
    assert failing.away_times == 0
    await lease.stop()
    failing.dispose()


async def test_a_bug_does_not_end_the_renewal(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = ProcessLease(database, clock, lease_s=0)
    await lease.start()
    bugs = [ZeroDivisionError(), RuntimeError()]

    def renew_after_bugs(*args: Any) -> None:
        if bugs:
            raise bugs.pop()
        renew_lease(*args)

    monkeypatch.setattr("app.charging.store.renew_lease", renew_after_bugs)
    clock.advance(timedelta(seconds=1))
    while (await asyncio.to_thread(leases, database))[lease.id] == NOON:
        assert lease._renewal is not None
        assert not lease._renewal.done()
    assert bugs == []
    await lease.stop()


async def test_a_lease_needs_no_thread_that_others_may_keep_busy(database: Database, clock: FrozenClock) -> None:
    loop, busy = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    taken = loop.run_in_executor(None, busy.wait, 10)
    lease = ProcessLease(database, clock, lease_s=6)
    await asyncio.wait_for(lease.start(), 5)
    assert set(leases(database)) == {lease.id}
    await asyncio.wait_for(lease.stop(), 5)
    assert leases(database) == {}
    busy.set()
    assert await taken


async def test_a_lease_that_cannot_be_taken_says_so(database: Database, clock: FrozenClock) -> None:
    failing = FailingDatabase(database)
    failing.away_times = 1
    with pytest.raises(DatabaseUnavailable):
        await ProcessLease(failing, clock, lease_s=6).start()
    assert leases(database) == {}
    failing.dispose()


async def test_a_process_ends_though_the_database_is_away_and_its_lease_runs_out(
    database: Database, clock: FrozenClock
) -> None:
    failing = FailingDatabase(database)
    lease = ProcessLease(failing, clock, lease_s=6)
    await lease.start()
    failing.away_times = 1
    await lease.stop()
    assert set(leases(database)) == {lease.id}
    failing.dispose()
