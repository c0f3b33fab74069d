"""Goal: where ten calls fit, ten of a hundred pass, whichever processes they reach, and nothing is left over.

Method: four real servers on one database. Each repeat takes a fresh account whose prepaid balance, account budget or
key budget is what ten calls cost, to the nano, and sends a hundred calls at once, 25 to each server. Ten get 200,
ninety 402 with the bound's name; one more on each server gets 402, too. Then the books say what the callers were told.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from app.accounts.budget import Measure, Window
from app.bootstrap import Books
from app.metering.tables import UsageEventRow
from tests.scenarios.fleet import fleet, held_in, is_at_rest
from tests.scenarios.server_process import ServerProcess, Tenant, http_client, tenants
from tests.scenarios.test_conservation import ROW

SERVERS, CALLS, FIT = 4, 100, 10
# Nobody dies here. On a machine that does much else a short lease ends while its process lives: what the process held
# goes to others then, and ten pass all the same, but some of its callers get 503 `hold_lost` and not 402.
LEASE_S = "60"
# Four calls in the cheap tier, six beyond it: a bound that is kept by what each call costs alone would be missed.
TEN_CALLS_NANOS = 16_000_000
_TIERS = """
base_fee = "0"
[[price]]
model = "linear"
meter = "units"
scheme = "graduated"
[[price.tier]]
up_to = 4
unit_price = "0.001"
[[price.tier]]
unit_price = "0.002"
"""
PREPAID = f'key = "caps-prepaid"\ncurrency = "USD"\nbilling = "prepaid"{_TIERS}'
POSTPAID = f'key = "caps-postpaid"\ncurrency = "USD"\nbilling = "postpaid"{_TIERS}'


class Cap(StrEnum):
    """What bounds the account, by the name that refusals give it."""

    BALANCE = "balance"
    ACCOUNT_BUDGET = "account_budget_total"
    KEY_BUDGET = "key_budget_total"


@pytest.mark.timeout(7200)  # of the full form
async def test_ten_of_a_hundred_calls_pass_through_four_processes(
    database_url: str, books: Books, tmp_path: Path, n: Callable[[int, int], int], figures: Callable[[str], None]
) -> None:
    repeats = n(2, 200)
    capped = {cap: _capped(books, cap, repeats) for cap in Cap}
    async with fleet(database_url, tmp_path, SERVERS, process_lease_s=LEASE_S) as servers:
        for repeat in range(repeats):
            for cap, accounts in capped.items():
                await _try(books, servers, cap, accounts[repeat])
    audit = books.self_audit.run()
    assert audit.clean, audit
    assert is_at_rest(books)
    figures(
        f"{repeats} x {CALLS} calls through {SERVERS} processes for each of {', '.join(Cap)}:"
        f" {FIT} passed each time, {CALLS - FIT} got 402, nothing left"
    )


def _capped(books: Books, cap: Cap, count: int) -> list[Tenant]:
    """Return accounts in which exactly ten calls fit."""
    accounts = tenants(books, PREPAID if cap is Cap.BALANCE else POSTPAID, count)
    for account in accounts:
        if cap is Cap.BALANCE:
            books.credits.grant(account.account_id, amount_nanos=TEN_CALLS_NANOS)
        else:
            (key,) = books.accounts.list_keys(account.account_id)
            books.budgets.set(
                account.account_id,
                key_id=key.id if cap is Cap.KEY_BUDGET else None,
                measure=Measure.MONEY,
                window=Window.TOTAL,
                limit_value=TEN_CALLS_NANOS,
            )
    return accounts


async def _try(books: Books, servers: list[ServerProcess], cap: Cap, tenant: Tenant) -> None:
    answers = await _send(servers, tenant, CALLS)
    others = [answer.text for answer in answers if answer.status_code not in {200, 402}]
    assert Counter(answer.status_code for answer in answers) == {200: FIT, 402: CALLS - FIT}, (cap, others)
    answers += await _send(servers, tenant, SERVERS)
    refusals = [answer.json() for answer in answers if answer.status_code == 402]
    assert len(refusals) == CALLS - FIT + SERVERS
    code = "insufficient_balance" if cap is Cap.BALANCE else "budget_exceeded"
    assert {(each["code"], each["limit"]) for each in refusals} == {(code, cap.value)}
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 200}
    assert _events(books, tenant.account_id) == ids
    assert not any(held_in(books, [tenant.account_id]))
    if cap is Cap.BALANCE:
        balance = books.credits.balance(tenant.account_id)
        assert (balance.available_nanos, balance.held_nanos, balance.total_nanos) == (0, 0, 0)
    else:
        (state,) = books.budgets.list(tenant.account_id)
        assert (state.used, state.held) == (TEN_CALLS_NANOS, 0)


async def _send(servers: list[ServerProcess], tenant: Tenant, calls: int) -> list[httpx.Response]:
    """Send so many calls at once, spread over the servers."""
    clients = [http_client(server.url, tenant.headers) for server in servers]
    try:
        return await asyncio.gather(
            *(
                clients[call % len(clients)].post("/v1/models/linear/predict", json={"inputs": [ROW]})
                for call in range(calls)
            )
        )
    finally:
        await asyncio.gather(*(client.aclose() for client in clients))


def _events(books: Books, account_id: str) -> set[str]:
    with books.database.reading() as session:
        rows = session.scalars(select(UsageEventRow.id).where(UsageEventRow.account_id == account_id)).all()
        counted = session.scalar(select(func.sum(UsageEventRow.units)).where(UsageEventRow.account_id == account_id))
    assert counted == len(rows)
    return set(rows)
