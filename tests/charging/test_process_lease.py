"""Process leases: renewed while the process lives, given back when it ends, and no reason to fail when it cannot be."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from app.charging.lease_store import all_leases, end_lease, renew_lease
from app.charging.local_process import this_host
from app.charging.process_lease import ProcessLease
from app.clock import FrozenClock
from app.database import Database, DatabaseUnavailable
from tests.charging.serving_process import FailingDatabase


def leases(database: Database) -> dict[str, int]:
    """How often each lease was renewed."""
    with database.reading() as session:
        return {lease.id: lease.renewals for lease in all_leases(session)}


async def test_a_lease_is_taken_kept_and_given_back(database: Database, clock: FrozenClock) -> None:
    lease, other = (ProcessLease(database, clock, lease_s=6) for _ in range(2))
    await lease.start()
    await other.start()
    assert leases(database) == {lease.id: 1, other.id: 1}
    await asyncio.to_thread(lease._renew)
    assert leases(database) == {lease.id: 2, other.id: 1}
    await lease.stop()
    assert leases(database) == {other.id: 1}
    await other.stop()


async def test_a_lease_says_where_its_process_is(database: Database, clock: FrozenClock) -> None:
    lease = ProcessLease(database, clock, lease_s=6)
    await lease.start()
    with database.reading() as session:
        (row,) = all_leases(session)
    assert (row.host, row.pid) == (this_host(), os.getpid())
    await lease.stop()


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=-1)], ids=str)
async def test_a_clock_that_jumps_changes_nothing(database: Database, clock: FrozenClock, jump: timedelta) -> None:
    lease = ProcessLease(database, clock, lease_s=6)
    await lease.start()
    clock.advance(jump)
    await asyncio.to_thread(lease._renew)
    assert leases(database) == {lease.id: 2}
    await lease.stop()


async def test_a_process_whose_lease_was_ended_takes_it_anew_under_the_same_id(
    database: Database, clock: FrozenClock
) -> None:
    lease = ProcessLease(database, clock, lease_s=6)
    await lease.start()
    with database.transaction() as session:
        end_lease(session, lease.id)
    await asyncio.to_thread(lease._renew)
    assert leases(database) == {lease.id: 1}
    await lease.stop()


async def test_a_lease_is_renewed_by_itself_and_an_outage_does_not_end_that(
    database: Database, clock: FrozenClock
) -> None:
    failing = FailingDatabase(database)
    lease = ProcessLease(failing, clock, lease_s=0)  # renewed without a pause
    await lease.start()
    failing.away_times = 3
    renewed = leases(database)[lease.id]
    while (await asyncio.to_thread(leases, database))[lease.id] <= renewed or failing.away_times:
        assert lease._renewal.is_alive()
    await lease.stop()
    failing.dispose()


async def test_a_bug_does_not_end_the_renewal(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = ProcessLease(database, clock, lease_s=0)
    await lease.start()
    bugs = [ZeroDivisionError(), RuntimeError()]

    def renew_after_bugs(*args: Any, **values: Any) -> None:
        if bugs:
            raise bugs.pop()
        renew_lease(*args, **values)

    monkeypatch.setattr("app.charging.lease_store.renew_lease", renew_after_bugs)
    renewed = leases(database)[lease.id]
    while (await asyncio.to_thread(leases, database))[lease.id] <= renewed or bugs:
        assert lease._renewal.is_alive()
    await lease.stop()


async def test_an_event_loop_that_is_kept_busy_does_not_end_the_signs_of_life(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, renewed = ProcessLease(database, clock, lease_s=0), threading.Event()
    await lease.start()

    def renew_and_tell(*args: Any, **values: Any) -> None:
        renew_lease(*args, **values)
        renewed.set()

    monkeypatch.setattr("app.charging.lease_store.renew_lease", renew_and_tell)
    assert renewed.wait(30)  # the loop does nothing else meanwhile
    await lease.stop()
    assert leases(database) == {}


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


async def test_a_process_ends_though_the_database_is_away_and_its_lease_stands_still(
    database: Database, clock: FrozenClock
) -> None:
    failing = FailingDatabase(database)
    lease = ProcessLease(failing, clock, lease_s=6)
    await lease.start()
    failing.away_times = 1
    await lease.stop()
    assert set(leases(database)) == {lease.id}
    failing.dispose()
