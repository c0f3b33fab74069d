"""The SQL of reports: the database adds up quarter hours by local bucket, and hands over the report's rows alone.

A customer with many keys has a million quarter hours in a year: adding them up here would keep calls waiting.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import CTE, ColumnElement, Integer, String, cast, column, func, literal, select, text, true, values
from sqlalchemy.orm import Session

from app.database import Instant
from app.metering.meter import Quantities
from app.metering.tables import UsageRollupRow
from app.metering.usage_report import GroupBy, Stretch, UsageRow

_STRETCHES_OF_A_STATEMENT_MAX = 1_000  # both databases bound the parameters of a statement
_GROUP_COLUMNS: Mapping[GroupBy, ColumnElement[str]] = {
    GroupBy.MODEL: UsageRollupRow.__table__.c.model,
    GroupBy.KEY: UsageRollupRow.__table__.c.key_id,
    GroupBy.VERSION: UsageRollupRow.__table__.c.model + literal("/") + cast(UsageRollupRow.__table__.c.version, String),
}


def usage_rows(
    session: Session, account_id: str, stretches: Sequence[Stretch], group_by: GroupBy | None, *, live: bool | None
) -> list[UsageRow]:
    """Return the account's sums by stretch and group, in order: of live keys, of test keys, or (None) of both.

    Where nothing was used there is no row.
    """
    found: list[UsageRow] = []
    for part in _parts_of(stretches):
        rows = session.execute(_sums(account_id, part, group_by, live=live))
        found += (UsageRow(part[row[0]].start, row[1], Quantities(*map(int, row[2:6])), int(row[6])) for row in rows)
    return sorted(found, key=lambda row: (row.start, row.group))


def _parts_of(stretches: Sequence[Stretch]) -> Iterator[Sequence[Stretch]]:
    for first in range(0, len(stretches), _STRETCHES_OF_A_STATEMENT_MAX):
        yield stretches[first : first + _STRETCHES_OF_A_STATEMENT_MAX]


def _sums(account_id: str, stretches: Sequence[Stretch], group_by: GroupBy | None, *, live: bool | None) -> Any:
    """Join the rollup to the stretches: SQLite searches the primary key for each, PostgreSQL once for all of them."""
    rollup, wanted = UsageRollupRow, _wanted(stretches)
    group = _GROUP_COLUMNS[group_by] if group_by else literal("")
    sums = [func.sum(each) for each in (rollup.requests, rollup.units, rollup.compute_ms, rollup.results)]
    inside = (rollup.bucket_start >= wanted.c.first, rollup.bucket_start < wanted.c.last)
    # PostgreSQL expects each stretch to hold a ninth of the table, and would read all of it to find one day.
    near = (rollup.bucket_start >= stretches[0].part.start, rollup.bucket_start < stretches[-1].part.end)
    return (
        select(wanted.c.place, group.label("group_"), *sums, func.sum(rollup.calls) - func.sum(rollup.requests))
        .where(rollup.account_id == account_id, true() if live is None else rollup.live == live, *inside, *near)
        .group_by(wanted.c.place, text("group_"))
    )


def _wanted(stretches: Sequence[Stretch]) -> CTE:
    columns = (column("place", Integer), column("first", Instant), column("last", Instant))
    rows = [(place, each.part.start, each.part.end) for place, each in enumerate(stretches)]
    return values(*columns, name="wanted").data(rows).cte("wanted")
