"""A model that fails is nobody's cost but ours: the call is a recorded failure of nothing, its neighbours succeed."""

import asyncio

import pytest

from app.metering.usage_event import Outcome
from app.period import Month
from tests.api.gate import GATE
from tests.api.installation import Installation, json_of, until
from tests.api.problems import Expected, assert_problem

FAILURES = {"raises": 1, "answers NaN": 2, "answers another shape": 3}


@pytest.mark.parametrize("wish", FAILURES.values(), ids=FAILURES)
async def test_a_model_that_fails_charges_nothing(faremeter: Installation, wish: int) -> None:
    tenant = faremeter.tenant()
    response = await faremeter.predict(tenant, [[wish, 0], [9, 0]], model="moody", Idempotency_Key="try")
    body = assert_problem(response, Expected(500, "model_failed", hint=False))
    assert "secret" not in response.text
    assert "nothing was charged" in body["detail"]
    await faremeter.settled()
    (event,) = faremeter.events(tenant.account_id)
    assert event.outcome is Outcome.FAILED
    assert (event.units, event.results, event.amount_nanos, event.compute_us) == (0, 0, 0, 0)
    assert faremeter.traces(tenant.account_id).claims == 0
    usage = json_of(await faremeter.http.get("/v1/usage", headers=tenant.headers))["total"]
    assert usage == {"requests": 0, "units": 0, "compute_ms": 0, "results": 0, "failed": 1}


async def test_a_failed_call_may_be_tried_again_under_its_key(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    for _ in range(2):
        response = await faremeter.predict(tenant, [[1, 0]], model="moody", Idempotency_Key="try")
        assert_problem(response, Expected(500, "model_failed", hint=False))
    other = await faremeter.predict(tenant, [[5, 0]], model="moody", Idempotency_Key="try")
    assert json_of(other)["outputs"] == [{"echo": 5.0}]


@pytest.mark.parametrize("wish", FAILURES.values(), ids=FAILURES)
async def test_the_neighbours_in_the_batch_succeed_and_only_they_pay(faremeter: Installation, wish: int) -> None:
    tenants = [faremeter.tenant() for _ in range(4)]
    wishes = [10, wish, 11, 12]
    with GATE.closed():
        first = asyncio.create_task(faremeter.predict(faremeter.tenant(), [[9, 0]], model="moody"))
        await asyncio.to_thread(GATE.wait_until_reached)
        calls = [
            asyncio.create_task(faremeter.predict(tenant, [[value, 0]], model="moody"))
            for tenant, value in zip(tenants, wishes, strict=True)
        ]
        await until(lambda: faremeter.waiting("moody") == len(calls))
    responses = await asyncio.gather(*calls)
    assert (await first).status_code == 200
    assert [response.status_code for response in responses] == [200, 500, 200, 200]
    assert [json_of(responses[place])["outputs"] for place in (0, 2, 3)] == [[{"echo": v}] for v in (10, 11, 12)]
    await faremeter.settled()
    amounts = [[event.amount_nanos for event in faremeter.events(tenant.account_id)] for tenant in tenants]
    assert amounts == [[250_000_000], [0], [250_000_000], [250_000_000]]


async def test_a_failure_does_not_reach_the_invoice(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    await faremeter.predict(tenant, [[1, 0]], model="moody")
    await faremeter.settled()
    now = faremeter.clock.now()
    faremeter.services.invoice_run.run(Month(now.year, now.month), tenant.account_id)
    assert faremeter.services.invoices.list(tenant.account_id).invoices == []
