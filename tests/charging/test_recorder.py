"""The recorder: all of a call or nothing, once, and never into a period that is invoiced."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from app.accounts.store import BookingFacts, booking_facts, close_through, lock_account
from app.charging.claim import ClaimLost
from app.charging.gate import Granted, Pass
from app.charging.recorder import Entry, PeriodClosed, Record
from app.charging.tables import ClaimRow
from app.clock import FrozenClock
from app.database import ConstraintViolated, Database, DatabaseUnavailable
from app.metering.store import insert_events
from app.metering.tables import BatchRow, DeviceIntervalRow, UsageEventRow, UsageRollupRow
from app.metering.usage_event import DeviceInterval
from tests.builders import (
    NOON,
    make_account,
    make_answer,
    make_batch,
    make_claim,
    make_event,
    make_interval,
    open_account,
)
from tests.charging.serving_process import ServingProcess, charged, rows_of, serving, taken_for_dead

MICROSECOND = timedelta(microseconds=1)
BACKWARDS = DeviceInterval("dev_2", "cpu", NOON, NOON - timedelta(seconds=1))  # the schema refuses it


async def noted(process: ServingProcess) -> None:
    """Wait until every fact that was noted so far is in: groups are written in order."""
    await process.recorder.record(Record(make_event(account_id="acct_probe")))


async def test_an_answer_waits_for_its_event_rollup_and_stored_answer(
    database: Database, process: ServingProcess
) -> None:
    claim = make_claim()
    await process.gate.enter(Pass(claim))
    await process.recorder.record(Record(make_event(id=claim.event_id), claim, make_answer()))
    assert charged(database) == (1, 1)
    with database.reading() as session:
        assert session.scalars(select(ClaimRow.body)).one() == make_answer().body
        assert session.scalars(select(UsageEventRow.recorded_at)).one() == NOON


async def test_a_group_is_written_whole_or_not_at_all(database: Database, process: ServingProcess) -> None:
    claim = make_claim()
    await process.gate.enter(Pass(claim))
    call = Record(make_event(id=claim.event_id), claim, make_answer())
    group: list[Entry] = [call, make_batch(), make_interval(), BACKWARDS]
    with pytest.raises(ConstraintViolated):
        process.recorder._write(group)
    assert charged(database) == (0, 0)
    assert rows_of(database, BatchRow) == rows_of(database, DeviceIntervalRow) == 0
    assert await process.gate.find_answer(claim) is None

    process.recorder._write(group[:-1])
    assert charged(database) == (1, 1)
    assert rows_of(database, BatchRow) == rows_of(database, DeviceIntervalRow) == 1
    assert await process.gate.find_answer(claim) == make_answer()


async def test_a_bad_fact_costs_its_neighbours_nothing(database: Database, process: ServingProcess) -> None:
    records = [process.recorder.record(Record(make_event())) for _ in range(5)]
    process.recorder.note(BACKWARDS)
    records += [process.recorder.record(Record(make_event())) for _ in range(5)]
    await asyncio.gather(*records)
    await noted(process)
    assert charged(database) == (11, 11)


async def test_a_group_that_is_written_again_counts_nothing_again(database: Database, process: ServingProcess) -> None:
    claim = make_claim()
    await process.gate.enter(Pass(claim))
    call = Record(make_event(id=claim.event_id), claim, make_answer())
    group: list[Entry] = [call, Record(make_event(units=5)), make_batch()]
    for _ in range(3):
        assert process.recorder._write(group) == [None] * 3
    assert charged(database) == (2, 2)
    with database.reading() as session:
        assert session.scalar(select(func.sum(UsageRollupRow.units))) == 6
    assert rows_of(database, BatchRow) == 1


async def test_an_event_that_stands_in_a_fresh_group_twice_counts_once(
    database: Database, process: ServingProcess
) -> None:
    record = Record(make_event())
    process.recorder._write([record, record])
    assert charged(database) == (1, 1)


async def test_a_commit_that_was_not_confirmed_is_made_once(database: Database, process: ServingProcess) -> None:
    process.database.lost_answers = 2
    claim = make_claim()
    await process.recorder.record(Record(make_event(id=claim.event_id), claim, make_answer()))
    assert charged(database) == (1, 1)
    assert await process.gate.enter(Pass(make_claim())) == make_answer()


async def test_beyond_its_patience_a_call_fails_and_facts_come_later(database: Database, clock: FrozenClock) -> None:
    async with serving(database, clock, patience_s=0) as process:
        process.database.away_times = 3
        process.recorder.note(make_batch())
        with pytest.raises(DatabaseUnavailable):
            await process.recorder.record(Record(make_event()))
        await until(lambda: not process.database.away_times)
        await noted(process)
    assert rows_of(database, BatchRow) == 1
    with database.reading() as session:
        assert session.scalars(select(UsageEventRow.account_id)).all() == ["acct_probe"]


async def test_a_call_of_a_closed_period_is_refused_and_its_neighbours_are_not(
    database: Database, process: ServingProcess
) -> None:
    for account_id in ("acct_1", "acct_2"):
        open_account(database, make_account(id=account_id))
    with database.transaction() as session:
        close_through(session, "acct_1", NOON)
    claim = make_claim()
    await process.gate.enter(Pass(claim))
    late = make_event(id=claim.event_id, occurred_at=NOON - MICROSECOND)
    futures = [
        process.recorder.record(Record(late, claim, make_answer())),
        process.recorder.record(Record(make_event(occurred_at=NOON))),
        process.recorder.record(Record(make_event(occurred_at=NOON - MICROSECOND, account_id="acct_2"))),
    ]
    refused, *rest = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(refused, PeriodClosed)
    assert rest == [None, None]
    assert charged(database) == (2, 2)
    assert await process.gate.find_answer(claim) is None
    process.gate.leave(Pass(claim))
    assert isinstance(await process.gate.enter(Pass(make_claim())), Granted)


async def test_the_recorder_waits_for_an_invoice_run_and_then_sees_what_it_has_closed(
    database: Database, process: ServingProcess
) -> None:
    open_account(database)
    with database.transaction() as session:
        lock_account(session, "acct_1")
        record = process.recorder.record(Record(make_event(occurred_at=NOON - MICROSECOND)))
        await until(lambda: recorder_waits(database, process))
        close_through(session, "acct_1", NOON)
    with pytest.raises(PeriodClosed):
        await record
    assert charged(database) == (0, 0)


async def until(condition: Callable[[], bool]) -> None:
    """Ask, on a thread, until it is so; the suite's time limit ends a wait in vain."""

    def ask() -> None:
        while not condition():
            pass

    await asyncio.to_thread(ask)


