"""/v1/usage: sums in any zone and of any group are those of the events, and of the CSV file."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.clock import FrozenClock
from app.metering import service as metering_service
from tests.api.installation import ROW, Installation, Tenant, json_of
from tests.api.problems import Expected, assert_problem
from tests.installation_fixtures import Start

# Around midnight in Shanghai (16:00 UTC), Los Angeles (08:00 UTC) and Kathmandu (18:15 UTC), and a month's end.
MOMENTS = ["2026-01-31T07:59", "2026-01-31T08:00", "2026-01-31T15:59", "2026-01-31T16:00", "2026-01-31T18:15"]
MOMENTS += ["2026-01-31T23:59", "2026-02-01T00:00", "2026-02-14T12:34"]
ZONES = ["UTC", "Asia/Shanghai", "America/Los_Angeles", "Asia/Kathmandu"]
METERS = ("requests", "units", "compute_ms", "results")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def used(sqlite_file: str, start: Start) -> AsyncIterator[tuple[Installation, Tenant]]:
    """An application whose one customer has called over two months, with two keys, two models and one failure."""
    clock = FrozenClock(datetime(2026, 1, 30, tzinfo=UTC))
    async with start(sqlite_file, clock) as faremeter:
        tenant = faremeter.tenant()
        other_key = faremeter.another_key(tenant.account_id)
        for number, moment in enumerate(MOMENTS, start=1):
            clock.move_to(datetime.fromisoformat(moment).replace(tzinfo=UTC))
            assert (await faremeter.predict(tenant, [ROW] * number)).status_code == 200
            assert (await faremeter.predict(other_key, [[number, 0]] * 2, model="moody")).status_code in {200, 500}
        await faremeter.settled()
        yield faremeter, tenant


async def get(used: tuple[Installation, Tenant], path: str = "/v1/usage", **query: Any) -> Any:
    faremeter, tenant = used
    whole = {"from": "2026-01-01", "to": "2026-03-01", **query}
    return json_of(await faremeter.http.get(path, params=whole, headers=tenant.headers))


async def events(used: tuple[Installation, Tenant], **query: Any) -> list[dict[str, Any]]:
    """Return all events of a range, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await get(used, "/v1/usage/events", limit=3, cursor=cursor, **query)
        found += page["data"]
        cursor = page["next_cursor"]
    return found


