"""The sweeper: what dead processes held is free again, and nothing of the living is touched, whatever clocks say."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest

from app.charging.gate import Granted, Pass
from app.charging.gate_book import PlanVersionShelf
from app.charging.lease_store import all_leases, end_lease, renew_lease
from app.charging.recorder import Record
from app.charging.sweeper import Sweeper, Swept
from app.charging.tables import ClaimRow, HoldRow
from app.clock import FrozenClock
from app.database import Database
from tests.builders import NOON, make_answer, make_claim, make_event
from tests.charging.gated_account import PRICE_NANOS, GatedAccount, counts_agree, open_gated_account
from tests.charging.serving_process import LEASE_S, FailingDatabase, ServingProcess, charged, rows_of, silence

ELSEWHERE = "another host"
JUMPS = [timedelta(0), timedelta(hours=1), timedelta(hours=-1), timedelta(days=-1)]


class Look:
    """A sweeper whose own time passes a second with each look."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.clock, seconds = clock, count()
        self.sweeper = Sweeper(database, PlanVersionShelf(), lease_s=LEASE_S, monotonic_s=lambda: float(next(seconds)))

    async def once(self) -> Swept:
        return await asyncio.to_thread(self.sweeper.sweep)

    async def until_dead(self) -> Swept:
        """Look on for as long as a lease lasts that is not renewed."""
        for _ in range(LEASE_S):
            assert not await self.once()
        return await self.once()


@pytest.fixture
def look(database: Database, clock: FrozenClock) -> Look:
    return Look(database, clock)


@pytest.fixture
def acme(database: Database, clock: FrozenClock) -> GatedAccount:
    acme = open_gated_account(database, clock)
    acme.credits.grant(acme.account.id, amount_nanos=2 * PRICE_NANOS)
    return acme


def moved_away(process: ServingProcess, database: Database) -> None:
    """Let the process be one of another host that falls silent: only that tells that it is dead."""
    silence(process)
    with database.transaction() as session:
        end_lease(session, process.lease.id)
        renew_lease(session, process.lease.id, host=ELSEWHERE, pid=1, started_at=NOON)


def lease_ids(database: Database) -> set[str]:
    with database.reading() as session:
        return {lease.id for lease in all_leases(session)}


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_a_silent_process_loses_its_lease_its_claim_and_its_hold_and_no_clock_hurries_or_delays_that(
    database: Database, process: ServingProcess, acme: GatedAccount, look: Look, jump: timedelta
) -> None:
    await process.gate.enter(Pass(make_claim(account_id=acme.account.id), acme.request()))
    moved_away(process, database)
    assert not await look.once()
    look.clock.advance(jump)
    assert [await look.once() for _ in range(LEASE_S - 1)] == [Swept()] * (LEASE_S - 1)
    assert await look.once() == Swept(leases=1, claims=1, holds=1)
    assert lease_ids(database) == set()
    assert (rows_of(database, ClaimRow), rows_of(database, HoldRow)) == (0, 0)
    assert counts_agree(database)
    assert acme.credits.balance(acme.account.id).available_nanos == 2 * PRICE_NANOS


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_a_process_that_renews_its_lease_keeps_all_it_holds(
    database: Database, process: ServingProcess, acme: GatedAccount, look: Look, jump: timedelta
) -> None:
    await process.gate.enter(Pass(make_claim(account_id=acme.account.id), acme.request()))
    for number in range(3 * LEASE_S):
        look.clock.advance(jump)
        if number % (LEASE_S - 1) == 0:
            await asyncio.to_thread(process.lease._renew)
        assert not await look.once()
    assert (rows_of(database, ClaimRow), rows_of(database, HoldRow)) == (1, 1)


