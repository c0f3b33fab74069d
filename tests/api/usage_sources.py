"""Where usage can be read, each as the sums of one account and range: whatever shows usage has a row in `SOURCES`."""

import csv
import io
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from app.members.role import Role
from app.metering.tables import UsageEventRow, UsageRollupRow
from app.metering.usage_event import Outcome
from app.metering.usage_range import Metric, UsageRange
from tests.api.installation import Installation, Tenant, json_of
from tests.portal.visitors import member

Sums = dict[str, int]


@dataclass(frozen=True)
class Question:
    """What a tenant used of a range, the days of which are those of a zone."""

    faremeter: Installation
    tenant: Tenant
    zone: str
    range: UsageRange

    @property
    def bounds(self) -> dict[str, str]:
        """The range as a query names it."""
        period = self.range.period
        return {"from": period.start.isoformat(), "to": period.end.isoformat(), "tz": self.zone}


Source = Callable[[Question], Awaitable[Sums]]


async def report_total(asked: Question) -> Sums:
    total: Sums = (await _report(asked))["total"]
    return total


async def report_rows(asked: Question) -> Sums:
    return _sums_of((await _report(asked))["data"])


async def report_rows_of_keys(asked: Question) -> Sums:
    return _sums_of((await _report(asked, group_by="key"))["data"])


async def listed_events(asked: Question) -> Sums:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await _get(asked, "/v1/usage/events", limit=100, cursor=cursor)
        found += page["data"]
        cursor = page["next_cursor"]
    return _sums_of_events(found)


async def exported_events(asked: Question) -> Sums:
    response = await asked.faremeter.http.get("/v1/usage/events.csv", params=asked.bounds, headers=asked.tenant.headers)
    return _sums_of_events(csv.DictReader(io.StringIO(response.text)))


async def sql_of_events(asked: Question) -> Sums:
    event, period = UsageEventRow, asked.range.period
    succeeded = event.outcome == Outcome.SUCCEEDED.value
    measured = [1, event.units, (event.compute_us + 999) // 1000, event.results]
    sums = [func.sum(case((succeeded, value), else_=0)) for value in measured]
    mine = (event.account_id == asked.tenant.account_id, event.live)
    inside = (event.occurred_at >= period.start, event.occurred_at < period.end)
    return _one_row(asked, select(*sums, func.sum(case((succeeded, 0), else_=1))).where(*mine, *inside))


async def sql_of_rollup(asked: Question) -> Sums:
    rollup, period = UsageRollupRow, asked.range.period
    sums = [func.sum(column) for column in (rollup.requests, rollup.units, rollup.compute_ms, rollup.results)]
    mine = (rollup.account_id == asked.tenant.account_id, rollup.live)
    inside = (rollup.bucket_start >= period.start, rollup.bucket_start < period.end)
    return _one_row(asked, select(*sums, func.sum(rollup.calls - rollup.requests)).where(*mine, *inside))


async def figures_of_the_page(asked: Question) -> Sums:
    page = await _page(asked, "/app/usage")
    return {metric: int(total) for metric, total in re.findall(r'data-metric="(\w+)" data-total="(\d+)"', page)}


async def table_of_the_page(asked: Question) -> Sums:
    """Add up the rows of the table in which nothing is told apart: a column for each metric."""
    rows = _rows_of_table(await _page(asked, "/app/usage", group="none"))
    return {metric.value: sum(column) for metric, column in zip(Metric, zip(*rows, strict=True), strict=True)}


async def tables_of_keys_on_the_page(asked: Question) -> Sums:
    """Add up the cells of one table for each metric: a column for each key."""
    pages = {metric: await _page(asked, "/app/usage", group="key", metric=metric.value) for metric in Metric}
    return {metric.value: sum(map(sum, _rows_of_table(page))) for metric, page in pages.items()}


async def csv_of_the_page(asked: Question) -> Sums:
    rows = csv.DictReader(io.StringIO(await _page(asked, "/app/usage.csv", group="key")))
    return _sums_of({name: int(row[name]) for name in Metric} for row in rows)


async def events_of_the_page(asked: Question) -> Sums:
    return _sums_of_events(csv.DictReader(io.StringIO(await _page(asked, "/app/usage/events.csv"))))


SOURCES: Mapping[str, Source] = {
    "total of the report": report_total,
    "rows of the report": report_rows,
    "rows of the report by key": report_rows_of_keys,
    "list of events": listed_events,
    "CSV of events": exported_events,
    "figures of the page": figures_of_the_page,
    "table of the page": table_of_the_page,
    "tables of keys on the page": tables_of_keys_on_the_page,
    "CSV of the page": csv_of_the_page,
    "CSV of events of the page": events_of_the_page,
    "SQL of events": sql_of_events,
    "SQL of the rollup": sql_of_rollup,
}


async def _page(asked: Question, path: str, **query: str) -> str:
    """Return what somebody sees who may see no more than usage; a range is named as the page names it."""
    browser = member(asked.faremeter, Role.VIEWER, asked.tenant.account_id)
    named = {"range": asked.range.preset or "custom", "zone": asked.zone}
    response = await browser.get(path, params={**named, **query})
    assert response.is_success, response.text
    return response.text


def _rows_of_table(page: str) -> list[list[int]]:
    rows = [[int(cell) for cell in re.findall(r'data-value="(\d+)"', row)] for row in page.split("<tr")]
    return [row for row in rows if row]


async def _report(asked: Question, **query: str) -> Any:
    return await _get(asked, "/v1/usage", bucket=asked.range.bucket.value, **query)


async def _get(asked: Question, path: str, **query: Any) -> Any:
    query = {**asked.bounds, **query}
    return json_of(await asked.faremeter.http.get(path, params=query, headers=asked.tenant.headers))


def _sums_of(rows: Iterable[Mapping[str, int]]) -> Sums:
    rows = list(rows)
    return {metric.value: sum(row[metric] for row in rows) for metric in Metric}


def _sums_of_events(events: Iterable[Mapping[str, Any]]) -> Sums:
    """Add up events as JSON or CSV tells them; the device time of a call counts in whole milliseconds, rounded up."""
    rows = []
    for event in events:
        good = event["outcome"] == "succeeded"
        compute_ms = -(-int(event["compute_us"]) // 1000) if good else 0
        quantities = {"units": int(event["units"]), "results": int(event["results"]), "compute_ms": compute_ms}
        rows.append({"requests": int(good), "failed": int(not good), **quantities})
    return _sums_of(rows)


def _one_row(asked: Question, statement: Any) -> Sums:
    with asked.faremeter.services.database.reading() as session:
        return dict(zip(Metric, (int(value or 0) for value in session.execute(statement).one()), strict=True))
