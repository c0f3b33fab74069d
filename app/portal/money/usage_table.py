"""A report of usage as a table: a row for each stretch of time, a column for each group or metric (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.metering.usage_range import Metric
from app.metering.usage_report import UsageRow

COLUMNS_MAX = 21


@dataclass(frozen=True, slots=True)
class UsageTable:
    """The cells of each row belong to the columns, in order; `totals` are the sums of the columns.

    Columns are the groups that were used, those with most first, or every metric where nothing is told apart. Where
    there are very many groups the last cell of each row is the sum of the `others`, which have no columns.
    """

    columns: tuple[str, ...]
    starts: tuple[datetime, ...]
    cells: tuple[tuple[int, ...], ...]
    others: int = 0

    @property
    def totals(self) -> tuple[int, ...]:
        return tuple(map(sum, zip(*self.cells, strict=True))) or (0,) * (len(self.columns) + bool(self.others))

    @property
    def row_sums(self) -> tuple[int, ...]:
        return tuple(map(sum, self.cells))


def totals_of(rows: Sequence[UsageRow]) -> Mapping[Metric, int]:
    """Return the sum of each metric over a whole report."""
    return {metric: sum(metric.of(row) for row in rows) for metric in Metric}


def table_by_group(rows: Sequence[UsageRow], starts: Sequence[datetime], metric: Metric) -> UsageTable:
    """Return one metric, told apart by group."""
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.group] = sums.get(row.group, 0) + metric.of(row)
    ranked = sorted(sums, key=lambda group: (-sums[group], group))
    shown = ranked if len(ranked) <= COLUMNS_MAX else ranked[: COLUMNS_MAX - 1]
    return UsageTable(tuple(shown), tuple(starts), _cells(rows, starts, metric, shown), len(ranked) - len(shown))


def _cells(
    rows: Sequence[UsageRow], starts: Sequence[datetime], metric: Metric, shown: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    """Return a cell for each group that is shown, and one behind them for all that are not."""
    places = {group: place for place, group in enumerate(shown)}
    cells = {start: [0] * (len(shown) + 1) for start in starts}
    for row in rows:
        cells[row.start][places.get(row.group, -1)] += metric.of(row)
    width = len(shown) + any(row.group not in places for row in rows)
    return tuple(tuple(cells[start][:width]) for start in starts)


def table_of_metrics(rows: Sequence[UsageRow], starts: Sequence[datetime]) -> UsageTable:
    """Return every metric of a report whose rows are not told apart."""
    used = {row.start: tuple(metric.of(row) for metric in Metric) for row in rows}
    nothing = (0,) * len(Metric)
    return UsageTable(
        tuple(metric.value for metric in Metric), tuple(starts), tuple(used.get(start, nothing) for start in starts)
    )
