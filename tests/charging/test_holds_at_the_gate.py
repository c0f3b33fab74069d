"""Holds at the gate of two processes on one database: nobody gets beyond a balance, a budget or a quota."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from app.accounts.budget import Measure, Window
from app.charging.gate import Granted, Pass
from app.charging.hold import BudgetExceeded, HoldRequest, InsufficientBalance, QuotaExceeded
from app.charging.settlement import HoldLost
from app.clock import FrozenClock
from app.database import Database
from app.ledger.credit_grant import GrantKind
from tests.builders import make_claim
from tests.charging.gated_account import PRICE_NANOS, GatedAccount, counts_agree, open_gated_account
from tests.charging.serving_process import ServingProcess, charged


@pytest.fixture
def acme(database: Database, clock: FrozenClock) -> GatedAccount:
    return open_gated_account(database, clock)


async def run(process: ServingProcess, acme: GatedAccount, request: HoldRequest) -> None:
    await process.gate.enter(Pass(hold=request))
    await process.recorder.record(acme.record(request))


async def test_of_a_hundred_calls_at_once_ten_pass_where_the_balance_is_for_ten(
    database: Database, process: ServingProcess, other_process: ServingProcess, acme: GatedAccount
) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=10 * PRICE_NANOS)
    processes = [process, other_process]
    results = await asyncio.gather(
        *(run(processes[n % 2], acme, acme.request()) for n in range(100)), return_exceptions=True
    )
    assert Counter(map(type, results)) == {type(None): 10, InsufficientBalance: 90}
    assert charged(database) == (10, 10)
    balance = acme.credits.balance(acme.account.id)
    assert (balance.available_nanos, balance.held_nanos) == (0, 0)
    assert acme.holds() == 0
    assert counts_agree(database)


async def test_a_call_that_leaves_gives_back_what_it_held(process: ServingProcess, acme: GatedAccount) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=PRICE_NANOS)
    first = Pass(hold=acme.request())
    assert isinstance(await process.gate.enter(first), Granted)
    assert acme.credits.balance(acme.account.id).held_nanos == PRICE_NANOS
    with pytest.raises(InsufficientBalance) as refused:
        await process.gate.enter(Pass(hold=acme.request()))
    assert refused.value.facts == {"limit": "balance", "needed": "0.10", "available": "0.00", "currency": "USD"}
    process.gate.leave(first)
    assert isinstance(await process.gate.enter(Pass(hold=acme.request())), Granted)


async def test_a_refused_call_leaves_neither_claim_nor_hold(process: ServingProcess, acme: GatedAccount) -> None:
    request = acme.request()
    claim = make_claim(account_id=acme.account.id, event_id=request.event_id)
    for _ in range(2):
        with pytest.raises(InsufficientBalance):
            await process.gate.enter(Pass(claim, request))
    acme.credits.grant(acme.account.id, amount_nanos=PRICE_NANOS)
    assert isinstance(await process.gate.enter(Pass(claim, request)), Granted)


async def test_credit_is_drawn_in_its_order_and_posted(process: ServingProcess, acme: GatedAccount) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=5 * PRICE_NANOS)
    acme.credits.grant(acme.account.id, amount_nanos=2 * PRICE_NANOS, kind=GrantKind.PROMOTIONAL, priority=10)
    for _ in range(3):
        await run(process, acme, acme.request())
    left = {grant.kind: grant.remaining_nanos for grant in acme.credits.grants(acme.account.id)}
    assert left == {GrantKind.PAID: 4 * PRICE_NANOS, GrantKind.PROMOTIONAL: 0}


@pytest.mark.parametrize(
    "bound",
    [
        (Measure.MONEY, 3 * PRICE_NANOS, BudgetExceeded),
        (Measure.UNITS, 3, QuotaExceeded),
    ],
)
@pytest.mark.parametrize("owner", ["key", "account"])
async def test_a_budget_of_three_calls_lets_three_pass(
    process: ServingProcess, acme: GatedAccount, bound: tuple[Measure, int, type], owner: str
) -> None:
    measure, limit, refusal = bound
    acme.credits.grant(acme.account.id, amount_nanos=100 * PRICE_NANOS)
    acme.budgets.set(
        acme.account.id,
        key_id=acme.key_id if owner == "key" else None,
        measure=measure,
        window=Window.DAY,
        limit_value=limit,
        thresholds=(50, 100),
    )
    results = await asyncio.gather(*(run(process, acme, acme.request()) for _ in range(9)), return_exceptions=True)
    assert Counter(map(type, results)) == {type(None): 3, refusal: 6}
    assert sorted(alert.percent for alert in acme.budgets.alerts(acme.account.id)) == [50, 100]


@pytest.mark.parametrize(("measure", "owner"), [(Measure.MONEY, "account"), (Measure.UNITS, "key")])
async def test_the_first_use_passes_the_thresholds_of_a_soft_budget_of_nothing_once(
    process: ServingProcess, acme: GatedAccount, measure: Measure, owner: str
) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=100 * PRICE_NANOS)
    key_id = acme.key_id if owner == "key" else None
    acme.budgets.set(
        acme.account.id, key_id=key_id, measure=measure, window=Window.DAY, limit_value=0, hard=False, thresholds=(80,)
    )
    assert acme.budgets.alerts(acme.account.id) == []
    for _ in range(2):
        await run(process, acme, acme.request())
    assert [alert.percent for alert in acme.budgets.alerts(acme.account.id)] == [80]


async def test_tiers_are_counted_by_what_is_settled_and_held(process: ServingProcess, acme: GatedAccount) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=10 * 10**9 + 5 * 10**8)
    first, second = acme.request(10, model="tiered"), acme.request(1, model="tiered")
    await process.gate.enter(Pass(hold=first))
    await process.gate.enter(Pass(hold=second))  # at half the price: the first ten come before it
    with pytest.raises(InsufficientBalance):
        await process.gate.enter(Pass(hold=acme.request(1, model="tiered")))
    process.gate.leave(Pass(hold=first))
    await process.recorder.record(acme.record(second))
    await process.gate.enter(Pass(hold=acme.request(10, model="tiered")))  # nine in the first tier, and one behind it
    balance = acme.credits.balance(acme.account.id)
    assert (balance.available_nanos, balance.held_nanos) == (0, 95 * 10**8)


async def test_a_hold_that_a_crash_of_the_database_lost_is_taken_again_or_the_call_is_free(
    database: Database, process: ServingProcess, acme: GatedAccount
) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=PRICE_NANOS)
    lost, held = acme.request(), acme.request()
    await process.gate.enter(Pass(hold=held))
    with pytest.raises(HoldLost):
        await process.recorder.record(acme.record(lost))
    await process.recorder.record(acme.record(held))
    assert charged(database) == (1, 1)
    acme.credits.grant(acme.account.id, amount_nanos=PRICE_NANOS)
    await process.recorder.record(acme.record(lost))
    assert charged(database) == (2, 2)
    assert acme.credits.balance(acme.account.id).available_nanos == 0


async def test_a_budget_window_starts_anew(process: ServingProcess, acme: GatedAccount, clock: FrozenClock) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=100 * PRICE_NANOS)
    acme.budgets.set(acme.account.id, measure=Measure.MONEY, window=Window.DAY, limit_value=PRICE_NANOS)
    await run(process, acme, acme.request())
    with pytest.raises(BudgetExceeded) as refused:
        await process.gate.enter(Pass(hold=acme.request()))
    assert refused.value.facts["limit"] == "account_budget_day"
    clock.advance(timedelta(days=1))
    await run(process, acme, acme.request())


@pytest.mark.parametrize("owner", ["key", "account"])
async def test_a_quota_that_is_set_while_calls_hold_counts_them(
    process: ServingProcess, acme: GatedAccount, owner: str
) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=100 * PRICE_NANOS)
    running = [acme.request() for _ in range(3)]
    for request in running:
        await process.gate.enter(Pass(hold=request))
    key_id = acme.key_id if owner == "key" else None
    state = acme.budgets.set(acme.account.id, key_id=key_id, measure=Measure.UNITS, window=Window.TOTAL, limit_value=4)
    assert (state.used, state.held) == (0, 3)
    await process.gate.enter(Pass(hold=acme.request()))
    with pytest.raises(QuotaExceeded):
        await process.gate.enter(Pass(hold=acme.request()))
    for request in running:
        await process.recorder.record(acme.record(request))
    (state,) = acme.budgets.list(acme.account.id)
    assert (state.used, state.held) == (3, 1)


async def test_a_day_is_not_overrun_by_calls_of_yesterday_that_settle_behind_it(
    process: ServingProcess, acme: GatedAccount, clock: FrozenClock
) -> None:
    """The first ten units of `tiered` cost one, those behind them a half: who settles first gets the dear ones."""
    acme.credits.grant(acme.account.id, amount_nanos=10**12)
    acme.budgets.set(acme.account.id, measure=Measure.MONEY, window=Window.DAY, limit_value=10 * 10**9)
    yesterday = acme.request(10, model="tiered")
    await process.gate.enter(Pass(hold=yesterday))
    clock.advance(timedelta(days=1))
    today = [acme.request(10, model="tiered") for _ in range(2)]
    for request in today:
        await process.gate.enter(Pass(hold=request))  # at a half each: five and five
    with pytest.raises(BudgetExceeded):
        await process.gate.enter(Pass(hold=acme.request(1, model="tiered")))
    for request in [*today, yesterday]:
        await process.recorder.record(acme.record(request))
    (state,) = acme.budgets.list(acme.account.id)
    assert (state.used, state.held) == (10 * 10**9, 0)
