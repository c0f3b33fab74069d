"""Wall-clock time of devices: what overlaps counts once, and only inside of the period."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.economics.device_time import DeviceCompute, DeviceTime, device_times
from app.metering.usage_event import DeviceInterval
from app.period import Period
from tests.builders import NOON

MICROSECOND = timedelta(microseconds=1)
PERIOD = Period(NOON, NOON + 100 * MICROSECOND)
SPANS = st.lists(st.tuples(st.integers(-30, 130), st.integers(0, 60)), max_size=8)


def interval(start_us: int, lasting_us: int, *, device: str = "cpu") -> DeviceInterval:
    start = NOON + start_us * MICROSECOND
    return DeviceInterval(f"dev_{start_us}", device, start, start + lasting_us * MICROSECOND)


@given(SPANS)
def test_a_microsecond_counts_once_however_many_processes_hold_the_device(spans: list[tuple[int, int]]) -> None:
    covered = {us for start, lasting in spans for us in range(start, start + lasting) if 0 <= us < 100}
    times = device_times([interval(*span) for span in spans], [], PERIOD)
    assert times == ([DeviceTime("cpu", len(covered), {})] if covered else [])


def test_each_device_has_its_own_time_and_what_it_computed_for_each_model() -> None:
    intervals = [interval(0, 10), interval(90, 50), interval(5, 5, device="cuda:0")]
    computes = [
        DeviceCompute("cpu", "linear", 3),
        DeviceCompute("cpu", "vgg16", 4),
        DeviceCompute("cuda:0", "vgg16", 0),
    ]
    assert device_times(intervals, computes, PERIOD) == [
        DeviceTime("cpu", 20, {"linear": 3, "vgg16": 4}),
        DeviceTime("cuda:0", 5, {}),
    ]


def test_a_device_that_computed_and_was_never_noted_as_up_is_still_told() -> None:
    assert device_times([], [DeviceCompute("cpu", "linear", 3)], PERIOD) == [DeviceTime("cpu", 0, {"linear": 3})]
