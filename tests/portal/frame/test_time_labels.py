"""Stretches of time in words."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.metering.usage_range import bucket_starts
from app.metering.usage_report import Bucket
from app.period import Month, Period, period_starting_in
from app.portal.frame.preferences import Language
from app.portal.frame.time_labels import days_of, local_dates, row_labels

LOS_ANGELES, SHANGHAI = ZoneInfo("America/Los_Angeles"), ZoneInfo("Asia/Shanghai")
MARCH = period_starting_in(Month(2026, 3), 1, SHANGHAI)


def test_a_period_reads_from_its_first_local_day_to_its_last() -> None:
    assert days_of(MARCH, "Asia/Shanghai", Language.ENGLISH) == "1–31 Mar 2026"  # noqa: RUF001 - an en dash is meant
    assert days_of(MARCH, "UTC", Language.CHINESE) == "2026年2月28日至3月31日"


def test_an_address_names_the_day_at_which_a_period_is_over() -> None:
    assert local_dates(MARCH, SHANGHAI) == ("2026-03-01", "2026-04-01")


@pytest.mark.parametrize(
    ("bucket", "label"), [(Bucket.HOUR, "15 Mar 20:00"), (Bucket.DAY, "Sun 15 Mar"), (Bucket.MONTH, "Mar 2026")]
)
def test_a_row_is_named_as_finely_as_it_is_cut(bucket: Bucket, label: str) -> None:
    noon = datetime(2026, 3, 15, 12, tzinfo=UTC)
    assert row_labels([noon], bucket, SHANGHAI, Language.ENGLISH) == [label]


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    night = Period(datetime(2026, 11, 1, 7, tzinfo=UTC), datetime(2026, 11, 1, 11, tzinfo=UTC))
    starts = bucket_starts(night, Bucket.HOUR, LOS_ANGELES)
    assert row_labels(starts, Bucket.HOUR, LOS_ANGELES, Language.ENGLISH) == [
        "1 Nov 00:00",
        "1 Nov 01:00 (-0700)",
        "1 Nov 01:00 (-0800)",
        "1 Nov 02:00",
    ]
