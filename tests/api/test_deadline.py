"""A call ends at its deadline, whatever hangs, and costs nothing then."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from app.accounts.rate_limits import RateLimits
from tests.api.gate import GATE
from tests.api.installation import Installation, until
from tests.api.problems import Expected, assert_problem
from tests.installation_fixtures import Start


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hurried(sqlite_file: str, start: Start) -> AsyncIterator[Installation]:
    """An application whose calls have one second."""
    async with start(sqlite_file, request_deadline_s=1) as installation:
        yield installation


async def test_a_model_that_hangs_is_a_504_that_charges_nothing(hurried: Installation) -> None:
    tenant = hurried.tenant()
    with GATE.closed():
        response = await hurried.predict(tenant, [[7, 0]], model="moody", Idempotency_Key="hangs")
        assert_problem(response, Expected(504, "deadline_exceeded"))
    await hurried.settled()
    traces = hurried.traces(tenant.account_id)
    assert (traces.events, traces.rollups, traces.claims) == (0, 0, 0)
    again = await hurried.predict(tenant, [[7, 0]], model="moody", Idempotency_Key="hangs")
    assert again.status_code == 200
    assert len(hurried.events(tenant.account_id)) == 1


async def test_a_call_that_waited_in_vain_has_used_no_rate_and_one_that_ran_has(hurried: Installation) -> None:
    tenant = hurried.tenant()
    hurried.services.limits.set_of_key(tenant.account_id, tenant.key_id, RateLimits(requests_per_minute=9))
    with GATE.closed():
        running = asyncio.create_task(hurried.predict(tenant, [[6, 0]], model="moody"))
        await asyncio.to_thread(GATE.wait_until_reached)
        waiting = asyncio.create_task(hurried.predict(tenant, [[7, 0]], model="moody"))
        await until(lambda: hurried.waiting("moody") == 1)
        for call in (running, waiting):
            assert_problem(await call, Expected(504, "deadline_exceeded"))
    answer = await hurried.predict(tenant, [[5, 0]], model="moody")
    assert answer.headers["ratelimit"].startswith('"key_requests_per_minute";r=7')
