"""The shares of a batch's time."""

from hypothesis import given
from hypothesis import strategies as st

from app.inference.prediction import compute_shares


@given(st.integers(0, 10**9), st.lists(st.integers(1, 1000), min_size=1, max_size=64))
def test_shares_sum_to_the_batch_and_are_fair_to_a_microsecond(compute_us: int, items: list[int]) -> None:
    shares = compute_shares(compute_us, items)
    assert sum(shares) == compute_us
    assert all(
        abs(share * sum(items) - compute_us * count) < sum(items) for share, count in zip(shares, items, strict=True)
    )


def test_the_largest_fraction_gets_what_is_left() -> None:
    assert compute_shares(10, [1, 1, 1]) == [4, 3, 3]
    assert compute_shares(10, [1, 2, 3]) == [2, 3, 5]
