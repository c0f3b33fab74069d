"""A call ends at its deadline, whatever hangs, and costs nothing then."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.api.gate import GATE
from tests.api.installation import Installation
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
