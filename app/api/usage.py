"""/v1/usage: sums in any zone, and the events behind them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from app.accounts.account import Principal
from app.api import wire
from app.api.dependencies import EventCursor, Limit, ServicesDep, UsageReader
from app.bootstrap import Services
from app.metering.event_csv import event_csv, event_facts
from app.metering.usage_range import in_quarter_hours
from app.metering.usage_report import Bucket, GroupBy, UsageRow, range_of
from app.period import Period, parse_zone

From = Annotated[str | None, Query(alias="from", description="a date, month or instant; default: this month")]
To = Annotated[str | None, Query(alias="to", description="exclusive")]
Test = Annotated[bool, Query(description="the usage of test keys, which no invoice counts, instead of live ones")]
Zone = Annotated[str, Query(alias="tz", description="IANA time zone of dates and buckets")]
router = APIRouter(prefix="/v1", tags=["usage"])


@router.get("/usage")
def get_usage(
    principal: UsageReader,
    services: ServicesDep,
    from_: From = None,
    to: To = None,
    tz: Zone = "UTC",
    bucket: Bucket = Bucket.DAY,
    group_by: GroupBy | None = None,
    test: Test = False,
) -> dict[str, Any]:
    """Sum the account's usage by local bucket; `total` is the sum of `data`, and what the invoice counts."""
    zone = parse_zone(tz, where="tz")
    period = in_quarter_hours(range_of(from_, to, zone, services.clock.now()))
    rows = services.metering.report(
        principal.account_id, period, zone=zone, bucket=bucket, group_by=group_by, live=not test
    )
    return {
        "from": wire.instant(period.start),
        "to": wire.instant(period.end),
        "tz": tz,
        "bucket": bucket,
        "group_by": group_by,
        "test": test,
        "data": [_row_body(row, group_by) for row in rows],
        "total": _total_body(rows),
        "as_of": wire.instant(services.clock.now()),
    }


@router.get("/usage/events")
def list_events(
    principal: UsageReader,
    services: ServicesDep,
    from_: From = None,
    to: To = None,
    tz: Zone = "UTC",
    test: Test = False,
    cursor: EventCursor = "",
    limit: Limit = 50,
) -> wire.Page[dict[str, Any]]:
    """List usage events in order of occurrence."""
    period = range_of(from_, to, parse_zone(tz, where="tz"), services.clock.now())
    events = services.metering.events(principal.account_id, period, after=cursor, limit=limit + 1, live=not test)
    currency = _currency_of(services, principal)
    return wire.page(events, limit, lambda each: event_facts(each, currency), lambda each: each.event.id)


@router.get("/usage/events.csv", responses=wire.CSV_RESPONSES, response_class=StreamingResponse)
def export_events(
    principal: UsageReader,
    services: ServicesDep,
    from_: From = None,
    to: To = None,
    tz: Zone = "UTC",
    test: Test = False,
) -> StreamingResponse:
    """Stream every usage event of the range as CSV."""
    period = range_of(from_, to, parse_zone(tz, where="tz"), services.clock.now())
    events = services.metering.every_event(principal.account_id, period, live=not test)
    lines = event_csv(events, _currency_of(services, principal))
    name = f"usage-{_day(period)}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type=wire.CSV_TYPE, headers=headers)


def _currency_of(services: Services, principal: Principal) -> str:
    return services.accounts.get_account(principal.account_id).currency


def _day(period: Period) -> str:
    return f"{period.start:%Y%m%d}-{period.end:%Y%m%d}"


def _row_body(row: UsageRow, group_by: GroupBy | None) -> dict[str, Any]:
    group = {group_by.value: row.group} if group_by else {}
    return {"start": wire.instant(row.start), **group, **wire.quantities(row.quantities), "failed": row.failed}


def _total_body(rows: list[UsageRow]) -> dict[str, int]:
    total = dict.fromkeys(("requests", "units", "compute_ms", "results"), 0)
    for row in rows:
        for meter, quantity in wire.quantities(row.quantities).items():
            total[meter] += quantity
    return {**total, "failed": sum(row.failed for row in rows)}
