"""What an account is on and owes: /v1/account, /v1/plan, /v1/invoices, and the CSV of an invoice."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from app.clock import FrozenClock
from tests.api.installation import OPERATOR, ROW, Installation, Tenant, json_of
from tests.api.problems import Expected, assert_problem
from tests.installation_fixtures import Start

RUN = "/v1/admin/invoice-runs"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def invoiced(sqlite_file: str, start: Start) -> AsyncIterator[tuple[Installation, Tenant]]:
    """An application on whose tiered plan an account has used 12 rows in January and 3 in February."""
    clock = FrozenClock(datetime(2026, 1, 1, tzinfo=UTC))
    async with start(sqlite_file, clock) as faremeter:
        tenant = faremeter.tenant("tiered")
        for month, rows in ((1, 12), (2, 3)):
            clock.move_to(datetime(2026, month, 20, tzinfo=UTC))
            assert (await faremeter.predict(tenant, [ROW] * rows)).status_code == 200
        assert (await faremeter.http.post(RUN, json={"month": "2026-01"}, auth=OPERATOR)).status_code == 200
        assert (await faremeter.http.post(RUN, json={"month": "2026-02"}, auth=OPERATOR)).status_code == 200
        yield faremeter, tenant


async def test_an_invoice_is_exact_to_the_nano_and_rounded_to_the_cent(invoiced: tuple[Installation, Tenant]) -> None:
    faremeter, tenant = invoiced
    listed = json_of(await faremeter.http.get("/v1/invoices", headers=tenant.headers))
    february, january = listed["data"]
    assert listed["next_cursor"] is None
    assert (february["status"], february["number"]) == ("draft", None)
    assert (january["status"], january["currency"]) == ("issued", "USD")
    assert january["number"]
    assert (january["period_start"], january["period_end"]) == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    fee, usage = sorted(january["lines"], key=lambda line: line["kind"])
    assert (usage["model"], usage["meter"], usage["quantity"]) == ("linear", "units", 12)
    assert [(part["quantity"], part["unit_price"], part["amount"]) for part in usage["parts"]] == [
        (10, "0.001", "0.01"),
        (2, "0.0005", "0.001"),
    ]
    assert (usage["exact_amount"], usage["amount"]) == ("0.011", "0.01")
    assert fee["amount"] == "9.00"
    assert (january["subtotal"], january["tax"], january["total"]) == ("9.01", "0.00", "9.01")
    one = json_of(await faremeter.http.get(f"/v1/invoices/{january['id']}", headers=tenant.headers))
    assert one == january


async def test_the_csv_of_an_invoice_holds_its_lines(invoiced: tuple[Installation, Tenant]) -> None:
    faremeter, tenant = invoiced
    invoice = json_of(await faremeter.http.get("/v1/invoices?limit=2", headers=tenant.headers))["data"][1]
    response = await faremeter.http.get(f"/v1/invoices/{invoice['id']}.csv", headers=tenant.headers)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == f'attachment; filename="{invoice["number"]}.csv"'
    records = list(csv.DictReader(io.StringIO(response.text)))
    assert [(r["exact_amount"], r["amount"]) for r in records] == [
        (line["exact_amount"], line["amount"]) for line in invoice["lines"]
    ]
    assert {record["number"] for record in records} == {invoice["number"]}


async def test_invoices_are_listed_page_by_page(invoiced: tuple[Installation, Tenant]) -> None:
    faremeter, tenant = invoiced
    first = json_of(await faremeter.http.get("/v1/invoices?limit=1", headers=tenant.headers))
    rest = json_of(
        await faremeter.http.get(f"/v1/invoices?limit=1&cursor={first['next_cursor']}", headers=tenant.headers)
    )
    assert (first["data"][0]["status"], rest["data"][0]["status"]) == ("draft", "issued")
    assert rest["next_cursor"] is None
    stranger = faremeter.tenant()
    foreign = await faremeter.http.get(f"/v1/invoices?cursor={first['next_cursor']}", headers=stranger.headers)
    unknown = await faremeter.http.get("/v1/invoices?cursor=inv_0", headers=stranger.headers)
    for response in (foreign, unknown):
        assert_problem(response, Expected(422, "invalid_cursor", "cursor"))
    assert foreign.json()["detail"] == unknown.json()["detail"]


async def test_an_invoice_is_not_found_by_another_accounts_number(invoiced: tuple[Installation, Tenant]) -> None:
    faremeter, tenant = invoiced
    number = json_of(await faremeter.http.get("/v1/invoices", headers=tenant.headers))["data"][1]["number"]
    assert (await faremeter.http.get(f"/v1/invoices/{number}", headers=tenant.headers)).status_code == 200
    response = await faremeter.http.get(f"/v1/invoices/{number}", headers=faremeter.tenant().headers)
    assert_problem(response, Expected(404, "invoice_not_found", "invoice", hint=False))


async def test_a_call_in_a_period_that_was_invoiced_meanwhile_is_not_charged(
    invoiced: tuple[Installation, Tenant],
) -> None:
    faremeter, tenant = invoiced
    faremeter.clock.move_to(datetime(2026, 1, 31, tzinfo=UTC))  # a host whose clock is far behind
    response = await faremeter.predict(tenant, Idempotency_Key="late")
    faremeter.clock.move_to(datetime(2026, 2, 20, tzinfo=UTC))
    assert_problem(response, Expected(503, "period_closed", hint=False))
    await faremeter.settled()
    traces = faremeter.traces(tenant.account_id)
    assert (traces.events, traces.claims) == (2, 0)


async def test_the_plan_and_the_account_are_shown(faremeter: Installation) -> None:
    tenant = faremeter.tenant("tiered")
    plan = json_of(await faremeter.http.get("/v1/plan", headers=tenant.headers))
    assert (plan["key"], plan["version"], plan["currency"], plan["base_fee"]) == ("tiered", 1, "USD", "9.00")
    tiers = [{"up_to": 10, "unit_price": "0.001"}, {"up_to": None, "unit_price": "0.0005"}]
    assert plan["prices"] == [{"model": "linear", "meter": "units", "scheme": "graduated", "tiers": tiers}]
    account = json_of(await faremeter.http.get("/v1/account", headers=tenant.headers))
    assert (account["id"], account["zone"], account["closed_through"]) == (tenant.account_id, "UTC", None)


async def test_an_account_without_a_plan_is_told_so(faremeter: Installation) -> None:
    tenant = faremeter.tenant(plan=None)
    assert_problem(await faremeter.http.get("/v1/plan", headers=tenant.headers), Expected(402, "no_plan"))
    assert json_of(await faremeter.http.get("/v1/invoices", headers=tenant.headers))["data"] == []


@pytest.mark.parametrize("path", ["/v1/invoices/inv_0", "/v1/invoices/inv_0.csv", "/v1/invoices/'OR 1=1"])
async def test_an_invoice_that_nobody_made_is_not_found(faremeter: Installation, path: str) -> None:
    response = await faremeter.http.get(path, headers=faremeter.tenant().headers)
    assert_problem(response, Expected(404, "invoice_not_found", "invoice", hint=False))
