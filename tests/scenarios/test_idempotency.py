"""Goal: for one Idempotency-Key there is one charge and one answer, however many ask, and whoever dies on the way.

Method: real servers on one database, and an account whose credit, budget and key's budget are for one call, to the
nano. Fifty calls at once under one key get one answer. Then a server kills itself at each point between claim, hold,
run, commit and answer, while calls under one key wait for it; their repeats at another server are charged exactly once,
and credit, holds and books are as if nothing had happened.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from app.accounts.budget import Measure, Window
from app.bootstrap import Books
from app.charging.tables import ClaimRow, GateCounterRow, GatePositionRow, HoldRow
from app.metering.tables import UsageEventRow
from app.self_audit.service import SelfAudit
from tests.scenarios.failpoints import POINTS, RECORDED
from tests.scenarios.nursery import Nursery, Server
from tests.scenarios.server_process import Tenant, http_client, tenants

PRICE_NANOS = 3_000_000
PLAN = """
key = "once"
currency = "USD"
billing = "prepaid"
base_fee = "0"
[[price]]
model = "linear"
meter = "units"
scheme = "per_unit"
unit_price = "0.003"
"""
CALLS, CALLS_AT_A_DYING_SERVER = 50, 10
Start = Callable[..., Server]
REPEATS_MAX, REPEAT_EVERY_S = 400, 0.1
ONE, OTHER = [0.02] * 10, [0.03] * 10
LEASE_S = "60"  # nobody is taken for dead who is slow; a dead one of this host is known by its pid


@pytest.fixture(scope="module")
def any_nursery(tmp_path_factory: pytest.TempPathFactory) -> Nursery:
    return Nursery(tmp_path_factory.mktemp("nursery"), process_lease_s=LEASE_S)


@pytest.fixture
def start(any_nursery: Nursery, database_url: str) -> Iterator[Start]:
    """Start servers on the scenario's database, which end with it."""
    yield partial(any_nursery.start, database_url)
    any_nursery.end_all()


@pytest.mark.timeout(600)
async def test_fifty_calls_at_once_under_one_key_are_one_charge_and_one_answer(
    books: Books, start: Start, n: Callable[[int, int], int], figures: Callable[[str], None]
) -> None:
    servers = [start(), start()]
    told: Counter[int] = Counter()
    for tenant in _tenants_of_one_call(books, n(2, 40)):
        key = str(uuid4())
        async with _clients(servers, tenant, CALLS) as clients:
            answers = await asyncio.gather(*(_call(http, key) for http in clients))
            told.update(answer.status_code for answer in answers)
            assert {answer.status_code for answer in answers} <= {200, 409}
            assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 409)
            ran = [each for each in answers if each.status_code == 200 and "idempotent-replayed" not in each.headers]
            assert len(ran) == 1
            later = await asyncio.gather(*(_call(http, key) for http in clients[:4]))
        replays = [each for each in answers if each.status_code == 200 and each is not ran[0]] + later
        assert {_said(each) for each in replays} == {_said(ran[0])}
        assert all(each.headers["idempotent-replayed"] == "true" for each in replays)
        _require_one_charge(books, tenant, ran[0])
    _require_clean_books(books)
    figures(f"{sum(told.values())} calls under {told.total() // CALLS} keys: {dict(told)}, one charge for each key")


@pytest.mark.timeout(600)
async def test_of_two_bodies_at_once_under_one_key_one_runs(
    books: Books, start: Start, n: Callable[[int, int], int]
) -> None:
    servers = [start(), start()]
    for tenant in _tenants_of_one_call(books, n(2, 40)):
        key = str(uuid4())
        async with _clients(servers, tenant, 20) as clients:
            bodies = [ONE, ONE, OTHER, OTHER]  # each body at each server
            calls = [_call(http, key, bodies[at % 4]) for at, http in enumerate(clients)]
            answers = await asyncio.gather(*calls)
            (first,) = (at for at, each in enumerate(answers) if _ran(each))
            winner = bodies[first % 4]
            for at, answer in enumerate(answers):
                assert answer.status_code in ({200, 409} if bodies[at % 4] == winner else {422})
            assert _said(await _call(clients[0], key, winner)) == _said(answers[first])
            refused = await _call(clients[1], key, OTHER if winner == ONE else ONE)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
        _require_one_charge(books, tenant, answers[first])
    _require_clean_books(books)


