"""/app/usage: what was used, by anything and in any zone, with the files that hold the same sums."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from app.accounts.account import ApiKey
from app.bootstrap import Services
from app.errors import Invalid
from app.metering.event_csv import event_csv
from app.metering.usage_csv import usage_csv
from app.metering.usage_range import Metric, UsageRange, bucket_starts
from app.metering.usage_report import GroupBy, UsageRow
from app.portal.frame.csv_download import CSV_TYPE, csv_download, saved_as
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page, zone_of
from app.portal.frame.time_labels import local_dates, row_labels
from app.portal.frame.visitor import Caller, ServicesDep, UsageReader
from app.portal.money.usage_query import UsageQuery
from app.portal.money.usage_table import UsageTable, table_by_group, table_of_metrics, totals_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Asked = Annotated[UsageQuery, Query()]


@dataclass(frozen=True, slots=True)
class Answer:
    """One query behind everything on the page: the figures, the table and the chart that is drawn from it."""

    range: UsageRange
    bounds: tuple[str, str]
    totals: dict[Metric, int]
    table: UsageTable
    names: tuple[str, ...]
    labels: list[str]
    as_of: datetime


@router.get("/app/usage")
def show_usage(request: Request, caller: UsageReader, services: ServicesDep, asked: Asked) -> Response:
    """Show figures, chart and table; a range that is none is said so above the filters."""
    asked = asked.in_zone(zone_of(caller.visitor))
    answer, problem = None, None
    try:
        answer = _answer(services, caller, asked)
    except Invalid as invalid:
        problem = invalid
    return form_page(
        request,
        "pages/usage.html",
        asked=asked,
        answer=answer,
        problem=problem,
        bounds=_bounds(answer),
        near_zones=_near_zones(caller, asked),
        every_zone=_every_zone(),
    )


@router.get("/app/usage.csv")
def save_sums(caller: UsageReader, services: ServicesDep, asked: Asked) -> Response:
    """Return the sums of the page's table, of every metric."""
    asked = asked.in_zone(zone_of(caller.visitor))
    found = asked.find_range(services.clock)
    rows, zone = _rows(services, caller, asked, found), ZoneInfo(asked.zone)
    return csv_download(usage_csv(rows, asked.group_by, zone), _file_name("usage", found, zone))


@router.get("/app/usage/events.csv")
def save_events(caller: UsageReader, services: ServicesDep, asked: Asked) -> Response:
    """Stream every event behind the sums."""
    asked = asked.in_zone(zone_of(caller.visitor))
    found = asked.find_range(services.clock)
    events = services.metering.every_event(caller.account.id, found.period, live=asked.live)
    name = _file_name("usage-events", found, ZoneInfo(asked.zone))
    return StreamingResponse(event_csv(events, caller.account.currency), media_type=CSV_TYPE, headers=saved_as(name))


def _answer(services: Services, caller: Caller, asked: UsageQuery) -> Answer:
    found, now = asked.find_range(services.clock), services.clock.now()
    rows, zone = _rows(services, caller, asked, found), ZoneInfo(asked.zone)
    used = {row.start for row in rows}
    # What is still to come is left out: nobody wants to scroll through the rest of the month.
    starts = [start for start in bucket_starts(found.period, found.bucket, zone) if start <= now or start in used]
    starts.reverse()
    table = table_by_group(rows, starts, asked.metric) if asked.group_by else table_of_metrics(rows, starts)
    return Answer(
        range=found,
        bounds=local_dates(found.period, zone),
        totals=dict(totals_of(rows)),
        table=table,
        names=_names(services, caller, asked, table.columns),
        labels=row_labels(starts, found.bucket, zone, caller.visitor.preferences.language),
        as_of=now,
    )


def _rows(services: Services, caller: Caller, asked: UsageQuery, found: UsageRange) -> list[UsageRow]:
    return services.metering.report(
        caller.account.id,
        found.period,
        zone=ZoneInfo(asked.zone),
        bucket=found.bucket,
        group_by=asked.group_by,
        live=asked.live,
    )


def _names(services: Services, caller: Caller, asked: UsageQuery, groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return how people call the groups: a key by its name and the end of its secret."""
    if asked.group_by is not GroupBy.KEY:
        return groups
    keys = services.accounts.keys(caller.account.id, groups)
    return tuple(_name_of(keys[group]) if group in keys else group for group in groups)


def _name_of(key: ApiKey) -> str:
    return f"{key.name} …{key.hint[-4:]}"


def _bounds(answer: Answer | None) -> tuple[str, str]:
    """Return the dates that the fields of a range begin with: the local ones of what is shown."""
    return answer.bounds if answer else ("", "")


def _near_zones(caller: Caller, asked: UsageQuery) -> list[str]:
    """Return the zones that a visitor most likely wants."""
    return list(dict.fromkeys([asked.zone, zone_of(caller.visitor), caller.account.zone, "UTC"]))


@cache
def _every_zone() -> list[str]:
    return sorted(available_timezones())


def _file_name(subject: str, found: UsageRange, zone: ZoneInfo) -> str:
    start, end = (instant.astimezone(zone) for instant in (found.period.start, found.period.end))
    return f"{subject}-{start:%Y%m%d}-{end:%Y%m%d}.csv"
