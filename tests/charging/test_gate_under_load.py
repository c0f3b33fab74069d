"""Goal: balance, account budget, quota and key budgets at once, from several processes: no overrun, no deadlock.

Method: four processes let calls of three accounts pass, whose bounds bite at different times, while an operator grants
and refunds credit, sets budgets and removes them. Afterwards no bound is exceeded, each account has come to the end of
one, nothing is held, the audit passes, and PostgreSQL has met no deadlock.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from app.accounts.budget import Measure, Window
from app.accounts.service import Accounts
from app.charging.budgets import Budgets
from app.charging.credits import Credits, RefundTooLarge
from app.charging.tables import ClaimRow, HoldRow
from app.clock import SystemClock
from app.database import Database, DatabaseUnavailable
from app.metering.tables import UsageEventRow
from app.pricing.service import Plans
from app.self_audit.service import SelfAudit
from tests.charging.gate_crowd import UNITS_MAX, Crowd
from tests.charging.gate_model import MODELS, cost_of, plan_toml
from tests.charging.gated_account import counts_agree
from tests.charging.serving_process import rows_of

PROCESSES = 4
CALL_NANOS_MAX = max(
    cost_of(model, (2 * n, 2 * n, 2 * n)) - cost_of(model, (n, n, n)) for model in MODELS for n in (UNITS_MAX, 99)
)
_NANOS_A_CALL, _UNITS_A_CALL = 5, 2  # less than what calls use on average


@dataclass(frozen=True)
class Bounded:
    """An account with two keys, and what bounds it."""

    account_id: str
    key_ids: tuple[str, str]


@pytest.mark.timeout(3600)
async def test_no_bound_is_exceeded_and_nobody_deadlocks(
    database: Database, n: Callable[[int, int], int], figures: Callable[[str], None]
) -> None:
    calls = n(400, 100_000)
    clock = SystemClock()
    Plans(database, clock).publish(plan_toml("load", prepaid=True))
    bounded = [_bounded(database, calls // 3, number) for number in range(3)]
    keys = [(each.account_id, key_id) for each in bounded for key_id in each.key_ids]
    over = asyncio.Event()
    operator = asyncio.create_task(_operate(database, bounded, over))
    url = database.url.render_as_string(hide_password=False)
    crowds = [Crowd(calls // PROCESSES, keys, "load", seed) for seed in range(PROCESSES)]
    told = sum(await asyncio.gather(*(_served(url, crowd) for crowd in crowds)), Counter[str]())
    over.set()
    changes = await operator
    assert told.total() == calls
    assert rows_of(database, UsageEventRow) == told["recorded"] > 0
    assert {"balance", "account_budget_total", "key_quota_total"} <= told.keys()
    for each in bounded:
        _require_within_bounds(database, each)
    assert rows_of(database, HoldRow) == 0
    assert counts_agree(database)
    assert not _running_claims(database)
    report = SelfAudit(database, clock).run()
    assert [result for result in report.results if result.differences] == []
    assert _deadlocks(database) == 0
    figures(f"{calls} calls at {PROCESSES} processes and {changes} changes of bounds: {dict(told)}, no deadlock")


def _bounded(database: Database, calls: int, number: int) -> Bounded:
    """Return an account that half of its calls use up: by its credit, its own budget, or what its keys may use."""
    clock = SystemClock()
    accounts, budgets = Accounts(database, clock), Budgets(database, clock)
    account = accounts.create_account(f"Account {number}")
    Plans(database, clock).assign(account.id, "load")
    made = Bounded(
        account.id, (accounts.create_key(account.id).key.id, accounts.create_key(account.id, name="two").key.id)
    )
    half, plenty = max(1, calls // 2), 100 * calls
    credit, budget, quota = ((half if at == number else plenty) for at in range(3))
    Credits(database, clock).grant(account.id, amount_nanos=credit * _NANOS_A_CALL)
    bounds: list[tuple[str | None, Measure, int]] = [(None, Measure.MONEY, budget * _NANOS_A_CALL)]
    bounds += [(key_id, Measure.UNITS, quota * _UNITS_A_CALL // 2) for key_id in made.key_ids]
    bounds += [(key_id, Measure.MONEY, plenty * _NANOS_A_CALL) for key_id in made.key_ids]
    for key_id, measure, limit in bounds:
        budgets.set(account.id, key_id=key_id, measure=measure, window=Window.TOTAL, limit_value=limit)
    return made


async def _served(url: str, crowd: Crowd) -> Counter[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.charging.gate_crowd", url, crowd.as_json()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, trouble = await process.communicate()
    assert process.returncode == 0, trouble.decode()[-4000:]
    return Counter(json.loads(out))


async def _operate(database: Database, bounded: list[Bounded], over: asyncio.Event) -> int:
    """Grant and refund credit, set a soft budget and remove it, in turn, until it is over; return how many changes."""
    credit, budgets = Credits(database, SystemClock()), Budgets(database, SystemClock())
    changes = 0

    def change(each: Bounded) -> None:
        grant = credit.grant(each.account_id, amount_nanos=CALL_NANOS_MAX)
        soft = budgets.set(
            each.account_id,
            key_id=each.key_ids[0],
            measure=Measure.MONEY,
            window=Window.DAY,
            limit_value=10,
            hard=False,
        )
        with suppress(RefundTooLarge):  # where calls have used or hold it
            credit.refund(each.account_id, grant.id)
        budgets.remove(soft.budget.id)

    while not over.is_set():
        # Four processes write without a pause: SQLite gives out no turns, and may keep a fifth out for ten seconds.
        with suppress(DatabaseUnavailable):
            await asyncio.to_thread(change, bounded[changes % len(bounded)])
            changes += 1
        await asyncio.sleep(0.02)
    return changes


def _require_within_bounds(database: Database, each: Bounded) -> None:
    """Every bound is kept; and at least one is so nearly reached that no large call has room any more."""
    balance = Credits(database, SystemClock()).balance(each.account_id)
    assert balance.held_nanos == 0
    room = [balance.total_nanos / CALL_NANOS_MAX]
    for state in (it for it in Budgets(database, SystemClock()).list(each.account_id) if it.budget.hard):
        assert state.used <= state.budget.limit_value
        assert state.held == 0
        most = CALL_NANOS_MAX if state.budget.measure is Measure.MONEY else UNITS_MAX
        room.append((state.budget.limit_value - state.used) / most)
    assert min(room) <= 2  # a refund may have come last


def _running_claims(database: Database) -> int:
    with database.reading() as session:
        return session.query(ClaimRow).filter(ClaimRow.state == "running").count()


def _deadlocks(database: Database) -> int:
    """Return how many deadlocks PostgreSQL has met in this database. SQLite has one writer at a time: none."""
    if database.dialect == "sqlite":
        return 0
    with database.reading() as session:
        query = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(session.scalar(query) or 0)
