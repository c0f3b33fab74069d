from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from app.charging.limits import redis_outage, redis_returns
from app.charging.limits.redis_counters import RedisCounters
from tests.redis_server import RedisServer, redis_server

SOON_S = 0.05
PATIENCE_S = 5.0  # a machine that does much else at the same time is no Redis that is away


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
async def process(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[], RedisCounters]]:
    """Make the counters of another serving process; two of them share the limits. Redis is tried again soon."""
    monkeypatch.setattr(redis_outage, "_RETRY_S", SOON_S)
    monkeypatch.setattr(redis_returns, "_RETRY_S", SOON_S)
    async with AsyncExitStack() as stops:

        def make() -> RedisCounters:
            counters = RedisCounters(redis.url, processes=2, deadline_s=30, wait_s=PATIENCE_S)
            counters._asking.start()
            counters._returns.start()
            stops.push_async_callback(counters.stop)
            return counters

        yield make
