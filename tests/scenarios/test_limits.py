"""Goal: several serving processes keep to one limit, with a real Redis that is killed in the middle."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from app.accounts.rate_limits import RateLimits
from app.bootstrap import Books
from tests.redis_server import RedisServer, redis_server
from tests.scenarios.crowd import build_crowd, most_inside
from tests.scenarios.server_process import ServerProcess, Tenant, books_on, http_client, tenants

PLAN = """
key = "crowd"
currency = "USD"
billing = "postpaid"
base_fee = "0"
[[price]]
model = "crowd"
meter = "units"
scheme = "per_unit"
unit_price = "0.001"
"""
CLIENTS = 16
CROWD_MAX = 5
ABORTED = 0.1
PATIENCE_MS = 5000  # a machine that does much else at the same time is no Redis that is away
PREDICT = "/v1/models/crowd/predict"
UNNOTED, NOTED = {"inputs": [[0.0]]}, {"inputs": [[1.0]]}


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


async def test_processes_keep_to_one_limit_and_go_on_without_redis(
    postgres_url: str,
    tmp_path: Path,
    redis: RedisServer,
    n: Callable[[int, int], int],
    figures: Callable[[str], None],
) -> None:
    models_dir = tmp_path / "models"
    build_crowd(models_dir)
    books = books_on(postgres_url, tmp_path)
    hasty, crowded = tenants(books, PLAN, 2)
    limit = n(60, 600)
    _limit(books, hasty, RateLimits(requests_per_minute=limit))
    _limit(books, crowded, RateLimits(concurrency_max=CROWD_MAX))
    settings = {"models_dir": str(models_dir), "redis_url": redis.url, "redis_wait_ms": str(PATIENCE_MS)}
    workers = n(2, 4)
    with ServerProcess(postgres_url, tmp_path, "--http-workers", str(workers), **settings) as server:
        while server.log.read_text().count('"model_ready"') < workers:
            time.sleep(0.1)  # noqa: ASYNC251 - nothing else runs here yet
        admitted = await _hasten(server.url, hasty, calls=3 * limit)
        answered, left = await _crowd(server.url, crowded, clients=n(40, 200), calls=n(300, 20_000))
        assert most_inside(models_dir) == CROWD_MAX
        await _all_slots_free(redis)
        redis.kill()
        without = await _ask(server.url, crowded, calls=20)
        assert without[200] > 0
        assert set(without) <= {200, 429}
        assert _gauge(await _metrics(server.url)) == 1
        redis.start()
        await _back(server.url, crowded)
        told = await _metrics(server.url)
    assert _answers_in(told) >= 3 * limit + answered + 20  # of all processes, whichever was asked
    books.database.dispose()
    figures(
        f"admitted by minute {dict(admitted)} of {limit}; {answered} answers, {left} left, never more than 5 at once"
    )


def _limit(books: Books, tenant: Tenant, limits: RateLimits) -> None:
    (key,) = books.accounts.list_keys(tenant.account_id)
    books.limits.set_of_key(tenant.account_id, key.id, limits)


async def _hasten(url: str, tenant: Tenant, *, calls: int) -> Counter[int]:
    """Call as fast as can be; return how many were admitted in each minute, which nobody may exceed."""
    admitted: Counter[int] = Counter()
    full: set[int] = set()

    async def client() -> None:
        async with http_client(url, tenant.headers) as http:
            for _ in range(calls // CLIENTS):
                answer = await http.post(PREDICT, json=UNNOTED)
                reset = re.search(r";t=(\d+)", answer.headers["ratelimit"])
                assert reset
                minute = round((time.time() + int(reset[1])) / 60)
                admitted[minute] += answer.status_code == 200
                if answer.status_code != 200:
                    assert answer.json()["limit"] == "key_requests_per_minute"
                    full.add(minute)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    limit = calls // 3
    assert full
    assert all(count <= limit for count in admitted.values())
    assert all(admitted[minute] == limit for minute in full)  # what was refused has consumed nothing
    return admitted


async def _crowd(url: str, tenant: Tenant, *, clients: int, calls: int) -> tuple[int, int]:
    """Call from many clients, of which some leave before their answer; return how many stayed, and how many left."""
    answered = left = 0
    chance = random.Random(4)

    async def client() -> None:
        nonlocal answered, left
        for _ in range(calls // clients):
            async with http_client(url, tenant.headers) as http:
                try:
                    async with asyncio.timeout(chance.uniform(0, 0.05) if chance.random() < ABORTED else None):
                        answer = await http.post(PREDICT, json=NOTED)
                except TimeoutError:
                    left += 1
                    continue
            assert answer.status_code in {200, 429}, answer.text
            answered += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    return answered, left


async def _all_slots_free(redis: RedisServer) -> None:
    """Wait until no slot is taken: long before its lease would end it."""
    with Redis.from_url(redis.url) as client:
        while client.keys("faremeter:slots:*"):  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.05)


async def _ask(url: str, tenant: Tenant, *, calls: int) -> Counter[int]:
    async with http_client(url, tenant.headers) as http:
        answers = [await http.post(PREDICT, json=NOTED) for _ in range(calls)]
    return Counter(answer.status_code for answer in answers)


async def _back(url: str, tenant: Tenant) -> None:
    """Call until no process misses its Redis any more."""
    while _gauge(await _metrics(url)):
        await _ask(url, tenant, calls=4)
        await asyncio.sleep(0.2)


async def _metrics(url: str) -> str:
    async with httpx.AsyncClient(base_url=url, verify=False, trust_env=False) as http:
        return (await http.get("/metrics")).text


def _gauge(metrics: str) -> float:
    found = re.search(r"^faremeter_limits_without_redis (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else 0


def _answers_in(metrics: str) -> int:
    pattern = r'^faremeter_http_responses_total\{route="/v1/models/\{model\}/predict",status="(?:200|429)"\} (\S+)$'
    return sum(int(float(count)) for count in re.findall(pattern, metrics, re.MULTILINE))
