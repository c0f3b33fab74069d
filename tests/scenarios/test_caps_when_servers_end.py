"""Goal: however a server ends, what its calls held comes back, and never more than fits is charged.

Method: a prepaid account with credit for ten calls, and a model that is held back while calls are in it, so that a
server holds all ten. Then it is killed, stopped for longer than its lease, or told to end; another server, or the
worker alone, frees what the dead held. Afterwards exactly ten calls were charged in all, and nothing is held.
"""

import asyncio
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from app.bootstrap import Books
from app.charging.tables import ProcessLeaseRow
from app.metering.tables import UsageEventRow
from tests.scenarios.fleet import fleet, held_in, holds_in, is_at_rest
from tests.scenarios.server_process import LOOPBACK, ServerProcess, Tenant, http_client, tenants
from tests.scenarios.test_disconnects import CALL_NANOS, PLAN
from tests.scenarios.wayward import JSON, PREDICT, Wish, body_of, build_wayward, held_back

FIT, LESS = 10, 4
LEASE_S = "6"  # so long that nobody is taken for dead who is merely slow
CLIENTS = 8
_WAIT_S_MAX = 60


@pytest.fixture
def tenant(books: Books) -> Tenant:
    """An account in which ten calls fit."""
    (tenant,) = tenants(books, PLAN, 1)
    books.credits.grant(tenant.account_id, amount_nanos=FIT * CALL_NANOS)
    return tenant


@pytest.mark.timeout(600)
async def test_what_a_stopped_or_killed_server_held_is_freed_by_another(
    database_url: str, books: Books, tmp_path: Path, tenant: Tenant, figures: Callable[[str], None]
) -> None:
    async with fleet(database_url, tmp_path, 2, **_settings(tmp_path)) as (mortal, other):
        async with _holding(books, mortal, tenant) as calls:
            assert await _statuses(other, tenant, 1) == {402: 1}
            with _stopped(mortal):
                await _until(lambda: holds_in(books) == 0)  # it lives, and gives no sign of life
                assert await _statuses(other, tenant, FIT - LESS) == {200: FIT - LESS}
        went_on = Counter(answer.status_code for answer in await calls)
        assert went_on == {200: LESS, 503: FIT - LESS}  # they all ran; for six there is no room any more
        assert {answer.json()["code"] for answer in await calls if answer.status_code == 503} == {"hold_lost"}
        _require_spent(books, tenant)
        books.credits.grant(tenant.account_id, amount_nanos=FIT * CALL_NANOS)
        async with _holding(books, mortal, tenant) as calls:
            mortal.kill()
            await _until(lambda: is_at_rest(books))
            assert books.credits.balance(tenant.account_id).available_nanos == FIT * CALL_NANOS
        assert all(isinstance(each, httpx.TransportError) for each in await calls)
        assert await _statuses(other, tenant, FIT + 1) == {200: FIT, 402: 1}
        _require_spent(books, tenant, calls=2 * FIT)
    figures(f"stopped with {FIT} holds: {dict(went_on)} after {FIT - LESS} went elsewhere; killed: {FIT} came back")


@pytest.mark.timeout(600)
async def test_a_server_ends_well_with_held_calls_and_the_worker_frees_what_a_killed_one_held(
    database_url: str, books: Books, tmp_path: Path, tenant: Tenant, figures: Callable[[str], None]
) -> None:
    async with fleet(database_url, tmp_path, 1, **_settings(tmp_path)) as (server,):
        async with _holding(books, server, tenant):
            server.kill()
            assert holds_in(books) == FIT
            async with _worker(server.environment):
                await _until(lambda: is_at_rest(books))
        assert books.credits.balance(tenant.account_id).available_nanos == FIT * CALL_NANOS
        await asyncio.to_thread(server.start)
        books.credits.grant(tenant.account_id, amount_nanos=100_000 * CALL_NANOS)
        answered, left = await _end_under_load(books, server, tenant)
    with books.database.reading() as session:
        events = set(session.scalars(select(UsageEventRow.id).where(UsageEventRow.outcome == "succeeded")))
        leases = session.scalar(select(func.count()).select_from(ProcessLeaseRow))
    assert events == answered
    assert (leases, is_at_rest(books), any(held_in(books, [tenant.account_id]))) == (0, True, False)
    charged_nanos = (100_000 + FIT) * CALL_NANOS - books.credits.balance(tenant.account_id).available_nanos
    assert charged_nanos == len(answered) * CALL_NANOS
    assert books.self_audit.run().clean
    figures(
        f"SIGTERM under {CLIENTS} clients: exit 0, {len(answered)} answers and events, {left} turned away, none lost"
    )


