"""Usage reports: local hours, days or months, whole quarters of an hour each, and the ranges they cover (pure)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.errors import Invalid
from app.metering.meter import Quantities
from app.metering.usage_event import BUCKET
from app.period import Month, Period, midnight, month_of

_LATEST = datetime(2200, 1, 1, tzinfo=UTC)  # beyond it, sums of instants soon leave the calendar


class NoInstant(Invalid):
    """A bound of a range is neither a month nor a date nor an instant."""

    code = "no_instant"


class NoRange(Invalid):
    """A range is empty, too long or too far ahead."""

    code = "no_range"


class Bucket(StrEnum):
    """The width of a report's rows, in the report's zone."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class GroupBy(StrEnum):
    """What a report's rows are told apart by."""

    MODEL = "model"
    KEY = "key"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a local bucket that a report covers; `start` is where the whole bucket begins."""

    start: datetime
    part: Period


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One row of a report: `start` is the UTC instant at which its local bucket begins.

    `failed` counts calls that ended without a charge.
    """

    start: datetime
    group: str
    quantities: Quantities
    failed: int


def bucket_of(instant: datetime, bucket: Bucket, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which the local hour, day or month of an instant begins."""
    local = instant.astimezone(zone)
    match bucket:
        case Bucket.MONTH:
            return midnight(month_of(instant, zone).day(1), zone)
        case Bucket.DAY:
            return midnight(local.date(), zone)
        case Bucket.HOUR:  # minutes are taken off the instant, so that the hour a clock repeats stays two hours
            start = instant - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            while start.astimezone(zone).utcoffset() != local.utcoffset():  # a change by half an hour cuts an hour
                start += BUCKET
            return start


def range_of(start: str | None, end: str | None, zone: ZoneInfo, now: datetime) -> Period:
    """Return the instants from `start` to before `end`: dates are local midnights; the default is the local month.

    Raises NoInstant for anything else, NoRange for an empty range and for one of more than 25 months.
    """
    month = month_of(now, zone)
    first = _instant_of(start, zone, "from") if start else midnight(month.day(1), zone)
    last = _instant_of(end, zone, "to") if end else midnight(month.plus(1).day(1), zone)
    if not first < last <= min(first, _LATEST) + timedelta(days=25 * 31):
        raise NoRange(
            "the range is empty, longer than 25 months or too far ahead", where="to", hint="to lies behind from"
        )
    return Period(first, last)


def _instant_of(text: str, zone: ZoneInfo, where: str) -> datetime:
    try:
        if len(text) == len("2026-11"):
            return midnight(Month.parse(text).day(1), zone)
        if len(text) == len("2026-11-24"):
            return midnight(date.fromisoformat(text), zone)
        value = datetime.fromisoformat(text)
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, Invalid):
        raise NoInstant(
            f"{text!r} is neither a date nor an instant", where=where, hint="write 2026-11-24 or 2026-11-24T08:00:00Z"
        ) from None
