"""Limits that several processes share in a real Redis: exact while it answers, by shares while it does not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from app.accounts.rate_limits import RateLimits
from app.charging.limits.redis_counters import RedisCounters
from app.charging.limits.rule import Rules, rules_of
from app.charging.limits.taken import Taken
from app.charging.metrics import limits_without_redis
from app.errors import Invalid
from tests.charging.limits.callers import caller
from tests.redis_server import RedisServer

Process = Callable[[], RedisCounters]
MINUTE = 7
SLOTS = "faremeter:slots:key_1/calls"


def rules(units: int = 1, *, account: RateLimits | None = None, key: str = "key_1", **limits: Any) -> Rules:
    who = caller(key, account_limits=account or RateLimits(), **limits)
    return rules_of(who, "linear", RateLimits(), units)


async def admitted(counters: list[RedisCounters], rules: Rules, calls: int) -> list[Taken]:
    """Make so many calls at once, by turns in each process; return what was taken."""
    taken = await asyncio.gather(*(counters[i % len(counters)].take(rules, MINUTE) for i in range(calls)))
    return [each for each in taken if each.refused is None]


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it is so."""
    while not await reached():  # noqa: ASYNC110 - a real Redis tells nobody
        await asyncio.sleep(0.01)


async def test_processes_admit_the_limit_together_and_not_one_call_more(process: Process) -> None:
    together = [process(), process(), process()]
    assert len(await admitted(together, rules(requests_per_minute=50), calls=200)) == 50
    other_minute = await together[0].take(rules(requests_per_minute=50), MINUTE + 1)
    assert other_minute.counts == (1,)


async def test_what_is_left_of_units_goes_to_whoever_needs_no_more(process: Process) -> None:
    one, two = process(), process()
    assert (await one.take(rules(90, units_per_minute=100), MINUTE)).refused is None
    for _ in range(20):
        assert (await two.take(rules(11, units_per_minute=100), MINUTE)).refused == 0
    last = await two.take(rules(10, units_per_minute=100), MINUTE)
    assert (last.refused, last.counts) == (None, (100,))


async def test_what_one_limit_refuses_no_other_counts(process: Process) -> None:
    one, two = process(), process()
    account = RateLimits(requests_per_minute=10)
    assert len(await admitted([one], rules(account=account, requests_per_minute=4), calls=30)) == 4
    others = await admitted([one, two], rules(account=account, key="key_2"), calls=30)
    assert len(others) == 6


async def test_rates_are_given_back_to_all_processes(process: Process) -> None:
    one, two = process(), process()
    taken = await one.take(rules(10, units_per_minute=10), MINUTE)
    assert (await two.take(rules(1, units_per_minute=10), MINUTE)).refused == 0
    one.give_back(taken)

    async def is_free() -> bool:
        return (await two.take(rules(10, units_per_minute=10), MINUTE)).refused is None

    await until(is_free)


async def test_what_is_given_back_after_its_minute_counts_in_no_other(process: Process, redis: RedisServer) -> None:
    one, two = process(), process()
    taken = await one.take(rules(10, units_per_minute=10), MINUTE)
    async with Redis.from_url(redis.url) as client:
        await client.flushall()  # as if Redis had forgotten the minute
        one.give_back(taken)
        await one.stop()
        assert await client.keys("*") == []
    assert (await two.take(rules(11, units_per_minute=10), MINUTE)).refused == 0


async def test_no_more_calls_run_at_once_than_may_in_all_processes(process: Process, redis: RedisServer) -> None:
    together = [process(), process()]
    running = await admitted(together, rules(concurrency_max=5), calls=40)
    assert len(running) == 5
    assert await admitted(together, rules(concurrency_max=5), calls=10) == []
    for each in running:  # whichever process ends them: a token is its own
        together[0].end(each)
        together[0].end(each)
    async with Redis.from_url(redis.url) as client:
        await until(lambda: _is_empty(client))
    assert len(await admitted([together[1]], rules(concurrency_max=5), calls=40)) == 5


async def test_slots_of_a_dead_process_are_free_once_their_leases_end(process: Process, redis: RedisServer) -> None:
    dead, living = process(), process()
    assert len(await admitted([dead], rules(concurrency_max=2), calls=2)) == 2
    async with Redis.from_url(redis.url) as client:
        seconds, _ = await client.time()
        slots = await client.zrange(SLOTS, 0, -1, withscores=True)
        assert all(30_000 < ends_ms - seconds * 1000 <= 61_000 for _, ends_ms in slots)  # the deadline and a margin
        assert await admitted([living], rules(concurrency_max=2), calls=2) == []
        for token, _ in slots:
            await client.zadd(SLOTS, {token: seconds * 1000 - 1})
    assert len(await admitted([living], rules(concurrency_max=2), calls=5)) == 2


