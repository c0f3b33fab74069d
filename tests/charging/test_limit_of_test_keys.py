"""Test keys: 120 units a minute each; a refused call uses nothing and learns the limit and its reset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charging.limit_of_test_keys import TEST_UNITS_PER_MINUTE_MAX, LimitOfTestKeys, RateLimited


def test_a_test_key_gets_its_units_to_the_last_one_and_no_more() -> None:
    limit = LimitOfTestKeys()
    limit.take("key_1", TEST_UNITS_PER_MINUTE_MAX - 1)
    with pytest.raises(RateLimited):
        limit.take("key_1", 2)
    limit.take("key_1", 1)  # what was refused was not counted
    with pytest.raises(RateLimited):
        limit.take("key_1", 1)
    limit.take("key_2", TEST_UNITS_PER_MINUTE_MAX)  # each key has its own


def test_a_refusal_says_which_limit_its_size_and_when_it_ends() -> None:
    limit = LimitOfTestKeys()
    limit.take("key_1", TEST_UNITS_PER_MINUTE_MAX)
    with pytest.raises(RateLimited) as caught:
        limit.take("key_1", 1)
    error = caught.value
    assert error.retry_after_s is not None
    assert 1 <= error.retry_after_s <= 60
    assert error.facts == {
        "limit": "test_key_units_per_minute",
        "limit_size": TEST_UNITS_PER_MINUTE_MAX,
        "reset_s": error.retry_after_s,
    }


def test_a_call_beyond_the_limit_itself_is_refused_and_uses_nothing() -> None:
    limit = LimitOfTestKeys()
    for _ in range(3):
        with pytest.raises(RateLimited):
            limit.take("key_1", TEST_UNITS_PER_MINUTE_MAX + 1)
    limit.take("key_1", TEST_UNITS_PER_MINUTE_MAX)


@given(st.lists(st.integers(1, 130), max_size=30))
def test_what_is_let_through_within_a_minute_never_exceeds_the_limit(calls: list[int]) -> None:
    limit = LimitOfTestKeys()
    used = 0
    for units in calls:
        try:
            limit.take("key_1", units)
        except RateLimited:
            assert used + units > TEST_UNITS_PER_MINUTE_MAX
        else:
            used += units
    assert used <= TEST_UNITS_PER_MINUTE_MAX
