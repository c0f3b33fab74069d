"""Goal: servers are replaced under load one after the other, and no call fails.

A balancer that asks /readyz and knows nothing else sends calls to two servers; one gets SIGTERM and a successor, then
the other. Every answer has its event, every event its answer; each process ends with 0 and gives its lease back.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from app.bootstrap import Books
from app.charging.tables import ProcessLeaseRow
from app.metering.tables import UsageEventRow, UsageRollupRow
from tests.scenarios.server_process import ServerProcess, Tenant, http_client, tenants
from tests.scenarios.test_conservation import PLAN

CLIENTS = 8
LOOK_EVERY_S = 0.1


@dataclass
class Balancer:
    """Sends each call to the next server whose last /readyz was 200."""

    servers: list[ServerProcess]
    ready: list[bool] = field(default_factory=list)
    turns: int = 0

    def next_url(self) -> str:
        urls = [server.url for server, ready in zip(self.servers, self.ready, strict=True) if ready]
        self.turns += 1
        return urls[self.turns % len(urls)]

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        self.ready = [True] * len(self.servers)
        looks = asyncio.create_task(self._look())
        yield
        looks.cancel()

    async def _look(self) -> None:
        async with httpx.AsyncClient(timeout=2, verify=False, trust_env=False) as http:
            while True:
                self.ready = [await _is_ready(http, server.url) for server in self.servers]
                await asyncio.sleep(LOOK_EVERY_S)


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        answer = await http.get(f"{url}/readyz")
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and answer.json()["versions_ready"] > 0


@pytest.mark.timeout(900)
async def test_a_rolling_restart_under_load_fails_no_call(
    database_url: str, books: Books, tmp_path: Path, n: Callable[[int, int], int], figures: Callable[[str], None]
) -> None:
    (tenant,) = tenants(books, PLAN, 1)
    servers = [ServerProcess(database_url, folder) for folder in (tmp_path / "one", tmp_path / "two")]
    for server in servers:
        server.log.parent.mkdir()
        server.environment |= {"FAREMETER_DRAIN_S": "2", "FAREMETER_LIMITS": "off"}
        await asyncio.to_thread(server.start)
    answers: list[httpx.Response] = []
    ended = asyncio.Event()
    statuses: list[int] = []
    balancer = Balancer(servers)
    async with balancer.looking():
        clients = [asyncio.create_task(_client(balancer, tenant, answers, ended)) for _ in range(CLIENTS)]
        for _ in range(n(1, 5)):
            statuses += [await asyncio.to_thread(_replace, server) for server in servers[: n(1, 2)]]
        ended.set()
        await asyncio.gather(*clients)
    statuses += [await asyncio.to_thread(_end, server) for server in servers]
    assert Counter(answer.status_code for answer in answers) == {200: len(answers)}
    assert statuses == [0] * len(statuses)
    with books.database.reading() as session:
        events = set(session.scalars(select(UsageEventRow.id)))
        counted = session.scalar(select(func.sum(UsageRollupRow.requests)))
        leases = session.scalars(select(ProcessLeaseRow.id)).all()
    assert events == {answer.json()["id"] for answer in answers}
    assert (counted, leases) == (len(answers), [])
    closing = sum(answer.headers.get("connection") == "close" for answer in answers)
    assert closing > 0
    figures(f"{len(answers)} calls, {len(statuses)} servers ended, 0 calls failed, 0 events lost, {closing} moved on")


async def _client(balancer: Balancer, tenant: Tenant, answers: list[httpx.Response], ended: asyncio.Event) -> None:
    async with http_client("", tenant.headers) as http:
        while not ended.is_set():
            url = f"{balancer.next_url()}/v1/models/linear/predict"
            answers.append(await http.post(url, json={"inputs": [[0.02] * 10]}))


def _replace(server: ServerProcess) -> int:
    """End the server, and start its successor at the same address."""
    status = _end(server)
    server.start()
    return status


def _end(server: ServerProcess) -> int:
    process = server.process
    server.end(signal.SIGTERM)
    assert process.returncode is not None
    return process.returncode
