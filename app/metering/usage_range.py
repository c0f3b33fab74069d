"""The ranges that people look at usage in: named ones in their own zone, the width that suits each, its gaps (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from app.errors import Invalid
from app.metering.usage_event import BUCKET, bucket_start
from app.metering.usage_report import Bucket, Stretch, UsageRow, bucket_of, range_of
from app.period import Period, midnight, month_of

HOURLY_DAYS_MAX = 2
DAILY_DAYS_MAX = 92
_HOUR = timedelta(hours=1)


class RangeCutsQuarterHour(Invalid):
    """The range begins or ends inside a quarter of an hour, in which usage is summed."""

    code = "range_cuts_quarter_hour"


class Preset(StrEnum):
    """A range by name. The days and months up to now hold today, and this month, as a whole."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    LAST_7_DAYS = "last_7_days"
    LAST_30_DAYS = "last_30_days"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    LAST_12_MONTHS = "last_12_months"


# From which local day or month to before which one, counted from that of now.
_DAYS = {Preset.TODAY: (0, 1), Preset.YESTERDAY: (-1, 0), Preset.LAST_7_DAYS: (-6, 1), Preset.LAST_30_DAYS: (-29, 1)}
_MONTHS = {Preset.THIS_MONTH: (0, 1), Preset.LAST_MONTH: (-1, 0), Preset.LAST_12_MONTHS: (-11, 1)}


class Metric(StrEnum):
    """What a chart of usage may show: a meter, or the calls that failed."""

    REQUESTS = "requests"
    UNITS = "units"
    COMPUTE_MS = "compute_ms"
    RESULTS = "results"
    FAILED = "failed"

    def of(self, row: UsageRow) -> int:
        """Return the metric of a report's row."""
        return row.failed if self is Metric.FAILED else int(getattr(row.quantities, self.value))


@dataclass(frozen=True, slots=True)
class UsageRange:
    """Instants, the width of the rows that suits them, and the name by which they were chosen, if by name."""

    period: Period
    bucket: Bucket
    preset: Preset | None = None


def preset_range(preset: Preset, zone: ZoneInfo, now: datetime) -> UsageRange:
    """Return the range of that name as it is now in the zone."""
    if preset in _DAYS:
        today = _local_date(now, zone)
        start, end = (midnight(today + timedelta(days=offset), zone) for offset in _DAYS[preset])
    else:
        month = month_of(now, zone)
        start, end = (midnight(month.plus(offset).day(1), zone) for offset in _MONTHS[preset])
    period = Period(start, end)
    return UsageRange(period, fitting_bucket(period, zone), preset)


def chosen_range(start: str | None, end: str | None, zone: ZoneInfo, now: datetime) -> UsageRange:
    """Return the range that was written down, as `range_of` reads it, in whole quarters of an hour."""
    period = in_quarter_hours(range_of(start, end, zone, now))
    return UsageRange(period, fitting_bucket(period, zone))


def in_quarter_hours(period: Period) -> Period:
    """Return the period. Raises RangeCutsQuarterHour where its sums would be cut."""
    for instant, where in ((period.start, "from"), (period.end, "to")):
        if bucket_start(instant) != instant:
            raise RangeCutsQuarterHour(
                "usage is summed in quarters of an hour", where=where, hint="cut there, or sum up /v1/usage/events"
            )
    return period


def fitting_bucket(period: Period, zone: ZoneInfo) -> Bucket:
    """Return hours up to two days, days up to 92 of them, months beyond; days as the zone's clocks count them."""
    local_start = period.start.astimezone(zone)
    for bucket, days in ((Bucket.HOUR, HOURLY_DAYS_MAX), (Bucket.DAY, DAILY_DAYS_MAX)):
        if period.end <= (local_start + timedelta(days=days)).astimezone(UTC):
            return bucket
    return Bucket.MONTH


def bucket_starts(period: Period, bucket: Bucket, zone: ZoneInfo) -> list[datetime]:
    """Return where each row begins that a report of the period may have, in order: a chart shows the empty ones too."""
    inside = (bucket_of(instant, bucket, zone) for instant in _instants_of_each(period, bucket, zone))
    return list(dict.fromkeys(inside))


def stretches_of(period: Period, bucket: Bucket, zone: ZoneInfo) -> list[Stretch]:
    """Return the period cut where its local hours, days or months begin."""
    starts = bucket_starts(period, bucket, zone)
    cuts = [period.start, *starts[1:], period.end]
    return [Stretch(start, Period(*part)) for start, part in zip(starts, pairwise(cuts), strict=True)]


def _instants_of_each(period: Period, bucket: Bucket, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield at least one instant of each hour, day or month of the period, in order."""
    instant = period.start
    while instant < period.end:
        yield instant
        match bucket:
            case Bucket.HOUR:
                instant += _rest_of_hour(instant, zone)
            case Bucket.DAY:
                instant = midnight(_local_date(instant, zone) + timedelta(days=1), zone)
            case Bucket.MONTH:
                instant = midnight(month_of(instant, zone).plus(1).day(1), zone)


def _rest_of_hour(instant: datetime, zone: ZoneInfo) -> timedelta:
    """Return how long the local hour goes on, and no more than a quarter of it where clocks change and may cut it."""
    local = instant.astimezone(zone)
    rest = _HOUR - timedelta(minutes=local.minute, seconds=local.second)
    return rest if (instant + rest).astimezone(zone).utcoffset() == local.utcoffset() else BUCKET


def _local_date(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()