def recorder_waits(database: Database, process: ServingProcess) -> bool:
    if database.dialect == "sqlite":  # it has taken the entry; whenever it comes to write, the one writer is busy
        return process.recorder.waiting == 0
    return somebody_waits(database)


def somebody_waits(database: Database) -> bool:
    with database.reading() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


async def test_an_invoice_run_waits_for_a_recorder_that_came_first(postgres_url: str) -> None:
    database = Database(postgres_url)
    open_account(database)

    def close() -> int:
        with database.transaction() as session:
            lock_account(session, "acct_1")
            return session.scalar(select(func.count()).select_from(UsageEventRow)) or 0

    with database.transaction() as session:  # what the recorder does, held up between its look and its write
        assert booking_facts(session, ["acct_1"]) == {"acct_1": BookingFacts(None, gated=False)}
        closing = asyncio.ensure_future(asyncio.to_thread(close))
        await until(lambda: somebody_waits(database))
        insert_events(session, [make_event()], NOON)
    assert await closing == 1  # the run sees all that was recorded before it
    database.dispose()


async def test_a_slow_process_whose_claim_was_taken_over_charges_nothing(
    database: Database, process: ServingProcess, other_process: ServingProcess, clock: FrozenClock
) -> None:
    slow, quick = make_claim(), make_claim()
    await process.gate.enter(Pass(slow))
    await taken_for_dead(process)
    assert isinstance(await other_process.gate.enter(Pass(quick)), Granted)

    for _ in range(2):  # while the second one runs, and after it has ended
        with pytest.raises(ClaimLost):
            await process.recorder.record(Record(make_event(id=slow.event_id), slow, make_answer(body=b"slow")))
        assert charged(database)[0] in {0, 1}
        await other_process.recorder.record(Record(make_event(id=quick.event_id), quick, make_answer(body=b"quick")))

    assert charged(database) == (1, 1)
    assert await process.gate.enter(Pass(make_claim())) == make_answer(body=b"quick")


async def test_a_claim_that_a_crash_of_the_database_lost_is_taken_again_with_its_answer(
    database: Database, process: ServingProcess
) -> None:
    claim = make_claim()  # granted, and gone with the last commits that were not durable
    await process.recorder.record(Record(make_event(id=claim.event_id), claim, make_answer()))
    assert await process.gate.enter(Pass(make_claim())) == make_answer()
    assert charged(database) == (1, 1)


async def test_of_two_calls_under_one_key_in_one_group_the_holder_is_charged(
    database: Database, process: ServingProcess, clock: FrozenClock
) -> None:
    lost, held = make_claim(), make_claim()
    await process.gate.enter(Pass(lost))
    await taken_for_dead(process)  # it was silent, and lives on: a repeat takes the key over
    await process.gate.enter(Pass(held))
    futures = [
        process.recorder.record(Record(make_event(id=claim.event_id), claim, make_answer(body=claim.event_id.encode())))
        for claim in (lost, held)
    ]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(result) for result in results] == [ClaimLost, type(None)]
    assert charged(database) == (1, 1)
    assert await process.gate.find_answer(lost) == make_answer(body=held.event_id.encode())


async def test_two_processes_that_write_the_same_buckets_lose_and_double_nothing(
    database: Database, process: ServingProcess, other_process: ServingProcess
) -> None:
    recorders = [process.recorder, other_process.recorder]
    keys = [f"key_{number % 7}" for number in range(200)]
    await asyncio.gather(
        *(recorders[n % 2].record(Record(make_event(key_id=key, units=n))) for n, key in enumerate(keys))
    )
    assert charged(database) == (200, 200)
    with database.reading() as session:
        assert session.scalar(select(func.sum(UsageRollupRow.units))) == sum(range(200))
        assert rows_of(database, UsageRollupRow) == 7


async def test_a_device_interval_moves_on_and_never_back(database: Database, process: ServingProcess) -> None:
    for seconds in (5, 10, 7):
        process.recorder.note(make_interval(lasting=timedelta(seconds=seconds)))
    await noted(process)
    with database.reading() as session:
        assert session.scalars(select(DeviceIntervalRow.ended_at)).one() == NOON + timedelta(seconds=10)


async def test_what_waits_at_the_end_is_recorded(database: Database, clock: FrozenClock) -> None:
    async with serving(database, clock) as process:
        futures = [process.recorder.record(Record(make_event())) for _ in range(100)]
        process.recorder.note(make_batch())
    await asyncio.gather(*futures)
    assert charged(database) == (100, 100)
    assert rows_of(database, BatchRow) == 1
