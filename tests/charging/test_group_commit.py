"""Group commit: one result an entry, in order, once; a bad row stands alone; an outage is sat out or said plainly.

The component waits 50 ms and more between tries of a group; nothing else here takes time.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.charging.group_commit import CommitQueueFull, GroupCommit
from app.database import ConstraintViolated, DatabaseUnavailable
from app.errors import AppError, Conflict, InvariantViolation, Unavailable

Write = Callable[[Sequence[int]], Sequence[int | AppError]]
PATIENT_S, IMPATIENT_S = 30.0, 0.0


class Ledger:
    """Stands for a table with a unique id: keeps what was written, refuses `bad` rows, and may be away."""

    def __init__(self, *, bad: frozenset[int] = frozenset(), away_times: int = 0) -> None:
        self.rows: list[int] = []
        self.groups: list[list[int]] = []
        self.bad = bad
        self.away_times = away_times

    def write(self, entries: Sequence[int]) -> Sequence[int | AppError]:
        self.groups.append(list(entries))
        if self.away_times:
            self.away_times -= 1
            raise DatabaseUnavailable("away")
        if self.bad & set(entries):
            raise ConstraintViolated("refused")
        self.rows += [entry for entry in entries if entry not in self.rows]
        return [entry * 10 for entry in entries]


@asynccontextmanager
async def committing(
    write: Write, *, group_max: int = 100, patience_s: float = PATIENT_S
) -> AsyncIterator[GroupCommit[int, int]]:
    group: GroupCommit[int, int] = GroupCommit("test", write, group_max=group_max, patience_s=patience_s)
    group.start()
    yield group
    await group.stop()


class Gate:
    """Holds the first write up until it is opened, so that entries gather behind it."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self.reached, self.opened = threading.Event(), threading.Event()

    def write(self, entries: Sequence[int]) -> Sequence[int | AppError]:
        self.reached.set()
        assert self.opened.wait(10)
        return self._write(entries)


@asynccontextmanager
async def gathering(
    write: Write, *, group_max: int = 100, patience_s: float = PATIENT_S
) -> AsyncIterator[tuple[GroupCommit[int, int], Gate]]:
    """Yield a group commit whose thread is busy with entry 0."""
    gate = Gate(write)
    async with committing(gate.write, group_max=group_max, patience_s=patience_s) as group:
        first = group.submit(0)
        assert await asyncio.to_thread(gate.reached.wait, 10)
        yield group, gate
        gate.opened.set()
        await asyncio.gather(first, return_exceptions=True)


async def outcomes(futures: "Sequence[asyncio.Future[int]]") -> list[int | type[BaseException]]:
    results = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 20)
    return [type(result) if isinstance(result, BaseException) else result for result in results]


async def test_each_entry_gets_its_own_result_in_order_of_arrival() -> None:
    ledger = Ledger()
    async with gathering(ledger.write, group_max=16) as (group, gate):
        futures = [group.submit(number) for number in range(1, 100)]
        gate.opened.set()
        assert await outcomes(futures) == [number * 10 for number in range(1, 100)]
    assert ledger.rows == list(range(100))
    assert [len(entries) for entries in ledger.groups] == [1, 16, 16, 16, 16, 16, 16, 3]


async def test_an_error_that_a_write_returns_reaches_its_own_entry_alone() -> None:
    def write(entries: Sequence[int]) -> list[int | AppError]:
        return [Conflict("odd") if entry % 2 else entry for entry in entries]

    async with gathering(write) as (group, gate):
        futures = [group.submit(number) for number in range(1, 5)]
        gate.opened.set()
        assert await outcomes(futures) == [Conflict, 2, Conflict, 4]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bad=st.frozensets(st.integers(1, 40)), count=st.integers(1, 40), group_max=st.integers(1, 50))
def test_bad_rows_stand_alone_and_their_neighbours_commit(bad: frozenset[int], count: int, group_max: int) -> None:
    async def run() -> None:
        ledger = Ledger(bad=bad)
        async with gathering(ledger.write, group_max=group_max) as (group, gate):
            futures = [group.submit(number) for number in range(1, count + 1)]
            gate.opened.set()
            expected = [ConstraintViolated if n in bad else n * 10 for n in range(1, count + 1)]
            assert await outcomes(futures) == expected
        assert ledger.rows == [n for n in range(count + 1) if n not in bad]

    asyncio.run(run())


