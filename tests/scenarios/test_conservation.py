"""Goal: nothing is lost between the answer and the invoice. Many clients of two accounts send calls of random sizes to
the real server; then the clients' own sums, events, rollup, usage API and draft invoice must be the same numbers."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import func, select

from app.bootstrap import Books
from app.database import Database
from app.metering.tables import UsageEventRow, UsageRollupRow
from app.period import Month
from tests.scenarios.server_process import ServerProcess, Tenant, http_client, tenants

PLAN = """
key = "scenario"
currency = "USD"
billing = "postpaid"
base_fee = "0"
[[price]]
model = "linear"
meter = "units"
scheme = "per_unit"
unit_price = "0.000012345"
[[price]]
model = "linear"
meter = "requests"
scheme = "graduated"
[[price.tier]]
up_to = 100
unit_price = "0"
[[price.tier]]
unit_price = "0.0001"
"""
CLIENTS = 32
ROW = [0.01] * 10


async def test_events_rollup_usage_api_and_draft_invoice_are_the_same_numbers(
    database_url: str, books: Books, tmp_path: Path, n: Callable[[int, int], int], figures: Callable[[str], None]
) -> None:
    pair = tenants(books, PLAN, 2)
    with ServerProcess(database_url, tmp_path) as server:
        counted = await _send(server.url, pair, calls=n(1000, 5000))
        for tenant in pair:
            await _check(books, server.url, tenant, counted[tenant.account_id])
    figures(f"{CLIENTS} clients, by account {[dict(told) for told in counted.values()]}: all five sums equal")


async def _send(url: str, pair: list[Tenant], *, calls: int) -> dict[str, Counter[str]]:
    """Send the calls from all clients at once and return what each account's callers were told."""
    chance = random.Random(7)
    work = [(chance.choice(pair), chance.choice([1, 1, 1, 2, 5, 17])) for _ in range(calls)]
    counted: dict[str, Counter[str]] = {tenant.account_id: Counter() for tenant in pair}

    async def client() -> None:
        async with http_client(url) as http:
            while work:
                tenant, rows = work.pop()
                answer = await http.post(
                    "/v1/models/linear/predict", json={"inputs": [ROW] * rows}, headers=tenant.headers
                )
                assert answer.status_code == 200, answer.text
                counted[tenant.account_id]["requests"] += 1
                counted[tenant.account_id]["units"] += answer.json()["usage"]["units"]

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return counted


async def _check(books: Books, url: str, tenant: Tenant, counted: Counter[str]) -> None:
    told = (counted["requests"], counted["units"])
    assert _sums(books.database, tenant.account_id) == (told, told)
    async with http_client(url, tenant.headers) as http:
        total = (await http.get("/v1/usage", params={"bucket": "hour", "tz": "Asia/Kathmandu"})).json()["total"]
        assert (total["requests"], total["units"]) == told
        lines = (await http.get("/v1/usage/events.csv")).text.splitlines()
        assert len(lines) == 1 + counted["requests"]
        now = datetime.now(UTC)
        books.invoice_run.run(Month(now.year, now.month), tenant.account_id)
        (invoice,) = (await http.get("/v1/invoices")).json()["data"]
    assert invoice["status"] == "draft"
    by_meter = {line["meter"]: line for line in invoice["lines"]}
    assert (by_meter["requests"]["quantity"], by_meter["units"]["quantity"]) == told
    assert Decimal(by_meter["units"]["exact_amount"]) == counted["units"] * Decimal("0.000012345")
    beyond = max(0, counted["requests"] - 100)
    assert Decimal(by_meter["requests"]["exact_amount"]) == beyond * Decimal("0.0001")


def _sums(database: Database, account_id: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (requests, units) as the events say and as the rollup says."""
    event, rollup = UsageEventRow, UsageRollupRow
    with database.reading() as session:
        events = session.execute(
            select(func.count(), func.sum(event.units)).where(event.account_id == account_id)
        ).one()
        sums = session.execute(
            select(func.sum(rollup.requests), func.sum(rollup.units)).where(rollup.account_id == account_id)
        ).one()
    return (int(events[0]), int(events[1])), (int(sums[0]), int(sums[1]))