async def test_without_redis_each_process_keeps_to_its_share_and_says_so_once(
    process: Process, redis: RedisServer
) -> None:
    one, two = process(), process()
    await admitted([one, two], rules(requests_per_minute=20), calls=8)
    redis.kill()
    with capture_logs() as logs:
        more = await admitted([one], rules(requests_per_minute=20), calls=40)
        assert len(more) == 6  # half of the limit, less what this process has admitted before
        assert len(await admitted([one], rules(key="key_2", requests_per_minute=1), calls=9)) == 1  # at least one
        assert len(await admitted([one], rules(key="key_3", concurrency_max=6), calls=9)) == 3
    assert [line["log_level"] for line in logs] == ["warning"]
    assert limits_without_redis._value.get() == 1


async def test_redis_is_shared_again_as_soon_as_it_is_back(process: Process, redis: RedisServer) -> None:
    one, two = process(), process()
    redis.kill()
    assert not (await one.take(rules(requests_per_minute=50), MINUTE)).shared
    redis.start()

    async def is_shared() -> bool:
        return (await one.take(rules(requests_per_minute=10**6), MINUTE + 1)).shared

    await until(is_shared)
    assert limits_without_redis._value.get() == 0
    assert len(await admitted([one, two], rules(key="key_2", requests_per_minute=50), calls=200)) == 50


async def test_a_redis_that_hangs_holds_nobody_up_and_leaks_no_slot(process: Process, redis: RedisServer) -> None:
    one = process()
    one._asking._wait_s = 0.1
    await admitted([one], rules(key="key_2", requests_per_minute=5), calls=1)  # connected
    redis.freeze()
    try:
        taken = await one.take(rules(concurrency_max=4), MINUTE)  # returns although Redis does not answer
        assert (taken.refused, taken.shared) == (None, False)
    finally:
        redis.thaw()
    one.end(taken)
    async with Redis.from_url(redis.url) as client:
        await until(lambda: _is_empty(client))
    assert not one._local._slots


async def test_a_caller_who_leaves_while_redis_is_asked_takes_nothing(process: Process, redis: RedisServer) -> None:
    one = process()
    await admitted([one], rules(key="key_2", requests_per_minute=5), calls=1)
    redis.freeze()
    try:
        call = asyncio.create_task(one.take(rules(concurrency_max=1), MINUTE))
        await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    finally:
        redis.thaw()
    assert not one._local._slots
    async with Redis.from_url(redis.url) as client:
        await until(lambda: _is_empty(client))


async def test_a_caller_who_leaves_when_the_answer_is_there_already_takes_nothing(
    process: Process, redis: RedisServer
) -> None:
    one = process()
    wanted = rules(5, units_per_minute=5, concurrency_max=1)
    call = asyncio.create_task(one.take(wanted, MINUTE))
    deliver = one._asking._deliver

    def and_leave(batch: Any, replies: Any) -> None:
        deliver(batch, replies)
        call.cancel()  # between the answer and the step in which the caller would read it

    one._asking._deliver = and_leave  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await call
    one._asking._deliver = deliver  # type: ignore[method-assign]
    assert not one._local._slots

    async def is_free() -> bool:
        return (await one.take(wanted, MINUTE)).refused is None

    await until(is_free)


async def test_a_caller_who_leaves_a_redis_that_never_answers_frees_its_slot_there(
    process: Process, redis: RedisServer
) -> None:
    one = process()
    one._asking._wait_s = 0.3
    await admitted([one], rules(key="key_2", requests_per_minute=5), calls=1)
    redis.freeze()
    try:
        call = asyncio.create_task(one.take(rules(concurrency_max=1), MINUTE))
        await asyncio.sleep(0.05)  # it is on its way
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.sleep(0.5)  # and nobody waits for its answer any more
    finally:
        redis.thaw()
    async with Redis.from_url(redis.url) as client:
        await until(lambda: _is_empty(client))


def test_what_is_no_address_of_a_redis_is_refused_at_once() -> None:
    with pytest.raises(Invalid, match="FAREMETER_REDIS_URL"):
        RedisCounters("localhost:6379", processes=1, deadline_s=30, wait_s=0.1)


async def _is_empty(client: Redis) -> bool:
    return int(await client.zcard(SLOTS)) == 0