async def test_a_process_of_this_host_that_is_gone_is_dead_at_once(
    database: Database, process: ServingProcess, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    await process.gate.enter(Pass(make_claim()))
    monkeypatch.setattr(look.sweeper._watch, "_lives", lambda _pid: False)
    assert await look.once() == Swept(leases=1, claims=1)
    assert rows_of(database, ClaimRow) == 0


async def test_nobody_declares_himself_dead(process: ServingProcess, look: Look) -> None:
    look.sweeper._own_lease_id = process.lease.id
    assert not await look.until_dead()


async def test_a_sign_of_life_at_the_last_moment_counts(
    database: Database, process: ServingProcess, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved_away(process, database)
    watch_dead = look.sweeper._watch.dead

    def dead_and_then_renewed(*arguments: object) -> object:
        dead = watch_dead(*arguments)  # type: ignore[arg-type]
        process.lease._renew()  # between the look and the sweep
        return dead

    for _ in range(LEASE_S):
        assert not await look.once()
    monkeypatch.setattr(look.sweeper._watch, "dead", dead_and_then_renewed)
    assert not await look.once()
    assert lease_ids(database) == {process.lease.id}


async def test_done_claims_stay_and_the_living_keep_theirs(
    database: Database, process: ServingProcess, other_process: ServingProcess, look: Look
) -> None:
    done, running, of_the_living = (make_claim(key=key) for key in ("done", "running", "living"))
    for claim in (done, running):
        await process.gate.enter(Pass(claim))
    await process.recorder.record(Record(make_event(id=done.event_id), done, make_answer()))
    await other_process.gate.enter(Pass(of_the_living))
    moved_away(process, database)
    for _ in range(LEASE_S):
        await asyncio.to_thread(other_process.lease._renew)
        assert not await look.once()
    await asyncio.to_thread(other_process.lease._renew)
    assert await look.once() == Swept(leases=1, claims=1)
    assert await other_process.gate.enter(Pass(make_claim(key="done"))) == make_answer()
    assert isinstance(await other_process.gate.enter(Pass(make_claim(key="running"))), Granted)
    assert rows_of(database, ClaimRow) == 3


async def test_two_that_sweep_at_once_free_everything_once(
    database: Database, clock: FrozenClock, process: ServingProcess, acme: GatedAccount
) -> None:
    for number in range(2):
        claim = make_claim(key=str(number), account_id=acme.account.id)
        await process.gate.enter(Pass(claim, acme.request()))
    moved_away(process, database)
    looks = [Look(database, clock) for _ in range(4)]
    sums: Counter[str] = Counter()
    for _ in range(LEASE_S + 1):
        for swept in await asyncio.gather(*(look.once() for look in looks)):
            sums.update(leases=swept.leases, claims=swept.claims, holds=swept.holds)
    assert sums == {"leases": 1, "claims": 2, "holds": 2}
    assert counts_agree(database)


async def test_a_process_that_was_stopped_and_goes_on_is_charged_anew_or_not_at_all(
    database: Database, process: ServingProcess, other_process: ServingProcess, acme: GatedAccount, look: Look
) -> None:
    """Of two calls of the stopped process one finds room for what it held, and the other's room is gone."""
    lucky, late = acme.request(), acme.request()
    for request in (lucky, late):
        await process.gate.enter(Pass(hold=request))
    moved_away(process, database)
    for _ in range(LEASE_S):
        await asyncio.to_thread(other_process.lease._renew)
        await look.once()
    await asyncio.to_thread(other_process.lease._renew)
    assert await look.once() == Swept(leases=1, holds=2)

    await asyncio.to_thread(process.lease._renew)  # it goes on
    assert process.lease.id in lease_ids(database)
    other = acme.request()
    await other_process.gate.enter(Pass(hold=other))
    results = await asyncio.gather(
        *(process.recorder.record(acme.record(request)) for request in (lucky, late)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["HoldLost", "NoneType"]
    await other_process.recorder.record(acme.record(other))
    assert charged(database) == (2, 2)
    assert acme.credits.balance(acme.account.id).total_nanos == 0
    assert counts_agree(database)


async def test_what_belongs_to_no_lease_is_swept_though_nobody_died(
    database: Database, process: ServingProcess, acme: GatedAccount, look: Look
) -> None:
    """Such as after a restore, or what a stopped process took before it noticed."""
    await process.gate.enter(Pass(make_claim(account_id=acme.account.id), acme.request()))
    with database.transaction() as session:
        end_lease(session, process.lease.id)
    assert await look.once() == Swept(claims=1, holds=1)
    assert not await look.once()


async def test_many_holds_are_given_back_a_bounded_number_at_a_time(
    database: Database,
    process: ServingProcess,
    acme: GatedAccount,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.charging.sweeper._HOLDS_AT_ONCE", 3)
    acme.credits.grant(acme.account.id, amount_nanos=5 * PRICE_NANOS)
    await asyncio.gather(*(process.gate.enter(Pass(hold=acme.request())) for _ in range(7)))
    with database.transaction() as session:
        end_lease(session, process.lease.id)
    assert [(await look.once()).holds for _ in range(4)] == [3, 3, 1, 0]
    assert counts_agree(database)


async def test_the_thread_sweeps_by_itself_and_neither_an_outage_nor_a_bug_ends_it(
    database: Database, clock: FrozenClock, process: ServingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.charging.sweeper._LOOK_EVERY_S", 0)
    failing = FailingDatabase(database)
    failing.away_times = 2
    sweeper = Sweeper(failing, PlanVersionShelf(), lease_s=LEASE_S)
    watch_dead, bugs = sweeper._watch.dead, [ZeroDivisionError()]
    monkeypatch.setattr(sweeper._watch, "dead", fails_first(bugs, watch_dead))
    await process.gate.enter(Pass(make_claim()))
    with database.transaction() as session:
        end_lease(session, process.lease.id)
    sweeper.start()
    while await asyncio.to_thread(rows_of, database, ClaimRow):
        assert sweeper._thread.is_alive()
    await asyncio.to_thread(sweeper.stop)
    assert not sweeper._thread.is_alive()
    assert (bugs, failing.away_times) == ([], 0)
    failing.dispose()


def fails_first(bugs: list[ZeroDivisionError], work: Callable[..., object]) -> Callable[..., object]:
    lock = threading.Lock()

    def failing(*arguments: object) -> object:
        with lock:
            if bugs:
                raise bugs.pop()
        return work(*arguments)

    return failing