async def test_an_outage_that_ends_in_time_is_not_noticed_and_nothing_is_written_twice() -> None:
    ledger = Ledger(away_times=3)
    async with gathering(ledger.write) as (group, gate):
        futures = [group.submit(number) for number in range(1, 20)]
        gate.opened.set()
        assert await outcomes(futures) == [number * 10 for number in range(1, 20)]
    assert ledger.rows == list(range(20))
    assert ledger.groups[:4] == [[0]] * 4  # the very same group, until it was in


async def test_beyond_its_patience_every_entry_of_the_group_fails_and_nothing_is_written() -> None:
    ledger = Ledger(away_times=2)
    async with gathering(ledger.write, patience_s=IMPATIENT_S) as (group, gate):
        futures = [group.submit(number) for number in range(1, 5)]
        gate.opened.set()
        assert await outcomes(futures) == [DatabaseUnavailable] * 4
        assert ledger.rows == []
        assert await group.submit(5) == 50  # the thread lives and the database is back
    assert ledger.rows == [5]


async def test_facts_survive_an_outage_that_costs_waiting_calls_their_answer() -> None:
    ledger = Ledger(away_times=2)
    async with gathering(ledger.write, patience_s=IMPATIENT_S) as (group, gate):
        group.submit_fact(7)
        call = group.submit(1)
        group.submit_fact(8)
        gate.opened.set()
        assert await outcomes([call]) == [DatabaseUnavailable]
        assert await group.submit(2) == 20
    assert sorted(ledger.rows) == [2, 7, 8]


async def test_a_bad_fact_is_dropped_and_does_not_come_back() -> None:
    ledger = Ledger(bad=frozenset({7}))
    async with gathering(ledger.write) as (group, gate):
        group.submit_fact(7)
        call = group.submit(1)
        gate.opened.set()
        assert await call == 10
    assert ledger.rows == [0, 1]
    assert ledger.groups == [[0], [1, 7], [1], [7]]  # what is awaited goes first


@pytest.mark.parametrize(
    ("group_max", "first_group"), [(8, [1, 2, 3, 4, 5, 6, 101, 102]), (2, [1, 101]), (1, [1, 101])]
)
async def test_full_groups_leave_a_share_to_facts_that_wait(group_max: int, first_group: list[int]) -> None:
    ledger = Ledger()
    async with gathering(ledger.write, group_max=group_max) as (group, gate):
        for fact in range(101, 104):
            group.submit_fact(fact)
        futures = [group.submit(number) for number in range(1, 40)]
        gate.opened.set()
        assert await outcomes(futures) == [number * 10 for number in range(1, 40)]
    assert ledger.groups[1] == first_group
    assert ledger.rows.index(103) < ledger.rows.index(39)


async def test_facts_may_come_from_any_thread() -> None:
    ledger = Ledger()
    async with committing(ledger.write) as group:
        await asyncio.gather(*(asyncio.to_thread(group.submit_fact, number) for number in range(20)))
    assert sorted(ledger.rows) == list(range(20))


@pytest.mark.parametrize("bug", [ZeroDivisionError, ValueError, KeyError])
async def test_a_bug_fails_the_entry_that_meets_it_and_neither_its_neighbours_nor_the_thread(
    bug: type[Exception],
) -> None:
    ledger = Ledger()

    def write(entries: Sequence[int]) -> Sequence[int | AppError]:
        if 3 in entries:
            raise bug
        return ledger.write(entries)

    async with gathering(write) as (group, gate):
        futures = [group.submit(number) for number in range(1, 6)]
        gate.opened.set()
        assert await outcomes(futures) == [10, 20, Unavailable, 40, 50]
        assert await group.submit(6) == 60


async def test_a_write_that_returns_too_little_fails_its_entries_and_not_the_thread() -> None:
    def write(entries: Sequence[int]) -> Sequence[int | AppError]:
        return [] if 1 in entries else list(entries)

    async with committing(write) as group:
        assert await outcomes([group.submit(1)]) == [InvariantViolation]
        assert await group.submit(2) == 2


