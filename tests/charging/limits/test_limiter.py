"""The limiter: all limits of a call or none, exact at their edge, and nothing is left behind by whoever was refused."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts import rate_limit_store
from app.accounts.rate_limits import RateLimits, model_subject
from app.charging.limits.limiter import Limiter
from app.charging.limits.local_counters import LocalCounters
from app.charging.limits.model_limits import ModelLimits
from app.charging.limits.permit import NO_LIMITS
from app.charging.limits.refusal import CallTooLarge, ConcurrencyLimited, RateLimited
from app.charging.limits.rule import TEST_UNITS_PER_MINUTE_MAX, rules_of
from app.clock import FrozenClock
from app.database import Database
from tests.charging.limits.callers import caller, limiter_of


@pytest.fixture
def limiter(sqlite_url: str, clock: FrozenClock) -> Iterator[Limiter]:
    """A limiter that counts in this process; what it reads are the limits of models, and none are set."""
    database = Database(sqlite_url)
    yield limiter_of(database, clock)
    database.dispose()


async def test_a_call_without_limits_gets_the_permit_of_all_such_calls(limiter: Limiter) -> None:
    permit = await limiter.take(caller(), "linear", 5)
    assert permit is NO_LIMITS
    assert permit.states == ()
    permit.give_back()
    permit.end()


async def test_requests_are_admitted_to_the_last_one_of_the_minute_and_anew_in_the_next(
    limiter: Limiter, clock: FrozenClock
) -> None:
    who = caller(requests_per_minute=3)
    for left in (2, 1, 0):
        (state,) = (await limiter.take(who, "linear", 50)).states
        assert (state.name, state.limit, state.remaining) == ("key_requests_per_minute", 3, left)
    with pytest.raises(RateLimited):
        await limiter.take(who, "linear", 1)
    clock.advance(timedelta(seconds=60))
    await limiter.take(who, "linear", 1)


async def test_a_refusal_names_the_limit_its_size_and_its_reset(limiter: Limiter, clock: FrozenClock) -> None:
    clock.advance(timedelta(seconds=17.5))
    who = caller(units_per_minute=10)
    await limiter.take(who, "linear", 8)
    with pytest.raises(RateLimited) as refused:
        await limiter.take(who, "linear", 3)
    error = refused.value
    assert error.facts == {"limit": "key_units_per_minute", "limit_size": 10, "reset_s": 43}
    assert error.retry_after_s == 43
    (state,) = error.states
    assert (state.remaining, state.reset_s, state.window_s) == (2, 43, 60)
    await limiter.take(who, "linear", 2)  # what was refused was not counted


async def test_what_one_limit_refuses_the_others_do_not_count(limiter: Limiter) -> None:
    who = caller(requests_per_minute=3, concurrency_max=5, account_limits=RateLimits(units_per_minute=10))
    await limiter.take(who, "linear", 1)
    for _ in range(3):
        with pytest.raises(RateLimited):
            await limiter.take(who, "linear", 10)
    second = await limiter.take(who, "linear", 4)
    assert [(s.name, s.remaining) for s in second.states] == [
        ("key_requests_per_minute", 1),
        ("account_units_per_minute", 5),
        ("key_concurrency_max", 3),
    ]


async def test_a_call_beyond_a_whole_minute_is_refused_for_good_and_counts_nowhere(limiter: Limiter) -> None:
    who = caller(requests_per_minute=1, account_limits=RateLimits(units_per_minute=10))
    with pytest.raises(CallTooLarge) as refused:
        await limiter.take(who, "linear", 11)
    error = refused.value
    assert error.facts == {"limit": "account_units_per_minute", "limit_size": 10, "asked": 11}
    assert error.retry_after_s is None
    assert "at most 10 inputs" in str(error)
    await limiter.take(who, "linear", 10)
    with pytest.raises(CallTooLarge):  # also while another limit would refuse it for now
        await limiter.take(who, "linear", 11)


async def test_test_calls_take_nothing_from_the_live_ones_of_their_account(limiter: Limiter) -> None:
    together = RateLimits(requests_per_minute=2, units_per_minute=50, concurrency_max=2)
    live, trial, other_trial = (
        caller("key_1", account_limits=together),
        caller("key_2", live=False, account_limits=together),
        caller("key_3", live=False, account_limits=together),
    )
    await limiter.take(trial, "linear", 25)
    await limiter.take(other_trial, "linear", 25)
    with pytest.raises(RateLimited) as refused:  # together they have what the account has, in a count of their own
        await limiter.take(trial, "linear", 1)
    assert refused.value.facts["limit"] == "account_requests_per_minute"
    for _ in range(2):
        await limiter.take(live, "linear", 25)
    with pytest.raises(RateLimited):
        await limiter.take(live, "linear", 1)


async def test_keys_of_an_account_share_the_limits_of_the_account_alone(limiter: Limiter) -> None:
    together = RateLimits(requests_per_minute=3)
    first = caller("key_1", requests_per_minute=2, account_limits=together)
    second = caller("key_2", account_limits=together)
    await limiter.take(first, "linear", 1)
    await limiter.take(first, "linear", 1)
    await limiter.take(second, "linear", 1)
    with pytest.raises(RateLimited) as refused:
        await limiter.take(second, "linear", 1)
    assert refused.value.facts["limit"] == "account_requests_per_minute"
    await limiter.take(caller("key_3", account="acct_2", account_limits=together), "linear", 1)


async def test_a_model_has_limits_for_all_who_call_it(database: Database, clock: FrozenClock) -> None:
    with database.transaction() as session:
        rate_limit_store.set_limits(session, model_subject("vgg16"), RateLimits(concurrency_max=1))
    limiter = limiter_of(database, clock)
    permit = await limiter.take(caller(), "vgg16", 1)
    with pytest.raises(ConcurrencyLimited) as refused:
        await limiter.take(caller("key_2", account="acct_2"), "vgg16", 1)
    assert refused.value.facts == {"limit": "model_concurrency_max", "limit_size": 1, "reset_s": 1}
    assert await limiter.take(caller(), "linear", 1) is NO_LIMITS
    permit.end()
    await limiter.take(caller("key_2", account="acct_2"), "vgg16", 1)


async def test_limits_of_models_are_read_anew_once_they_are_forgotten(database: Database, clock: FrozenClock) -> None:
    models = ModelLimits(database)
    limiter = Limiter(models, LocalCounters(), clock)
    assert await limiter.take(caller(), "vgg16", 1) is NO_LIMITS
    with database.transaction() as session:
        rate_limit_store.set_limits(session, model_subject("vgg16"), RateLimits(units_per_minute=1))
    models.forget()
    assert len((await limiter.take(caller(), "vgg16", 1)).states) == 1


async def test_a_slot_is_freed_once_however_often_the_call_ends(limiter: Limiter) -> None:
    who = caller(concurrency_max=2)
    first, _second = await limiter.take(who, "linear", 1), await limiter.take(who, "linear", 1)
    with pytest.raises(ConcurrencyLimited):
        await limiter.take(who, "linear", 1)
    first.end()
    first.end()
    await limiter.take(who, "linear", 1)
    with pytest.raises(ConcurrencyLimited):
        await limiter.take(who, "linear", 1)


async def test_rates_are_given_back_once_and_only_to_their_minute(limiter: Limiter, clock: FrozenClock) -> None:
    who = caller(units_per_minute=10)
    early = await limiter.take(who, "linear", 6)
    early.give_back()
    early.give_back()
    late = await limiter.take(who, "linear", 10)
    clock.advance(timedelta(seconds=60))
    await limiter.take(who, "linear", 4)
    late.give_back()  # of the minute before
    with pytest.raises(RateLimited):
        await limiter.take(who, "linear", 7)


async def test_a_successor_of_a_key_goes_on_where_that_was(limiter: Limiter) -> None:
    who = caller("key_1", requests_per_minute=1)
    await limiter.take(who, "linear", 1)
    successor = caller("key_2", requests_per_minute=1)
    object.__setattr__(successor, "first_key_id", "key_1")
    with pytest.raises(RateLimited):
        await limiter.take(successor, "linear", 1)


async def test_a_test_key_has_a_limit_of_its_own_beside_those_that_are_set(limiter: Limiter) -> None:
    who = caller(live=False, units_per_minute=1000)
    await limiter.take(who, "linear", TEST_UNITS_PER_MINUTE_MAX)
    with pytest.raises(RateLimited) as refused:
        await limiter.take(who, "linear", 1)
    assert refused.value.facts["limit"] == "test_key_units_per_minute"
    assert refused.value.facts["limit_size"] == 120


async def test_with_limits_off_nobody_is_limited(sqlite_url: str, clock: FrozenClock) -> None:
    limiter = Limiter(ModelLimits(Database(sqlite_url)), None, clock)
    assert await limiter.take(caller(live=False, requests_per_minute=1), "linear", 5000) is NO_LIMITS


async def test_calls_that_come_at_once_get_exactly_the_limit(limiter: Limiter) -> None:
    who = caller(requests_per_minute=40, concurrency_max=25)
    answers = await asyncio.gather(*(limiter.take(who, "linear", 1) for _ in range(100)), return_exceptions=True)
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 25


@given(st.lists(st.integers(1, 130), max_size=30))
def test_what_is_admitted_in_a_minute_fills_the_limit_and_never_exceeds_it(calls: list[int]) -> None:
    counters, rules_for = LocalCounters(), caller(live=False)
    used = 0
    for units in calls:
        taken = counters.count(rules_of(rules_for, "linear", RateLimits(), units), minute=7)
        if taken.refused is None:
            used += units
        else:
            assert used + units > TEST_UNITS_PER_MINUTE_MAX
    assert used <= TEST_UNITS_PER_MINUTE_MAX
