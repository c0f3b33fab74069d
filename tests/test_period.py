"""Periods tile: no instant is in two periods of an account or in none, for every anchor, zone and leap year."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid, InvariantViolation
from app.metering.usage_event import bucket_start
from app.period import (
    Month,
    Period,
    midnight,
    month_of,
    parse_zone,
    period_at,
    period_starting_in,
)

# Half and quarter hours, clock changes at midnight (Havana, Beirut, Santiago), a day left out (Apia 2011-12-30).
ZONE_NAMES = (
    "UTC",
    "Asia/Kathmandu",
    "America/Los_Angeles",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "America/Havana",
    "Asia/Beirut",
    "America/Santiago",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Casablanca",
)
ZONES = st.sampled_from([ZoneInfo(name) for name in ZONE_NAMES])
ANCHOR_DAYS = st.integers(1, 31)
MONTHS = st.builds(Month, st.integers(1996, 2040), st.integers(1, 12))
SECONDS = st.integers(0, 44 * 365 * 86_400)
INSTANTS = SECONDS.map(lambda seconds: datetime(1996, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def periods_of(first: Month, months: int, anchor_day: int, zone: ZoneInfo) -> list[Period]:
    return [period_starting_in(first.plus(offset), anchor_day, zone) for offset in range(months)]


@given(ZONES, ANCHOR_DAYS, MONTHS)
def test_periods_tile_over_fifty_months(zone: ZoneInfo, anchor_day: int, first: Month) -> None:
    periods = periods_of(first, 50, anchor_day, zone)
    for before, after in pairwise(periods):
        assert before.end == after.start


@given(ZONES, ANCHOR_DAYS, INSTANTS)
def test_an_instant_is_in_the_one_period_that_is_found_for_it(
    zone: ZoneInfo, anchor_day: int, instant: datetime
) -> None:
    found = period_at(instant, anchor_day, zone)
    around = month_of(instant, zone)
    holding = [p for p in periods_of(around.plus(-2), 5, anchor_day, zone) if instant in p]
    assert holding == [found]


@given(ZONES, ANCHOR_DAYS, MONTHS)
def test_a_period_starts_on_the_anchor_day_or_the_last_day_of_a_shorter_month(
    zone: ZoneInfo, anchor_day: int, month: Month
) -> None:
    period = period_starting_in(month, anchor_day, zone)
    last_day = (month.plus(1).day(1) - timedelta(days=1)).day
    local = period.start.astimezone(zone)
    assert period == period_at(period.start, anchor_day, zone)
    if local.hour == 0:  # else that midnight, or in Apia that day, does not exist
        assert (local.year, local.month, local.day) == (month.year, month.month, min(anchor_day, last_day))


@pytest.mark.parametrize("name", ZONE_NAMES)
@pytest.mark.parametrize("anchor_day", range(1, 32))
def test_every_anchor_day_tiles_in_every_zone_over_the_leap_years_from_1999_to_2005(name: str, anchor_day: int) -> None:
    zone = ZoneInfo(name)
    periods = periods_of(Month(1999, 1), 84, anchor_day, zone)
    assert all(before.end == after.start for before, after in pairwise(periods))
    assert sum(((p.end - p.start) for p in periods), timedelta()) == periods[-1].end - periods[0].start


@pytest.mark.parametrize("name", ZONE_NAMES)
def test_every_boundary_of_these_years_is_one_of_the_rollup(name: str) -> None:
    for day in range(1, 32):
        for period in periods_of(Month(2024, 1), 60, day, ZoneInfo(name)):
            assert bucket_start(period.start) == period.start


@pytest.mark.parametrize(
    ("month", "anchor_day", "start", "end"),
    [
        (Month(2028, 2), 31, date(2028, 2, 29), date(2028, 3, 31)),
        (Month(2027, 2), 31, date(2027, 2, 28), date(2027, 3, 31)),
        (Month(2027, 1), 30, date(2027, 1, 30), date(2027, 2, 28)),
        (Month(2100, 2), 29, date(2100, 2, 28), date(2100, 3, 29)),
        (Month(2026, 12), 15, date(2026, 12, 15), date(2027, 1, 15)),
    ],
)
def test_the_anchor_is_clamped_in_short_months_and_comes_back(
    month: Month, anchor_day: int, start: date, end: date
) -> None:
    utc = ZoneInfo("UTC")
    assert period_starting_in(month, anchor_day, utc) == Period(midnight(start, utc), midnight(end, utc))


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Asia/Kathmandu", "2026-02-28T18:15:00+00:00"),
        ("America/Los_Angeles", "2026-03-01T08:00:00+00:00"),
        ("UTC", "2026-03-01T00:00:00+00:00"),
    ],
)
def test_a_period_begins_at_local_midnight(zone: str, start: str) -> None:
    assert period_starting_in(Month(2026, 3), 1, ZoneInfo(zone)).start == datetime.fromisoformat(start)


def test_the_day_of_a_clock_change_is_an_hour_shorter_or_longer() -> None:
    zone = ZoneInfo("America/Los_Angeles")
    hours = [
        (midnight(day + timedelta(days=1), zone) - midnight(day, zone)) / timedelta(hours=1)
        for day in (date(2026, 3, 7), date(2026, 3, 8), date(2026, 11, 1))
    ]
    assert hours == [24, 23, 25]


def test_a_period_holds_its_start_and_not_its_end() -> None:
    period = period_starting_in(Month(2026, 3), 1, ZoneInfo("UTC"))
    assert period.start in period
    assert period.end not in period
    assert period.end - timedelta(microseconds=1) in period


def test_periods_meet_in_what_they_share_or_not_at_all() -> None:
    march, april = (period_starting_in(Month(2026, month), 1, ZoneInfo("UTC")) for month in (3, 4))
    across = Period(march.start + timedelta(days=20), april.start + timedelta(days=5))
    assert march.intersection(across) == Period(across.start, march.end)
    assert march.intersection(april) is None
    assert march.intersection(march) == march


def test_a_period_without_length_or_without_utc_cannot_be_made() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(InvariantViolation, match="ends after it starts"):
        Period(now, now)
    with pytest.raises(InvariantViolation, match="UTC"):
        Period(now, (now + timedelta(days=1)).astimezone(ZoneInfo("Europe/Berlin")))


@pytest.mark.parametrize("text", ["2026-3", "2026-13", "2026-00", "0000-01", "26-03", "2026/03", "2026-03-01", "", "x"])
def test_a_month_that_is_not_one_is_refused(text: str) -> None:
    assert str(Month.parse("2026-03")) == "2026-03"
    with pytest.raises(Invalid, match="YYYY-MM"):
        Month.parse(text)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "UTC+1", "a" * 300])
def test_a_time_zone_that_is_not_one_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="IANA"):
        parse_zone(name)
