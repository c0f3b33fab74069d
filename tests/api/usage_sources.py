"""Where usage can be read, each as the sums of one account and range: whatever shows usage has a row in `SOURCES`."""

import csv
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from app.metering.tables import UsageEventRow, UsageRollupRow
from app.metering.usage_event import Outcome
from app.metering.usage_range import Metric, UsageRange
from tests.api.installation import Installation, Tenant, json_of

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


SOURCES: Mapping[str, Source] = {
    "total of the report": report_total,
    "rows of the report": report_rows,
    "rows of the report by key": report_rows_of_keys,
    "list of events": listed_events,
    "CSV of events": exported_events,
    "SQL of events": sql_of_events,
    "SQL of the rollup": sql_of_rollup,
}


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
