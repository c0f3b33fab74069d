"""Periods: half-open intervals of UTC instants, cut at local midnights of an account's zone.

Every period is computed from the account's original anchor (anchor + n months, the day clamped to the month's length),
never from the previous period, so that periods tile without gap or overlap.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.errors import Invalid, InvariantViolation

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


class MonthInvalid(Invalid):
    """The text is no month of the calendar."""

    code = "month_invalid"


class ZoneUnknown(Invalid):
    """There is no time zone of that name."""

    code = "zone_unknown"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The instants `start <= t < end`, both UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.utcoffset() != timedelta(0) or self.end.utcoffset() != timedelta(0):
            raise InvariantViolation("a period is bounded by UTC instants")
        if self.end <= self.start:
            raise InvariantViolation(f"a period ends after it starts: {self.start} to {self.end}")

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def intersection(self, other: "Period") -> "Period | None":
        """Return the instants in both, or None when there are none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, without a zone."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read `YYYY-MM`. Raises MonthInvalid."""
        match = _MONTH.fullmatch(text)
        if not match or not 1 < int(match[1]) < 9999:  # the calendar needs room for a day of any zone on both sides
            raise MonthInvalid(f"{text!r} is not a month", where="month", hint="write YYYY-MM, such as 2026-11")
        return cls(int(match[1]), int(match[2]))

    def plus(self, months: int) -> "Month":
        index = self.year * 12 + self.month - 1 + months
        return Month(index // 12, index % 12 + 1)

    def day(self, day: int) -> date:
        """Return that day of the month, clamped to its last one."""
        return date(self.year, self.month, min(day, monthrange(self.year, self.month)[1]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


def parse_zone(name: str, *, where: str = "zone") -> ZoneInfo:
    """Return the IANA time zone of that name. Raises ZoneUnknown."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ZoneUnknown(
            f"{name!r} is not a time zone", where=where, hint="use an IANA name, such as Europe/Berlin"
        ) from None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which that local day begins (the earlier one where a clock is set back)."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def month_of(instant: datetime, zone: ZoneInfo) -> Month:
    """Return the local calendar month of an instant."""
    local = instant.astimezone(zone)
    return Month(local.year, local.month)


def period_starting_in(month: Month, anchor_day: int, zone: ZoneInfo) -> Period:
    """Return the one period of an account that starts in that month: its anchor day to the next month's."""
    return Period(midnight(month.day(anchor_day), zone), midnight(month.plus(1).day(anchor_day), zone))


def period_at(instant: datetime, anchor_day: int, zone: ZoneInfo) -> Period:
    """Return the period of an account in which the instant lies."""
    month = month_of(instant, zone)
    period = period_starting_in(month, anchor_day, zone)
    return period if instant >= period.start else period_starting_in(month.plus(-1), anchor_day, zone)
