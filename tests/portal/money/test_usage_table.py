"""Reports as tables: every cell is a sum of the report, and the totals are the sums of the cells."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.metering.meter import Quantities
from app.metering.usage_range import Metric
from app.metering.usage_report import UsageRow
from app.portal.money.usage_table import COLUMNS_MAX, table_by_group, table_of_metrics, totals_of
from tests.builders import NOON

STARTS = [NOON + timedelta(days=number) for number in range(4)]
COUNTS = st.integers(0, 10**12)
GROUPS = st.sampled_from(["linear", "vgg16", "vgg16-digits"])
PLACES = st.tuples(st.sampled_from(STARTS), GROUPS)


def row(start: datetime, group: str, counts: tuple[int, ...]) -> UsageRow:
    return UsageRow(start, group, Quantities(*counts[:4]), failed=counts[4])


REPORTS = st.dictionaries(PLACES, st.tuples(*[COUNTS] * 5)).map(
    lambda cells: [row(*place, counts) for place, counts in cells.items()]
)


@given(REPORTS, st.sampled_from(Metric))
def test_a_table_by_group_holds_the_whole_metric(rows: list[UsageRow], metric: Metric) -> None:
    table = table_by_group(rows, STARTS, metric)
    assert sum(table.totals) == sum(table.row_sums) == totals_of(rows)[metric]
    assert set(table.columns) == {each.group for each in rows}
    assert list(table.totals) == sorted(table.totals, reverse=True)
    for each in rows:
        assert table.cells[STARTS.index(each.start)][table.columns.index(each.group)] == metric.of(each)


@given(st.dictionaries(st.tuples(st.sampled_from(STARTS), st.integers(1, 40)), COUNTS, max_size=80))
def test_of_many_groups_those_with_most_have_columns_and_the_others_one(used: dict[tuple[datetime, int], int]) -> None:
    rows = [row(start, f"key_{group}", (count, 0, 0, 0, 0)) for (start, group), count in used.items()]
    table, groups = table_by_group(rows, STARTS, Metric.REQUESTS), {group for _, group in used}
    assert len(table.columns) + table.others == len(groups)
    assert {len(cells) for cells in (*table.cells, table.totals)} == {min(len(groups), COLUMNS_MAX)}
    assert sum(table.totals) == sum(used.values())
    shown = table.totals[: len(table.columns)]
    assert list(shown) == sorted(shown, reverse=True)


@given(st.lists(st.tuples(*[COUNTS] * 5), max_size=4))
def test_a_table_of_metrics_has_a_column_for_each(counts: list[tuple[int, ...]]) -> None:
    rows = [row(start, "", each) for start, each in zip(STARTS, counts, strict=False)]
    table = table_of_metrics(rows, STARTS)
    assert dict(zip(table.columns, table.totals, strict=True)) == totals_of(rows)
    assert len(table.cells) == len(STARTS)


def test_a_table_without_rows_has_totals_of_nothing() -> None:
    assert table_of_metrics([], []).totals == (0,) * len(Metric)
    assert table_by_group([], STARTS, Metric.UNITS).totals == ()
