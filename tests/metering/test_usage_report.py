"""Reports: no zone and no clock change makes usage appear, vanish or move to another day."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.metering.usage_event import BUCKET
from app.metering.usage_report import Bucket, bucket_of, range_of
from app.period import Period


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


UTC_ZONE, BERLIN, LOS_ANGELES = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/Los_Angeles")
KATHMANDU, LORD_HOWE = ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")  # +05:45; a clock change of 30 min
SANTIAGO = ZoneInfo("America/Santiago")  # its clocks change at midnight: one midnight is missing, one day ends twice
ZONES = st.sampled_from([UTC_ZONE, BERLIN, LOS_ANGELES, KATHMANDU, LORD_HOWE, SANTIAGO, ZoneInfo("Asia/Shanghai")])
CLOCK_CHANGES = st.sampled_from(["2026-03-29T01:00", "2026-04-04T15:00", "2026-10-03T15:30", "2026-09-06T04:00"])
START = datetime(2026, 1, 1, tzinfo=UTC)
QUARTERS = st.integers(0, 366 * 96).map(lambda quarters: START + quarters * BUCKET) | st.builds(
    lambda change, quarters: utc(change) + quarters * BUCKET, CLOCK_CHANGES, st.integers(-8, 8)
)
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


@given(QUARTERS, st.sampled_from(Bucket), ZONES)
def test_a_bucket_begins_at_a_local_boundary_at_or_before_its_instant(
    instant: datetime, bucket: Bucket, zone: ZoneInfo
) -> None:
    start = bucket_of(instant, bucket, zone)
    assert start <= instant
    assert start.tzinfo is UTC
    assert bucket_of(start, bucket, zone) == start
    local = start.astimezone(zone)
    if bucket is not Bucket.HOUR:
        assert local.date() == (
            instant.astimezone(zone).date() if bucket is Bucket.DAY else local.replace(day=1).date()
        )


@given(QUARTERS, st.sampled_from(Bucket), ZONES)
def test_buckets_follow_one_another_without_overlap(instant: datetime, bucket: Bucket, zone: ZoneInfo) -> None:
    assert bucket_of(instant + BUCKET, bucket, zone) in {bucket_of(instant, bucket, zone), instant + BUCKET}


@given(st.lists(QUARTERS, max_size=20), st.sampled_from(Bucket), ZONES)
def test_instants_in_order_are_in_buckets_in_order(instants: list[datetime], bucket: Bucket, zone: ZoneInfo) -> None:
    buckets = [bucket_of(instant, bucket, zone) for instant in sorted(instants)]
    assert buckets == sorted(buckets)


@pytest.mark.parametrize(
    ("instant", "bucket", "zone", "start"),
    [
        ("2026-10-25T00:30", Bucket.HOUR, BERLIN, "2026-10-25T00:00"),  # 02:30 the first time
        ("2026-10-25T01:30", Bucket.HOUR, BERLIN, "2026-10-25T01:00"),  # 02:30 again: another hour
        ("2026-10-25T22:59", Bucket.DAY, BERLIN, "2026-10-24T22:00"),  # a day of 25 hours
        ("2026-10-25T23:00", Bucket.DAY, BERLIN, "2026-10-25T23:00"),
        ("2026-03-29T21:59", Bucket.DAY, BERLIN, "2026-03-28T23:00"),  # a day of 23 hours
        ("2026-03-29T22:00", Bucket.DAY, BERLIN, "2026-03-29T22:00"),
        ("2026-03-31T22:00", Bucket.MONTH, BERLIN, "2026-03-31T22:00"),  # the first of April, in summer time
        ("2026-03-31T21:45", Bucket.MONTH, BERLIN, "2026-02-28T23:00"),  # March, which began in winter time
        ("2026-03-15T18:15", Bucket.DAY, KATHMANDU, "2026-03-15T18:15"),
        ("2026-03-15T18:00", Bucket.DAY, KATHMANDU, "2026-03-14T18:15"),
        ("2026-03-15T18:30", Bucket.HOUR, KATHMANDU, "2026-03-15T18:15"),
        ("2026-04-04T14:45", Bucket.HOUR, LORD_HOWE, "2026-04-04T14:00"),  # 01:45 the first time
        ("2026-04-04T15:15", Bucket.HOUR, LORD_HOWE, "2026-04-04T15:00"),  # 01:45 again, after half an hour back
        ("2026-09-06T03:45", Bucket.DAY, SANTIAGO, "2026-09-05T04:00"),
        ("2026-09-06T04:00", Bucket.DAY, SANTIAGO, "2026-09-06T04:00"),  # begins at 01:00
        ("2026-04-05T03:30", Bucket.DAY, SANTIAGO, "2026-04-04T03:00"),  # 23:30 again: still Saturday
    ],
)
def test_buckets_at_the_seams_of_time(instant: str, bucket: Bucket, zone: ZoneInfo, start: str) -> None:
    assert bucket_of(utc(instant), bucket, zone) == utc(start)


def test_without_bounds_the_range_is_the_local_month() -> None:
    assert range_of(None, None, LOS_ANGELES, NOW) == Period(utc("2026-03-01T08:00"), utc("2026-04-01T07:00"))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03", "2026-02-28T23:00"),
        ("2026-03-10", "2026-03-09T23:00"),
        ("2026-03-10T08:00", "2026-03-10T07:00"),
        ("2026-03-10T08:00:00Z", "2026-03-10T08:00"),
        ("2026-03-10T08:00:00.000001+05:45", "2026-03-10T02:15:00.000001"),
    ],
)
def test_a_bound_is_a_month_a_date_or_an_instant(text: str, instant: str) -> None:
    assert range_of(text, "2026-05", BERLIN, NOW).start == utc(instant)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-13",
        "2026-02-30",
        "0000-01",
        "2026-3",
        "2026-03-10T25:00",
        "0001-01-01",
        "9999-12-31T23:59",
        "\x00",
    ],
)
@pytest.mark.parametrize("side", ["from", "to"])
def test_a_bound_that_is_no_time_is_refused_by_name(text: str, side: str) -> None:
    zone = ZoneInfo("Asia/Shanghai" if text.startswith("0") else "America/Los_Angeles")  # beyond the ends of time there
    with pytest.raises(Invalid) as caught:
        range_of(*((text, "2026-05") if side == "from" else ("2026-03", text)), zone, NOW)
    assert caught.value.where == side


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-10", "2026-03-10"),
        ("2026-03-11", "2026-03-10"),
        ("2026-01-01", "2029-01-01"),
        ("0001-01-01", "9999-12-31"),
        ("2026-05", None),  # the default end has passed by then
        ("9999-12-01", "9999-12-31"),
        ("0001-01-01", "0004-01-01"),
    ],
)
def test_an_empty_a_reversed_and_an_overlong_range_are_refused(start: str, end: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        range_of(start, end, UTC_ZONE, NOW)
    assert caught.value.where == "to"


@given(st.text(), st.text(), ZONES)
def test_no_text_makes_a_range_break(start: str, end: str, zone: ZoneInfo) -> None:
    try:
        period = range_of(start, end, zone, NOW)
    except Invalid:
        return
    assert period.start < period.end
