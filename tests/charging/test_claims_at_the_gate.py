"""Claims: one key is one run, whoever asks, how many at once, and whatever dies in between."""

import asyncio
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from app.charging import claim_store
from app.charging.claim import Claim, IdempotencyKeyReused, StillRunning, StoredAnswer
from app.charging.gate import Granted, Pass
from app.charging.recorder import Record
from app.charging.tables import ClaimRow
from app.clock import FrozenClock
from app.database import CommitUncertain, Database, DatabaseUnavailable
from tests.builders import NOON, make_answer, make_claim, make_event
from tests.charging.serving_process import ANSWER_TTL, ServingProcess, rows_of, serving, taken_for_dead

MICROSECOND = timedelta(microseconds=1)
WAITING = 70  # more than a group takes


async def answered(process: ServingProcess, claim: Claim, answer: StoredAnswer) -> None:
    """Run the call of a granted claim to its end."""
    await process.recorder.record(Record(make_event(id=claim.event_id, account_id=claim.account_id), claim, answer))


def until_none_waits(process: ServingProcess) -> None:
    """Return once the gate's thread has taken what was queued."""
    while process.gate._group.waiting:
        time.sleep(0.001)


async def granted(process: ServingProcess, claim: Claim) -> Claim:
    assert isinstance(await process.gate.enter(Pass(claim)), Granted)
    return claim


async def test_fifty_claims_of_one_key_in_two_processes_grant_one(
    process: ServingProcess, other_process: ServingProcess
) -> None:
    gates = [process.gate, other_process.gate]
    verdicts = await asyncio.gather(
        *(gates[number % 2].enter(Pass(make_claim())) for number in range(50)), return_exceptions=True
    )
    assert Counter(map(type, verdicts)) == {Granted: 1, StillRunning: 49}


