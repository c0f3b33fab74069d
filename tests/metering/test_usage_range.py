"""Ranges by name: local days and months in every zone, whole through every change of clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.metering.meter import Meter, Quantities
from app.metering.usage_event import BUCKET, bucket_start
from app.metering.usage_range import (
    Metric,
    Preset,
    RangeCutsQuarterHour,
    UsageRange,
    bucket_starts,
    chosen_range,
    fitting_bucket,
    preset_range,
    stretches_of,
)
from app.metering.usage_report import Bucket, NoInstant, NoRange, UsageRow, bucket_of
from app.period import Period
from tests.metering.test_usage_report import QUARTERS, ZONES, utc

NOW = utc("2026-03-15T12:00")
LOS_ANGELES, SHANGHAI, KATHMANDU = (
    ZoneInfo(name) for name in ("America/Los_Angeles", "Asia/Shanghai", "Asia/Kathmandu")
)


@pytest.mark.parametrize(
    ("preset", "zone", "start", "end", "bucket"),
    [
        (Preset.TODAY, SHANGHAI, "2026-03-14T16:00", "2026-03-15T16:00", Bucket.HOUR),
        (Preset.YESTERDAY, KATHMANDU, "2026-03-13T18:15", "2026-03-14T18:15", Bucket.HOUR),
        # Los Angeles put its clocks forward on the 8th: seven days end eight hours before UTC, and begin seven.
        (Preset.LAST_7_DAYS, LOS_ANGELES, "2026-03-09T07:00", "2026-03-16T07:00", Bucket.DAY),
        (Preset.LAST_30_DAYS, LOS_ANGELES, "2026-02-14T08:00", "2026-03-16T07:00", Bucket.DAY),
        (Preset.THIS_MONTH, LOS_ANGELES, "2026-03-01T08:00", "2026-04-01T07:00", Bucket.DAY),
        (Preset.LAST_MONTH, KATHMANDU, "2026-01-31T18:15", "2026-02-28T18:15", Bucket.DAY),
        (Preset.LAST_12_MONTHS, SHANGHAI, "2025-03-31T16:00", "2026-03-31T16:00", Bucket.MONTH),
    ],
)
def test_a_preset_is_local_days_or_months_with_rows_that_suit_them(
    preset: Preset, zone: ZoneInfo, start: str, end: str, bucket: Bucket
) -> None:
    assert preset_range(preset, zone, NOW) == UsageRange(Period(utc(start), utc(end)), bucket, preset)


@pytest.mark.parametrize("now", ["2026-03-08T12:00", "2026-11-01T12:00"])
def test_a_day_of_23_or_25_hours_and_its_neighbour_are_shown_by_the_hour(now: str) -> None:
    today = preset_range(Preset.TODAY, LOS_ANGELES, utc(now))
    assert today.period.end - today.period.start in {timedelta(hours=23), timedelta(hours=25)}
    yesterday = preset_range(Preset.YESTERDAY, LOS_ANGELES, utc(now)).period
    assert yesterday.end == today.period.start
    assert fitting_bucket(Period(yesterday.start, today.period.end), LOS_ANGELES) is Bucket.HOUR


@given(QUARTERS, st.integers(0, 899), ZONES)
def test_every_preset_is_whole_quarter_hours_and_those_up_to_now_hold_now(
    quarter: datetime, seconds: int, zone: ZoneInfo
) -> None:
    now = quarter + timedelta(seconds=seconds)
    ranges = {preset: preset_range(preset, zone, now) for preset in Preset}
    past = {Preset.YESTERDAY, Preset.LAST_MONTH}
    for preset, each in ranges.items():
        assert {bucket_start(instant) for instant in (each.period.start, each.period.end)} == {
            each.period.start,
            each.period.end,
        }
        assert (now in each.period) == (preset not in past)
    assert ranges[Preset.YESTERDAY].period.end == ranges[Preset.TODAY].period.start
    assert ranges[Preset.LAST_MONTH].period.end == ranges[Preset.THIS_MONTH].period.start


@given(QUARTERS, st.integers(1, 800), st.sampled_from(Bucket), ZONES)
def test_the_starts_of_rows_are_those_of_every_quarter_hour_in_order(
    start: datetime, quarters: int, bucket: Bucket, zone: ZoneInfo
) -> None:
    period = Period(start, start + quarters * BUCKET)
    starts = bucket_starts(period, bucket, zone)
    assert starts == sorted({bucket_of(start + number * BUCKET, bucket, zone) for number in range(quarters)})


@given(QUARTERS, st.integers(1, 800), st.sampled_from(Bucket), ZONES)
def test_stretches_follow_one_another_through_the_whole_period_and_each_is_of_one_row(
    start: datetime, quarters: int, bucket: Bucket, zone: ZoneInfo
) -> None:
    period = Period(start, start + quarters * BUCKET)
    stretches = stretches_of(period, bucket, zone)
    assert [stretches[0].part.start, *(each.part.end for each in stretches)] == [
        *(each.part.start for each in stretches),
        period.end,
    ]
    for each in stretches:
        assert {bucket_of(each.part.start, bucket, zone), bucket_of(each.part.end - BUCKET, bucket, zone)} == {
            each.start
        }


@pytest.mark.parametrize(
    ("start", "end", "bucket"),
    [
        ("2026-03-07", "2026-03-09", Bucket.HOUR),  # 47 hours in Los Angeles
        ("2026-03-07", "2026-03-09T00:15", Bucket.DAY),
        ("2026-01-01", "2026-04-03", Bucket.DAY),  # 92 days
        ("2026-01-01", "2026-04-04", Bucket.MONTH),
    ],
)
def test_a_chosen_range_gets_the_rows_that_suit_it(start: str, end: str, bucket: Bucket) -> None:
    chosen = chosen_range(start, end, LOS_ANGELES, NOW)
    assert (chosen.bucket, chosen.preset) == (bucket, None)
    assert chosen.period.start == datetime.fromisoformat(start).replace(tzinfo=LOS_ANGELES).astimezone(UTC)


def test_without_bounds_the_chosen_range_is_this_month() -> None:
    assert chosen_range(None, None, LOS_ANGELES, NOW).period == preset_range(Preset.THIS_MONTH, LOS_ANGELES, NOW).period


@pytest.mark.parametrize(
    ("start", "end", "where"), [("2026-03-01T00:07", "2026-03-02", "from"), ("2026-03-01", "2026-03-01T00:20", "to")]
)
def test_a_range_that_cuts_a_quarter_hour_is_refused(start: str, end: str, where: str) -> None:
    with pytest.raises(RangeCutsQuarterHour) as caught:
        chosen_range(start, end, KATHMANDU, NOW)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("start", "end", "error"),
    [("2026-03-02", "2026-03-01", NoRange), ("2020-01-01", None, NoRange), ("soon", None, NoInstant)],
)
def test_a_range_that_is_none_is_refused(start: str, end: str | None, error: type[Invalid]) -> None:
    with pytest.raises(error):
        chosen_range(start, end, KATHMANDU, NOW)


def test_a_metric_is_a_meter_or_the_failed_calls() -> None:
    row = UsageRow(NOW, "", Quantities(requests=1, units=2, compute_ms=3, results=4), failed=5)
    assert {metric: metric.of(row) for metric in Metric} == {
        "requests": 1,
        "units": 2,
        "compute_ms": 3,
        "results": 4,
        "failed": 5,
    }
    assert {metric.value for metric in Metric} == {meter.value for meter in Meter} | {"failed"}