async def test_stopping_writes_what_waits_and_refuses_what_comes_after() -> None:
    ledger = Ledger()
    async with gathering(ledger.write, group_max=4) as (group, gate):
        futures = [group.submit(number) for number in range(1, 11)]
        group.submit_fact(11)
        stopped = asyncio.ensure_future(group.stop())
        await asyncio.sleep(0)  # lets `stop` begin
        with pytest.raises(CommitQueueFull):
            group.submit(12)
        gate.opened.set()
        assert await outcomes(futures) == [number * 10 for number in range(1, 11)]
        await stopped
        assert group.waiting == 0
    assert sorted(ledger.rows) == list(range(12))


async def test_stopping_in_an_outage_ends_at_once_and_tells_every_caller() -> None:
    ledger = Ledger(away_times=10**6)
    async with gathering(ledger.write) as (group, gate):
        futures = [group.submit(number) for number in range(1, 5)]
        stopped = asyncio.ensure_future(group.stop())
        await asyncio.sleep(0)
        gate.opened.set()
        assert await outcomes(futures) == [DatabaseUnavailable] * 4
        await stopped


async def test_a_caller_that_has_gone_disturbs_nobody() -> None:
    ledger = Ledger()
    async with gathering(ledger.write) as (group, gate):
        gone, stays = group.submit(1), group.submit(2)
        gone.cancel()
        gate.opened.set()
        assert await stays == 20
    assert ledger.rows == [0, 1, 2]


async def test_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.charging.group_commit._WAITING_MAX", 3)
    async with gathering(Ledger().write) as (group, gate):
        futures = [group.submit(number) for number in range(1, 4)]
        assert group.waiting == 3
        with pytest.raises(CommitQueueFull) as caught:
            group.submit(4)
        assert caught.value.retry_after_s == 1
        gate.opened.set()
        assert await outcomes(futures) == [10, 20, 30]


async def test_what_is_queued_behind_comes_behind_all_that_waits_however_full_the_queue_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.charging.group_commit._WAITING_MAX", 3)
    ledger = Ledger()
    async with gathering(ledger.write, group_max=2) as (group, gate):
        futures = [group.submit(number) for number in range(1, 4)]
        group.submit_behind(9)
        gate.opened.set()
        assert await outcomes(futures) == [10, 20, 30]
    assert ledger.rows == [0, 1, 2, 3, 9]


async def test_a_group_that_begins_with_what_nobody_waits_for_is_as_patient_as_any() -> None:
    ledger = Ledger()
    async with gathering(ledger.write) as (group, gate):
        group.submit_behind(1)
        call = group.submit(2)
        ledger.away_times = 2
        gate.opened.set()
        assert await outcomes([call]) == [20]
    assert ledger.rows == [0, 1, 2]


async def test_what_was_queued_behind_survives_an_outage() -> None:
    ledger = Ledger()
    async with gathering(ledger.write, patience_s=IMPATIENT_S) as (group, gate):
        group.submit_behind(1)
        call = group.submit(2)
        ledger.away_times = 2
        gate.opened.set()
        assert await outcomes([call]) == [DatabaseUnavailable]
        assert await group.submit(3) == 30
    assert sorted(ledger.rows) == [1, 3]


@pytest.mark.parametrize(("facts_max", "written"), [(2, [0, 1, 2]), (None, [0, 1, 2, 3])])
async def test_facts_are_dropped_beyond_their_number_or_never(facts_max: int | None, written: list[int]) -> None:
    ledger = Ledger()
    gate = Gate(ledger.write)
    group: GroupCommit[int, int] = GroupCommit(
        "test", gate.write, group_max=100, patience_s=PATIENT_S, facts_max=facts_max
    )
    group.start()
    first = group.submit(0)
    assert await asyncio.to_thread(gate.reached.wait, 10)
    for fact in (1, 2, 3):
        group.submit_fact(fact)
    gate.opened.set()
    assert await first == 0
    await group.stop()
    assert ledger.rows == written


async def test_nothing_is_accepted_before_the_start() -> None:
    group: GroupCommit[int, int] = GroupCommit("test", Ledger().write, group_max=1, patience_s=1)
    with pytest.raises(CommitQueueFull):
        group.submit(1)
