"""A server without Redis serves alone: the living keep it from starting, the dead do not."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

import pytest

from app.charging import lease_store
from app.charging.limits.sole_process import OtherServerLives, SoleProcess
from app.charging.local_process import this_host
from app.charging.process_lease import ProcessLease
from app.clock import FrozenClock
from app.database import Database
from app.ids import new_id
from tests.builders import NOON

ELSEWHERE = "elsewhere"


@pytest.fixture
async def sole(database: Database, clock: FrozenClock) -> AsyncIterator[SoleProcess]:
    """This process, which has just taken its lease."""
    lease = ProcessLease(database, clock, lease_s=1)
    await lease.start()
    yield SoleProcess(database, lease)
    await lease.stop()


Renew = Callable[[], None]


def lease_of(database: Database, *, host: str, pid: int, started_at: datetime = NOON) -> Renew:
    """Take another process's lease; return what renews it."""
    lease_id = new_id("proc", started_at)

    def renew() -> None:
        with database.transaction() as session:
            lease_store.renew_lease(session, lease_id, host=host, pid=pid, started_at=started_at)

    renew()
    renew()  # it was here before
    return renew


@contextmanager
def living(renew: Renew) -> Iterator[None]:
    """Renew a lease again and again, as a living process does."""
    done = Event()

    def work() -> None:
        while not done.wait(0.05):
            renew()

    thread = Thread(target=work)
    thread.start()
    yield
    done.set()
    thread.join()


async def test_alone_it_serves(sole: SoleProcess) -> None:
    await sole.require()


async def test_a_living_server_on_another_host_keeps_it_from_serving(sole: SoleProcess, database: Database) -> None:
    with living(lease_of(database, host=ELSEWHERE, pid=77)), pytest.raises(OtherServerLives) as refused:
        await sole.require()
    assert "process 77 on elsewhere" in str(refused.value)
    assert "FAREMETER_REDIS_URL" in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_a_living_server_on_this_host_does_so_too(sole: SoleProcess, database: Database) -> None:
    with living(lease_of(database, host=this_host(), pid=os.getppid())), pytest.raises(OtherServerLives):
        await sole.require()


async def test_what_dead_servers_left_keeps_nobody_from_serving(sole: SoleProcess, database: Database) -> None:
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    lease_of(database, host=this_host(), pid=gone.pid)
    lease_of(database, host=this_host(), pid=os.getpid())  # in a container that was started again
    lease_of(database, host=ELSEWHERE, pid=77)
    lease_of(database, host=this_host(), pid=os.getppid())  # another process has its number now
    await sole.require()


async def test_who_comes_later_gives_way(sole: SoleProcess, database: Database) -> None:
    later = new_id("proc", datetime(2099, 1, 1, tzinfo=UTC))

    def renew() -> None:
        with database.transaction() as session:
            lease_store.renew_lease(session, later, host=ELSEWHERE, pid=77, started_at=NOON)

    renew()
    await asyncio.to_thread(sole.lease._renew)
    with living(renew):
        await sole.require()