def sums_of(found: list[dict[str, Any]]) -> dict[str, int]:
    good = [event for event in found if event["outcome"] == "succeeded"]
    return {
        "requests": len(good),
        "units": sum(event["units"] for event in good),
        "compute_ms": sum(-(-event["compute_us"] // 1000) for event in good),
        "results": 0,
        "failed": len(found) - len(good),
    }


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("bucket", ["hour", "day", "month"])
async def test_buckets_of_any_zone_add_up_to_the_events(
    used: tuple[Installation, Tenant], zone: str, bucket: str
) -> None:
    report = await get(used, tz=zone, bucket=bucket)
    total = sums_of(await events(used, tz=zone))
    assert report["total"] == total
    assert total["failed"] == 3  # numbers 1, 2 and 3 make that model fail
    for meter in (*METERS, "failed"):
        assert sum(row[meter] for row in report["data"]) == total[meter]
    assert (report["tz"], report["bucket"], report["as_of"]) == (zone, bucket, "2026-02-14T12:34:00Z")


@pytest.mark.parametrize("zone", ZONES)
async def test_a_day_of_any_zone_holds_the_events_of_that_day(used: tuple[Installation, Tenant], zone: str) -> None:
    for row in (await get(used, tz=zone, bucket="day"))["data"]:
        day = datetime.fromisoformat(row["start"])
        within = {"from": row["start"], "to": (day + timedelta(days=1)).isoformat()}
        expected = sums_of(await events(used, **within))
        assert {name: row[name] for name in expected} == expected


async def test_groups_tell_models_keys_and_versions_apart(used: tuple[Installation, Tenant]) -> None:
    _, tenant = used
    found = await events(used)
    by_model = await get(used, group_by="model", bucket="month")
    by_key = await get(used, group_by="key", bucket="month")
    by_version = await get(used, group_by="version", bucket="month")
    assert {row["model"] for row in by_model["data"]} == {"linear", "moody"}
    assert {row["version"] for row in by_version["data"]} == {"linear/1", "moody/1"}
    assert {row["key"] for row in by_key["data"]} == {event["key"] for event in found} > {tenant.key_id}
    for report in (by_model, by_key, by_version):
        assert report["total"] == sums_of(found)
    linear = sum(row["units"] for row in by_model["data"] if row["model"] == "linear")
    assert linear == sum(range(1, len(MOMENTS) + 1))


def _cell(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else "" if value is None else str(value)


async def test_the_csv_holds_the_same_events(
    used: tuple[Installation, Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering_service, "EXPORT_PAGE_ROWS", 4)  # several pages
    faremeter, tenant = used
    query = {"from": "2026-01-01", "to": "2026-03-01"}
    response = await faremeter.http.get("/v1/usage/events.csv", params=query, headers=tenant.headers)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="usage-20260101-20260301.csv"'
    records = list(csv.DictReader(io.StringIO(response.text)))
    found = await events(used)
    assert [record["id"] for record in records] == [event["id"] for event in found]
    for record, event in zip(records, found, strict=True):
        assert record == {name: _cell(value) for name, value in event.items()}
    assert [event["occurred_at"] for event in found] == sorted(event["occurred_at"] for event in found)


async def test_an_event_tells_all_of_itself(used: tuple[Installation, Tenant]) -> None:
    _, tenant = used
    first = next(event for event in await events(used) if event["key"] == tenant.key_id)  # two share the instant
    assert (first["key"], first["test"], first["model"], first["version"]) == (tenant.key_id, False, "linear", 1)
    assert (first["outcome"], first["delivered"], first["units"], first["amount"]) == ("succeeded", True, 1, "0.00001")
    assert first["occurred_at"] == "2026-01-31T07:59:00Z"


async def test_a_range_without_usage_is_empty(used: tuple[Installation, Tenant]) -> None:
    report = await get(used, **{"from": "2024-01-01", "to": "2024-02-01"})
    assert (report["data"], report["total"]) == ([], dict.fromkeys((*METERS, "failed"), 0))
    faremeter, tenant = used
    query = {"from": "2024-01-01", "to": "2024-02-01"}
    text = (await faremeter.http.get("/v1/usage/events.csv", params=query, headers=tenant.headers)).text
    assert text.count("\r\n") == 1


async def test_the_default_range_is_the_local_month(used: tuple[Installation, Tenant]) -> None:
    faremeter, tenant = used
    report = json_of(await faremeter.http.get("/v1/usage?tz=Asia/Shanghai", headers=tenant.headers))
    assert (report["from"], report["to"]) == ("2026-01-31T16:00:00Z", "2026-02-28T16:00:00Z")


BAD_QUERIES = {
    "from=yesterday": ("no_instant", "from"),
    "from=2026-02-30": ("no_instant", "from"),
    "to=2026-13": ("no_instant", "to"),
    "from=2026-03-02&to=2026-03-01": ("no_range", "to"),
    "from=2026-03-01&to=2026-03-01": ("no_range", "to"),
    "from=2020-01-01&to=2026-01-01": ("no_range", "to"),
    "from=9999-11-01&to=9999-12-01": ("no_range", "to"),
    "from=0001-01-01&tz=Asia/Shanghai": ("no_instant", "from"),
    "from=2026-03-01T00:07:00Z": ("range_cuts_quarter_hour", "from"),
    "from=2026-03-01&to=2026-03-02T00:00:01Z": ("range_cuts_quarter_hour", "to"),
    "tz=Mars/Olympus": ("zone_unknown", "tz"),
    "tz=../../etc/passwd": ("zone_unknown", "tz"),
    "bucket=week": ("invalid", "bucket"),
    "group_by=account": ("invalid", "group_by"),
}


@pytest.mark.parametrize(("query", "problem"), BAD_QUERIES.items(), ids=BAD_QUERIES)
async def test_a_bad_range_is_refused(faremeter: Installation, query: str, problem: tuple[str, str]) -> None:
    response = await faremeter.http.get(f"/v1/usage?{query}", headers=faremeter.tenant().headers)
    assert_problem(response, Expected(400, *problem))


async def test_usage_of_test_keys_stands_apart_as_it_does_on_the_invoice(faremeter: Installation) -> None:
    live = faremeter.tenant()
    test = faremeter.another_key(live.account_id, live=False)
    assert (await faremeter.predict(live, [ROW] * 2)).status_code == 200
    assert (await faremeter.predict(test, [ROW] * 3)).status_code == 200
    await faremeter.settled()
    for path, name in (("/v1/usage", "total"), ("/v1/usage/events", "data")):
        ordinary, of_tests = [
            json_of(await faremeter.http.get(path, params={"test": flag}, headers=live.headers))[name]
            for flag in ("false", "true")
        ]
        if name == "data":
            assert ([e["units"] for e in ordinary], [e["units"] for e in of_tests]) == ([2], [3])
        else:
            assert (ordinary["units"], of_tests["units"]) == (2, 3)
