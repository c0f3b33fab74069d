"""A usage report as CSV, one record a row: the sums that the usage page shows."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.metering.usage_range import Metric
from app.metering.usage_report import GroupBy, UsageRow
from app.spreadsheet import csv_line


def usage_csv(rows: Sequence[UsageRow], group_by: GroupBy | None, zone: ZoneInfo) -> str:
    """Return the header and the rows; `start` is the instant, `local` the same one as the zone's clocks show it."""
    group = [group_by.value] if group_by else []
    header = csv_line(["start", "local", *group, *(metric.value for metric in Metric)])
    return header + "".join(_line(row, zone, grouped=bool(group)) for row in rows)


def _line(row: UsageRow, zone: ZoneInfo, *, grouped: bool) -> str:
    group = [row.group] if grouped else []
    return csv_line([_utc(row.start), row.start.astimezone(zone).isoformat(), *group, *(m.of(row) for m in Metric)])


def _utc(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
