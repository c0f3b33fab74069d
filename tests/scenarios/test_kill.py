"""Goal: `kill -9` of the server loses nothing that was paid for and charges nothing twice.

Method: 32 clients send calls, each under an Idempotency-Key of its own; the server is killed in the middle and started
again, several times. After each restart every 2xx that a client saw has exactly one usage event; any other event
belongs to a call whose connection broke (at most one per client and kill); and repeating such a call returns the
stored answer, or runs it now, and in the end it was charged once.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from app.bootstrap import Books
from app.charging.tables import ClaimRow
from app.metering.tables import UsageEventRow, UsageRollupRow
from tests.scenarios.server_process import ServerProcess, Tenant, http_client, tenants
from tests.scenarios.test_conservation import CLIENTS, PLAN

ANSWERS_BEFORE_KILL = (100, 400)
REPEATS_MAX = 100


@dataclass(slots=True)
class History:
    """What the clients saw: answers by idempotency key, and the keys of calls whose connection broke."""

    answers: dict[str, bytes] = field(default_factory=dict)
    event_ids: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def saw(self, key: str, answer: httpx.Response) -> None:
        self.answers[key] = answer.content
        self.event_ids[key] = answer.json()["id"]


@pytest.mark.timeout(900)
async def test_kill_9_loses_no_paid_call_and_charges_none_twice(
    database_url: str, books: Books, tmp_path: Path, n: Callable[[int, int], int], figures: Callable[[str], None]
) -> None:
    (tenant,) = tenants(books, PLAN, 1)
    history, server, stored_answers = History(), ServerProcess(database_url, tmp_path), 0
    with ExitStack() as stack:
        stack.callback(server.kill)  # whatever fails
        for _ in range(n(2, 10)):
            server.start()
            broken = await _load_until_killed(server, tenant, history)
            recorded = _recorded(books)
            assert set(history.event_ids.values()) <= recorded.keys()
            unseen = {recorded[event_id] for event_id in recorded.keys() - set(history.event_ids.values())}
            assert unseen <= broken
            assert len(unseen) <= CLIENTS
            server.start()
            stored_answers += await _repeat(server, tenant, broken, history, unseen)
            server.end()
            assert _recorded(books).keys() == set(history.event_ids.values())
            assert _counted(books) == len(history.event_ids)
    assert history.answers
    figures(
        f"answers {len(history.answers)}, connections broken {len(history.broken)}, stored answers {stored_answers}"
    )


async def _load_until_killed(server: ServerProcess, tenant: Tenant, history: History) -> set[str]:
    """Send calls from all clients, kill the server in the middle, and return the keys of the calls that broke."""
    broken: set[str] = set()

    async def client() -> None:
        async with http_client(server.url) as http:
            while True:
                key = str(uuid4())
                try:
                    answer = await _call(http, tenant, key)
                except httpx.TransportError:
                    broken.add(key)
                    return
                assert answer.status_code == 200, answer.text + server.log.read_text()[-4000:]
                history.saw(key, answer)
                if len(history.answers) >= kill_at:
                    enough.set()

    enough, kill_at = asyncio.Event(), len(history.answers) + random.randint(*ANSWERS_BEFORE_KILL)
    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    waiting = asyncio.create_task(enough.wait())
    await asyncio.wait([waiting, *clients], timeout=300, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    server.kill()
    await asyncio.gather(*clients)  # tells of a call that failed before the kill
    assert enough.is_set(), f"too few answers: {server.log.read_text()[-4000:]}"
    history.broken |= broken
    return broken


async def _repeat(server: ServerProcess, tenant: Tenant, broken: set[str], history: History, unseen: set[str]) -> int:
    """Repeat the broken calls until each has its answer; return how many answers had been stored before the kill."""
    replayed = 0
    async with http_client(server.url) as http:
        for key in broken:
            for _ in range(REPEATS_MAX):  # 409 while the dead process's lease has not run out
                answer = await _call(http, tenant, key)
                if answer.status_code == 200:
                    break
                assert answer.status_code == 409, answer.text
                await asyncio.sleep(0.1)
            assert (answer.headers.get("idempotent-replayed") == "true") == (key in unseen)
            replayed += key in unseen
            history.saw(key, answer)
            again = await _call(http, tenant, key)
            assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
    return replayed


async def _call(http: httpx.AsyncClient, tenant: Tenant, key: str) -> httpx.Response:
    headers = {**tenant.headers, "Idempotency-Key": key}
    return await http.post("/v1/models/linear/predict", json={"inputs": [[0.02] * 10]}, headers=headers)


def _recorded(books: Books) -> dict[str, str]:
    """Return the idempotency key of every usage event; an event without a stored answer would have none."""
    with books.database.reading() as session:
        rows = session.execute(
            select(UsageEventRow.id, ClaimRow.idempotency_key).outerjoin(
                ClaimRow, (ClaimRow.event_id == UsageEventRow.id) & (ClaimRow.state == "done")
            )
        ).all()
    return {row.id: row.idempotency_key for row in rows}


def _counted(books: Books) -> int:
    with books.database.reading() as session:
        return int(session.scalar(select(func.sum(UsageRollupRow.requests))) or 0)
