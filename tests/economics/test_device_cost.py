"""Known margin: what models bear and what stands idle is the wall-clock cost, to the nano."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from app.economics.device_cost import DeviceCost, ModelCost, deal, device_cost
from app.economics.device_time import DeviceTime
from app.economics.hardware import Device, Purchase, Rent

RENTS = st.builds(Rent, st.integers(0, 10**13))
PURCHASES = st.builds(
    Purchase, st.integers(1, 10**15), st.integers(1, 120), st.integers(0, 2000), st.integers(0, 10**9)
)
DEVICES = st.builds(Device, st.just("cpu"), st.just("USD"), st.just(Fraction(7, 20)), RENTS | PURCHASES)
COMPUTES = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 10**12), max_size=5)
TIMES = st.builds(DeviceTime, st.just("cpu"), st.integers(0, 31 * 86_400 * 10**6), COMPUTES)
HOURLY_3600 = Device("cpu", "USD", Fraction(1, 2), Rent(3_600_000_000))  # a nano a microsecond


@given(TIMES, DEVICES)
def test_cost_and_idle_of_all_models_are_the_wall_clock_cost_to_the_nano(time: DeviceTime, device: Device) -> None:
    cost = device_cost(time, device)
    assert cost.wall_nanos == round(Fraction(time.up_us, 3_600 * 10**6) * device.hourly_cost_nanos)
    assert [share.model for share in cost.shares] == list(time.compute_us)
    if time.compute_us:
        assert sum(share.cost_nanos + share.idle_nanos for share in cost.shares) == cost.wall_nanos
    assert all(share.cost_nanos >= 0 and share.idle_nanos >= 0 for share in cost.shares)


@given(TIMES, DEVICES)
def test_each_share_is_its_exact_part_within_a_nano(time: DeviceTime, device: Device) -> None:
    busy_us = sum(time.compute_us.values())
    nanos_per_us = device.hourly_cost_nanos / (3_600 * 10**6)
    for share in device_cost(time, device).shares:
        part = Fraction(time.compute_us[share.model], busy_us)
        idle = max(time.up_us - busy_us, 0) * nanos_per_us * part
        cost = min(busy_us, time.up_us) * nanos_per_us * part
        assert abs(share.cost_nanos - cost) <= 1
        assert abs(share.idle_nanos - idle) <= 1


def test_a_model_bears_its_compute_and_idle_time_is_shared_by_it() -> None:
    cost = device_cost(DeviceTime("cpu", 1_000, {"linear": 100, "vgg16": 300}), HOURLY_3600)
    assert cost == DeviceCost("cpu", "USD", 1_000, 1_000, (ModelCost("linear", 100, 150), ModelCost("vgg16", 300, 450)))


def test_utilization_is_a_matter_of_prices_and_not_of_cost() -> None:
    time = DeviceTime("cpu", 1_000, {"linear": 100})
    halved = Device("cpu", "USD", Fraction(1, 100), HOURLY_3600.cost)
    assert device_cost(time, halved) == device_cost(time, HOURLY_3600)


def test_more_compute_than_the_device_was_up_shares_the_wall_clock_cost() -> None:
    cost = device_cost(DeviceTime("cpu", 100, {"linear": 150, "vgg16": 50}), HOURLY_3600)
    assert cost.shares == (ModelCost("linear", 75, 0), ModelCost("vgg16", 25, 0))


def test_without_a_batch_nobody_bears_the_cost() -> None:
    assert device_cost(DeviceTime("cpu", 100, {}), HOURLY_3600) == DeviceCost("cpu", "USD", 100, 100, ())


@given(st.lists(st.fractions(min_value=0, max_value=10**9), min_size=1, max_size=8))
def test_dealing_keeps_the_sum_and_moves_no_share_by_a_whole(shares: list[Fraction]) -> None:
    total = round(sum(shares))
    dealt = deal(total, shares)
    assert sum(dealt) == total
    assert all(abs(whole - share) < 1 for whole, share in zip(dealt, shares, strict=True))


def test_the_largest_remainder_is_rounded_up_and_the_earlier_share_among_equals() -> None:
    third = Fraction(1, 3)
    assert deal(1, [third, third, third]) == [1, 0, 0]
    assert deal(2, [Fraction(3, 10), Fraction(9, 10), Fraction(8, 10)]) == [0, 1, 1]
