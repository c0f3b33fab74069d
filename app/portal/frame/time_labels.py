"""How stretches of time read on a page: the days of a period, a part of a day, and the rows of a table of usage."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_interval, format_skeleton

from app.metering.usage_report import Bucket
from app.period import Period
from app.portal.frame.formats import LOCALES
from app.portal.frame.preferences import Language

_MOMENT = timedelta(microseconds=1)


def days_of(period: Period, zone: str, language: Language) -> str:
    """Return the local days of a period, the first to the last: 1-31 Mar 2026."""
    first, last = (instant.astimezone(ZoneInfo(zone)).date() for instant in (period.start, period.end - _MOMENT))
    return str(format_interval(first, last, "yMMMd", locale=LOCALES[language]))


def part_of_day(period: Period, zone: str, language: Language) -> str:
    """Return the local day and minutes of a period that is shorter than a day: 24 Nov 2026 20:00 to 20:15."""
    day = format_date(period.start.astimezone(ZoneInfo(zone)).date(), "medium", locale=LOCALES[language])
    start, end = (
        format_skeleton("Hm", instant, tzinfo=ZoneInfo(zone), locale=LOCALES[language])
        for instant in (period.start, period.end)
    )
    return f"{day} {start}–{end}"  # noqa: RUF001 - the dash that stands between the ends of a range


def local_dates(period: Period, zone: ZoneInfo) -> tuple[str, str]:
    """Return a period as the addresses of pages name it: its first local date, and the one at which it is over."""
    start, end = (instant.astimezone(zone).date().isoformat() for instant in (period.start, period.end))
    return start, end


def row_labels(starts: Sequence[datetime], bucket: Bucket, zone: ZoneInfo, language: Language) -> list[str]:
    """Return the name of each row; where clocks are set back, an hour comes twice and its offset tells which."""
    labels = [_label(start, bucket, zone, language) for start in starts]
    return [
        f"{label} ({start.astimezone(zone):%z})" if labels.count(label) > 1 else label
        for label, start in zip(labels, starts, strict=True)
    ]


def _label(start: datetime, bucket: Bucket, zone: ZoneInfo, language: Language) -> str:
    skeletons = {Bucket.HOUR: ("MMMd", "Hm"), Bucket.DAY: ("MMMEd",), Bucket.MONTH: ("yMMM",)}[bucket]
    return " ".join(str(format_skeleton(each, start, tzinfo=zone, locale=LOCALES[language])) for each in skeletons)