@pytest.mark.timeout(900)
async def test_a_server_that_dies_at_any_point_of_a_call_leaves_it_charged_once(
    database_url: str,
    books: Books,
    start: Start,
    n: Callable[[int, int], int],
    figures: Callable[[str], None],
) -> None:
    # In short each database has every other point: both together have all of them.
    first = n(int(database_url.startswith("sqlite")), 0)
    points = POINTS[first :: n(2, 1)] * n(1, 10)
    survivor = start()
    for point, tenant in zip(points, _tenants_of_one_call(books, len(points)), strict=True):
        key, dying = str(uuid4()), start(point)
        async with _clients([dying], tenant, CALLS_AT_A_DYING_SERVER) as clients:
            broken = await asyncio.gather(*(_call(http, key) for http in clients), return_exceptions=True)
        await _until_dead(dying)
        assert {type(each) for each in broken if not isinstance(each, httpx.Response)}, "nobody waited for it"
        assert all(isinstance(each, httpx.TransportError) or not _is_charged(each) for each in broken)
        is_recorded = POINTS.index(point) >= RECORDED
        assert len(_events_of(books, tenant)) == is_recorded
        async with _clients([survivor], tenant, CALLS_AT_A_DYING_SERVER) as clients:
            answers = await asyncio.gather(*(_repeated(http, key) for http in clients))
        assert len({_said(answer) for answer in answers}) == 1
        assert sum(map(_ran, answers)) == (not is_recorded)
        _require_one_charge(books, tenant, answers[0])
    _require_clean_books(books)
    figures(f"{len(points)} servers killed at {len(set(points))} points of a call: each call charged once")


def _tenants_of_one_call(books: Books, count: int) -> list[Tenant]:
    """Return accounts whose credit, own budget and key's budget are what one call costs."""
    made = tenants(books, PLAN, count)
    for tenant in made:
        books.credits.grant(tenant.account_id, amount_nanos=PRICE_NANOS)
        key = books.accounts.list_keys(tenant.account_id)[0]
        for key_id in (None, key.id):
            books.budgets.set(
                tenant.account_id,
                key_id=key_id,
                measure=Measure.MONEY,
                window=Window.TOTAL,
                limit_value=PRICE_NANOS,
            )
    return made


@asynccontextmanager
async def _clients(servers: Sequence[Server], tenant: Tenant, count: int) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Return clients with a connection each, to the servers in turn."""
    async with AsyncExitStack() as stack:
        made = [http_client(servers[at % len(servers)].url, tenant.headers) for at in range(count)]
        yield [await stack.enter_async_context(http) for http in made]


async def _call(http: httpx.AsyncClient, key: str, row: Sequence[float] = ONE) -> httpx.Response:
    body = {"inputs": [list(row)]}
    return await http.post("/v1/models/linear/predict", json=body, headers={"Idempotency-Key": key})


async def _repeated(http: httpx.AsyncClient, key: str) -> httpx.Response:
    """Repeat a call until it has an answer: 409 says that it still runs, or that nobody knows yet that it died."""
    for _ in range(REPEATS_MAX):
        answer = await _call(http, key)
        if answer.status_code != 409:
            break
        await asyncio.sleep(REPEAT_EVERY_S)
    assert answer.status_code == 200, answer.text
    return answer


async def _until_dead(server: Server) -> None:
    for _ in range(REPEATS_MAX):
        if server.is_dead():
            return
        await asyncio.sleep(REPEAT_EVERY_S)
    raise AssertionError("the server has not reached its failpoint")


def _ran(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and "idempotent-replayed" not in answer.headers


def _is_charged(answer: httpx.Response | BaseException) -> bool:
    return isinstance(answer, httpx.Response) and answer.status_code == 200


def _said(answer: httpx.Response) -> tuple[int, str, bytes]:
    """Return what a repeat must get as well."""
    return answer.status_code, answer.headers["content-type"], answer.content


def _events_of(books: Books, tenant: Tenant) -> list[str]:
    with books.database.reading() as session:
        return list(session.scalars(select(UsageEventRow.id).where(UsageEventRow.account_id == tenant.account_id)))


def _require_one_charge(books: Books, tenant: Tenant, answer: httpx.Response) -> None:
    """The one event is that of the answer; it has used up the credit and both budgets, and nothing is held."""
    assert _events_of(books, tenant) == [answer.json()["id"]]
    balance = books.credits.balance(tenant.account_id)
    assert (balance.total_nanos, balance.held_nanos) == (0, 0)
    states = books.budgets.list(tenant.account_id)
    assert [(state.used, state.held) for state in states] == [(PRICE_NANOS, 0)] * 2


def _require_clean_books(books: Books) -> None:
    with books.database.reading() as session:
        assert session.scalars(select(HoldRow.event_id)).all() == []
        assert session.scalars(select(ClaimRow.event_id).where(ClaimRow.state == "running")).all() == []
        assert not any(session.scalars(select(GateCounterRow.held)))
        assert not any(session.scalars(select(GatePositionRow.held_requests)))
    report = SelfAudit(books.database, books.clock).run()
    assert [result for result in report.results if result.differences] == []