async def test_fifty_keys_at_once_are_all_granted_and_accounts_do_not_share_keys(
    process: ServingProcess, other_process: ServingProcess
) -> None:
    gates = [process.gate, other_process.gate]
    claims = [make_claim(key=f"order-{n // 2}", account_id=f"acct_{n % 2}") for n in range(50)]
    verdicts = await asyncio.gather(*(gates[n // 3 % 2].enter(Pass(claim)) for n, claim in enumerate(claims)))
    assert Counter(map(type, verdicts)) == {Granted: 50}


async def test_another_request_under_a_key_is_refused_while_the_first_runs_and_after(process: ServingProcess) -> None:
    first = await granted(process, make_claim(request="one"))
    with pytest.raises(IdempotencyKeyReused):
        await process.gate.enter(Pass(make_claim(request="two")))
    await answered(process, first, make_answer())
    with pytest.raises(IdempotencyKeyReused):
        await process.gate.enter(Pass(make_claim(request="two")))
    assert await process.gate.find_answer(make_claim(request="two")) is None


async def test_a_repeat_waits_while_the_first_runs_and_then_gets_the_very_same_bytes(
    process: ServingProcess, other_process: ServingProcess
) -> None:
    first = await granted(process, make_claim())
    with pytest.raises(StillRunning) as caught:
        await other_process.gate.enter(Pass(make_claim()))
    assert caught.value.retry_after_s == 1
    assert await process.gate.find_answer(make_claim()) is None

    answer = make_answer(body=bytes(range(256)), status_code=201)
    await answered(process, first, answer)

    assert await process.gate.enter(Pass(make_claim())) == answer
    assert await other_process.gate.enter(Pass(make_claim())) == answer
    assert await other_process.gate.find_answer(make_claim()) == answer


async def test_an_answer_is_found_without_waiting_for_a_writer(database: Database, process: ServingProcess) -> None:
    await answered(process, await granted(process, make_claim()), make_answer())
    with database.transaction() as session:
        assert claim_store.lock_claim(session, make_claim()) is not None
        assert await asyncio.wait_for(process.gate.find_answer(make_claim()), 5) == make_answer()


async def test_no_answer_is_found_while_the_database_is_away(process: ServingProcess) -> None:
    await answered(process, await granted(process, make_claim()), make_answer())
    process.database.away_times = 1
    assert await process.gate.find_answer(make_claim()) is None
    assert await process.gate.find_answer(make_claim()) == make_answer()


async def test_an_empty_answer_is_an_answer(process: ServingProcess) -> None:
    await answered(process, await granted(process, make_claim()), make_answer(body=b""))
    assert await process.gate.enter(Pass(make_claim())) == make_answer(body=b"")


async def test_a_failed_call_frees_its_key(process: ServingProcess) -> None:
    process.gate.leave(Pass(await granted(process, make_claim())))
    await granted(process, make_claim(request="two"))


async def test_nobody_frees_what_is_not_theirs(process: ServingProcess) -> None:
    first = await granted(process, make_claim())
    process.gate.leave(Pass(make_claim()))  # the same key, another call
    with pytest.raises(StillRunning):
        await process.gate.enter(Pass(make_claim()))
    await answered(process, first, make_answer())
    process.gate.leave(Pass(first))  # too late: its answer counts
    assert await process.gate.enter(Pass(make_claim())) == make_answer()


async def test_a_key_is_not_taken_from_a_process_that_lives(
    process: ServingProcess, other_process: ServingProcess, clock: FrozenClock
) -> None:
    await granted(process, make_claim())
    clock.advance(timedelta(hours=20))  # whatever the clock says: its lease stands
    with pytest.raises(StillRunning):
        await other_process.gate.enter(Pass(make_claim()))


async def test_a_key_is_taken_from_a_process_whose_lease_has_run_out_by_one_claim_only(
    process: ServingProcess, other_process: ServingProcess
) -> None:
    await granted(process, make_claim())
    await taken_for_dead(process)
    verdicts = await asyncio.gather(
        *(other_process.gate.enter(Pass(make_claim())) for _ in range(9)), return_exceptions=True
    )
    assert Counter(map(type, verdicts)) == {Granted: 1, StillRunning: 8}


async def test_a_process_that_ends_properly_leaves_its_keys_free_at_once(
    database: Database, process: ServingProcess, clock: FrozenClock
) -> None:
    async with serving(database, clock) as ended:
        await granted(ended, make_claim())
    await granted(process, make_claim())


async def test_an_answer_is_kept_for_its_time_and_then_the_key_is_free(
    process: ServingProcess, clock: FrozenClock
) -> None:
    await answered(process, await granted(process, make_claim()), make_answer())
    clock.advance(ANSWER_TTL - MICROSECOND)
    assert await process.gate.enter(Pass(make_claim())) == make_answer()
    clock.advance(MICROSECOND)
    assert await process.gate.find_answer(make_claim()) is None
    await granted(process, make_claim(request="two"))


async def test_a_claim_whose_commit_was_not_confirmed_is_still_its_callers(process: ServingProcess) -> None:
    process.database.lost_answers = 1
    first = await granted(process, make_claim())
    with pytest.raises(StillRunning):
        await process.gate.enter(Pass(make_claim()))
    await answered(process, first, make_answer())


async def test_a_claim_that_nobody_was_told_of_does_not_block_its_key(database: Database, clock: FrozenClock) -> None:
    async with serving(database, clock, patience_s=0) as process:
        process.database.lost_answers = 1
        with pytest.raises(DatabaseUnavailable):
            await process.gate.enter(Pass(make_claim()))
        await granted(process, make_claim())


async def test_a_caller_that_is_cancelled_while_it_claims_does_not_block_its_key(process: ServingProcess) -> None:
    for _ in range(10):
        leaving = asyncio.ensure_future(process.gate.enter(Pass(make_claim())))
        await asyncio.sleep(0)  # it has queued its claim
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
    await granted(process, make_claim())


async def test_a_caller_that_is_cancelled_behind_a_full_queue_does_not_leave_before_it_passes(
    database: Database, process: ServingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.charging.group_commit._WAITING_MAX", WAITING)
    with database.transaction() as session:
        claim_store.insert_claims(session, [make_claim(key="locked")], lease_id="proc_none", now=NOON)
        first = asyncio.ensure_future(process.gate.enter(Pass(make_claim(key="locked"))))  # it waits for the lock
        await asyncio.sleep(0)
        await asyncio.to_thread(until_none_waits, process)
        waiting = [
            asyncio.ensure_future(process.gate.enter(Pass(make_claim(key=str(number))))) for number in range(WAITING)
        ]
        await asyncio.sleep(0)  # they have queued their claims
        waiting[-1].cancel()
        await asyncio.sleep(0)
    verdicts = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert Counter(map(type, verdicts[1:])) == {Granted: WAITING - 1, asyncio.CancelledError: 1}
    await granted(process, make_claim(key=str(WAITING - 1)))


async def test_no_call_that_leaves_is_forgotten_however_much_waits(
    process: ServingProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await granted(process, make_claim())
    with monkeypatch.context() as patch:
        patch.setattr("app.charging.group_commit._WAITING_MAX", 0)
        process.gate.leave(Pass(first))
    await granted(process, make_claim())


async def test_a_call_that_was_never_let_pass_does_not_leave(database: Database, clock: FrozenClock) -> None:
    async with serving(database, clock, patience_s=0) as process:
        entry = Pass(make_claim())
        process.database.away_times = 1
        with pytest.raises(DatabaseUnavailable):
            await process.gate.enter(entry)
        assert isinstance(await process.gate.enter(entry), Granted)  # no leave of the first try comes along
        with pytest.raises(StillRunning):
            await process.gate.enter(Pass(make_claim()))


async def test_a_group_of_which_a_part_has_passed_is_told_that_nobody_knows(
    database: Database, process: ServingProcess, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is taken over from the dead in a transaction of its own; the database goes away before that."""
    await granted(process, make_claim(key="of the dead"))
    await taken_for_dead(process)
    async with serving(database, clock, patience_s=0) as living:
        take_over = living.gate._take_over

        def away_first(*args: Any) -> Any:
            living.database.away_times = 1
            return take_over(*args)

        monkeypatch.setattr(living.gate, "_take_over", away_first)
        keys = ("free", "of the dead")
        told = await asyncio.gather(
            *(living.gate.enter(Pass(make_claim(key=key))) for key in keys), return_exceptions=True
        )
        assert list(map(type, told)) == [CommitUncertain, CommitUncertain]
        monkeypatch.undo()
        for key in keys:
            await granted(living, make_claim(key=key))


async def test_a_key_is_freed_though_the_database_was_away(process: ServingProcess) -> None:
    first = await granted(process, make_claim())
    process.database.away_times = 2
    process.gate.leave(Pass(first))
    await granted(process, make_claim())


async def test_a_claim_is_whole_or_not_there(database: Database, clock: FrozenClock) -> None:
    async with serving(database, clock, patience_s=0) as process:
        process.database.away_times = 1
        with pytest.raises(DatabaseUnavailable):
            await process.gate.enter(Pass(make_claim()))
    assert rows_of(database, ClaimRow) == 0
