"""Claims are locked in one order of their keys, by everybody: no two processes wait for each other."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import event, select, text

from app.charging import claim_store, lease_store
from app.charging.claim import Claim, StillRunning
from app.charging.gate import Granted, Pass
from app.charging.housekeeping import Housekeeping
from app.charging.tables import ClaimRow
from app.clock import FrozenClock
from app.database import Database
from tests.builders import NOON, make_claim
from tests.charging.serving_process import ANSWER_TTL, ServingProcess, rows_of, serving, taken_for_dead

AGES = timedelta(days=400)


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.dispose()


def tries_again() -> float:
    """Return how often a group of the gate was written again: PostgreSQL ends a deadlock by failing one of the two."""
    return REGISTRY.get_sample_value("faremeter_commit_retries_total", {"group": "gate"}) or 0.0


def deadlocks(database: Database) -> int:
    """Return how many deadlocks PostgreSQL has met in this database; it may tell of the last ones late."""
    if database.dialect == "sqlite":
        return 0
    with database.reading() as session:
        query = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(session.scalar(query) or 0)


def put(database: Database, *keys: str) -> list[Claim]:
    """Claim the keys, in this order, for a process that has no lease."""
    claims = [make_claim(key=key) for key in keys]
    for claim in claims:
        with database.transaction() as session:
            claim_store.insert_claims(session, [claim], lease_id="proc_none", now=NOON)
    return claims


async def test_processes_that_leave_one_key_for_the_other_never_wait_for_each_other(
    database: Database, process: ServingProcess, other_process: ServingProcess, n: Callable[[int, int], int]
) -> None:
    before, swaps = tries_again(), Counter[bool]()

    async def swap(process: ServingProcess, held: Claim | None, key: str) -> Claim | None:
        """Leave the key that is held and claim the other one, in one transaction."""
        if held:
            process.gate.leave(Pass(held))
        claim = make_claim(key=key)
        try:
            await process.gate.enter(Pass(claim))
        except StillRunning:
            return None
        swaps[held is not None] += 1
        return claim

    mine: Claim | None = None
    other: Claim | None = None
    for number in range(n(60, 5_000)):
        keys = ("one", "two") if number % 2 else ("two", "one")
        mine, other = await asyncio.gather(swap(process, mine, keys[0]), swap(other_process, other, keys[1]))
    assert swaps[True] > 0
    assert tries_again() == before
    assert deadlocks(database) == 0


async def test_processes_that_take_over_the_keys_of_the_dead_never_wait_for_each_other(
    database: Database,
    clock: FrozenClock,
    process: ServingProcess,
    other_process: ServingProcess,
    n: Callable[[int, int], int],
) -> None:
    before = tries_again()
    for number in range(n(4, 200)):
        keys = [f"{number}-{each}" for each in range(9)]
        async with serving(database, clock) as dying:
            await asyncio.gather(*(dying.gate.enter(Pass(make_claim(key=key))) for key in keys[::2]))
            await taken_for_dead(dying)
            wanted = [(process, key) for key in keys] + [(other_process, key) for key in reversed(keys)]
            verdicts = await asyncio.gather(
                *(each.gate.enter(Pass(make_claim(key=key))) for each, key in wanted), return_exceptions=True
            )
        assert Counter(map(type, verdicts)) == {Granted: 9, StillRunning: 9}
    assert tries_again() == before
    assert deadlocks(database) == 0


@pytest.mark.parametrize("locker", ["release", "purge", "sweep"])
def test_whoever_waits_for_one_key_has_locked_those_before_it(postgresql: Database, locker: str) -> None:
    """`B` comes before `a` byte by byte and behind it in most languages, and was written last."""
    behind, first = put(postgresql, "a", "B")

    def lock_both() -> None:
        if locker == "purge":
            Housekeeping(postgresql, FrozenClock(NOON + AGES), answer_ttl=ANSWER_TTL).purge()
            return
        with postgresql.transaction() as session:
            if locker == "release":
                claim_store.release_claims(session, [behind, first])
            else:
                lease_store.release_claims_of_dead(session)

    with ThreadPoolExecutor(1) as pool:
        with postgresql.transaction() as session:
            assert claim_store.lock_claim(session, behind)
            locking = pool.submit(lock_both)
            _until_somebody_waits(postgresql)
            free = select(ClaimRow.event_id).with_for_update(skip_locked=True)
            assert session.scalars(free).all() == [behind.event_id]
        locking.result(timeout=30)
    assert rows_of(postgresql, ClaimRow) == 0


def test_keys_are_in_the_order_of_their_bytes(database: Database) -> None:
    claims = put(database, "a", "B", "_", "-b", "Ba", "b", " ", "~", "0")
    with database.reading() as session:
        found = session.scalars(
            select(ClaimRow.idempotency_key).order_by(*claim_store.in_order_of_keys(database.dialect))
        ).all()
    assert list(found) == [claim.idempotency_key for claim in sorted(claims, key=claim_store.key_of)]


def test_many_keys_are_given_back_at_once(database: Database) -> None:
    claims, statements = put(database, *map(str, range(20))), []
    with database.transaction() as session:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *args: statements.append(args[2]))
        claim_store.release_claims(session, claims)
        claim_store.release_claims(session, [])
    assert len(statements) == 1
    assert rows_of(database, ClaimRow) == 0


def _until_somebody_waits(database: Database) -> None:
    for _ in range(3_000):
        with database.reading() as session:
            if session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")