async def _end_under_load(books: Books, server: ServerProcess, tenant: Tenant) -> tuple[set[str], int]:
    """Send SIGTERM while calls are held in the model and others come; return the answered, and how many were not."""
    ids: set[str] = set()
    turned_away = 0

    async def client() -> None:
        nonlocal turned_away
        async with http_client(server.url, tenant.headers) as http:
            while True:
                try:
                    answer = await http.post(PREDICT, content=body_of(Wish.ANSWER), headers=JSON)
                except httpx.TransportError:
                    turned_away += 1
                    return
                if answer.status_code == 200:
                    ids.add(answer.json()["id"])
                else:
                    assert answer.status_code == 503, answer.text
                    turned_away += 1

    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    await _until(lambda: len(ids) > CLIENTS)
    async with _holding(books, server, tenant, among=CLIENTS) as calls:
        process = server.process
        process.send_signal(signal.SIGTERM)
        await _until(lambda: not _listens(server))  # it is ending, and its calls still hold what they hold
    held = await calls
    assert {answer.status_code for answer in held} == {200}
    assert await asyncio.to_thread(process.wait, _WAIT_S_MAX) == 0
    await asyncio.gather(*clients)
    return ids | {answer.json()["id"] for answer in held}, turned_away


@asynccontextmanager
async def _holding(
    books: Books, server: ServerProcess, tenant: Tenant, among: int = 0
) -> AsyncIterator["asyncio.Future[list[httpx.Response]]"]:
    """Let a server hold ten calls, which are in its model or wait for it, for as long as the block lasts.

    `among` others may hold something besides. What is handed out are their answers, or what broke their connections.
    """
    with held_back(Path(server.environment["FAREMETER_MODELS_DIR"])):
        calls = asyncio.ensure_future(_ten_calls(server, tenant))
        await _until(lambda: holds_in(books) >= FIT + among or calls.done())
        assert not calls.done(), calls.result()
        yield calls


async def _ten_calls(server: ServerProcess, tenant: Tenant) -> list[httpx.Response]:
    async with http_client(server.url, tenant.headers) as http:
        calls = [http.post(PREDICT, content=body_of(Wish.WAIT), headers=JSON) for _ in range(FIT)]
        answers: list[httpx.Response] = await asyncio.gather(*calls, return_exceptions=True)  # type: ignore[assignment]
        return answers


async def _statuses(server: ServerProcess, tenant: Tenant, calls: int) -> Counter[int]:
    async with http_client(server.url, tenant.headers) as http:
        answers = [await http.post(PREDICT, content=body_of(Wish.ANSWER), headers=JSON) for _ in range(calls)]
    return Counter(answer.status_code for answer in answers)


def _require_spent(books: Books, tenant: Tenant, calls: int = FIT) -> None:
    """All credit became calls, and each of them has its event; nothing is held."""
    balance = books.credits.balance(tenant.account_id)
    assert (balance.total_nanos, balance.held_nanos, is_at_rest(books)) == (0, 0, True)
    assert not any(held_in(books, [tenant.account_id]))
    with books.database.reading() as session:
        assert session.scalar(select(func.sum(UsageEventRow.amount_nanos))) == calls * CALL_NANOS
    audit = books.self_audit.run()
    assert audit.clean, audit


@asynccontextmanager
async def _worker(environment: dict[str, str]) -> AsyncIterator[None]:
    worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "app", "worker", env=environment)
    try:
        yield
    finally:
        worker.terminate()
        await asyncio.wait_for(worker.wait(), _WAIT_S_MAX)


@contextmanager
def _stopped(server: ServerProcess) -> Iterator[None]:
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


def _listens(server: ServerProcess) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, server.port)) == 0


def _settings(folder: Path) -> dict[str, str]:
    """Build the models, and return the settings of servers that serve them."""
    build_wayward(folder / "models")
    return {"models_dir": str(folder / "models"), "process_lease_s": LEASE_S}


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(_WAIT_S_MAX):
        while not is_so():  # noqa: ASYNC110 - neither a database nor a process tells anybody
            await asyncio.sleep(0.02)
