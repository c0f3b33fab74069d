"""When an account gets a gate and when it loses it, and that no call is counted twice or not at all meanwhile."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.accounts.budget import Measure, Window
from app.accounts.store import find_account, latest_change, lock_account
from app.charging import hold_store
from app.charging.gate import Pass
from app.charging.gate_account import GatePosition, GatePositionKey
from app.charging.open_gate import close_gate_if_unused, open_gate
from app.charging.tables import GateCounterRow, GatePositionRow, GateRow, HoldRow
from app.clock import FrozenClock
from app.database import Database
from app.metering.meter import Quantities
from app.metering.store import add_to_rollup, insert_events, quantities
from app.metering.usage_event import Outcome, UsageEvent
from app.pricing.service import Plans
from tests.builders import make_event
from tests.charging.gated_account import PLAN, GatedAccount, open_gated_account
from tests.charging.serving_process import ServingProcess, rows_of


@pytest.fixture
def acme(database: Database, clock: FrozenClock) -> GatedAccount:
    """An account that pays by invoice and has no budget: it needs no gate."""
    return open_gated_account(database, clock, billing="postpaid")


def use(acme: GatedAccount, days_ago: int, units: int, *, live: bool = True, model: str = "linear") -> UsageEvent:
    event = make_event(
        account_id=acme.account.id,
        key_id=acme.key_id,
        plan_version_id=acme.version.id,
        occurred_at=acme.clock.now() - timedelta(days=days_ago),
        outcome=Outcome.SUCCEEDED if units else Outcome.FAILED,
        units=units,
        live=live,
        model=model,
    )
    with acme.database.transaction() as session:
        insert_events(session, [event], event.occurred_at)
        add_to_rollup(session, [event])
    return event


def open_now(acme: GatedAccount) -> None:
    with acme.database.transaction() as session:
        account = lock_account(session, acme.account.id)
        assert open_gate(session, account, acme.clock.now()).gated


def close_now(acme: GatedAccount) -> None:
    with acme.database.transaction() as session:
        lock_account(session, acme.account.id)
        close_gate_if_unused(session, acme.account.id, acme.clock.now())


def positions(acme: GatedAccount, *model_days: tuple[str, int]) -> list[GatePosition]:
    """Return the positions of models in the billing periods that hold the days, so many days ago."""
    keys = []
    for model, days_ago in model_days:
        month = (acme.clock.now() - timedelta(days=days_ago)).replace(day=1, hour=0)
        keys.append(GatePositionKey(month, acme.version.id, model))
    with acme.database.reading() as session:
        found = hold_store.find_positions(session, [acme.account.id], [(acme.account.id, key) for key in keys])
    return [found[acme.account.id].get(key, GatePosition()) for key in keys]


def is_gated(acme: GatedAccount) -> bool:
    with acme.database.reading() as session:
        account = find_account(session, acme.account.id)
    assert account is not None
    return account.gated


def test_a_gate_begins_where_this_billing_period_and_the_last_have_come_to(acme: GatedAccount) -> None:
    for days_ago, units in ((0, 3), (14, 4), (15, 5), (40, 6), (50, 7)):  # from noon of the 15th of March on
        use(acme, days_ago, units)
    use(acme, 1, 9, model="tiered")
    use(acme, 1, 100, live=False)
    use(acme, 1, 0)
    open_now(acme)
    found = positions(acme, ("linear", 0), ("linear", 20), ("linear", 50), ("tiered", 0))
    settled = [Quantities(2, 7), Quantities(2, 11), Quantities(), Quantities(1, 9)]
    assert found == [GatePosition(settled=each) for each in settled]


def test_a_gate_counts_what_another_hosts_clock_has_put_into_the_next_billing_period(acme: GatedAccount) -> None:
    use(acme, 0, 3)
    use(acme, -17, 8)  # noon of the first of April
    open_now(acme)
    assert positions(acme, ("linear", 0), ("linear", -17)) == [
        GatePosition(Quantities(1, 3)),
        GatePosition(Quantities(1, 8)),
    ]


def test_opening_a_gate_is_noticed_and_opening_it_again_leaves_what_it_holds(acme: GatedAccount) -> None:
    with acme.database.reading() as session:
        before = latest_change(session)
    assert not is_gated(acme)
    open_now(acme)
    assert is_gated(acme)
    key = GatePositionKey(acme.clock.now().replace(day=1, hour=0), acme.version.id, "linear")
    held = GatePosition(Quantities(1, 2), Quantities(1, 3))
    with acme.database.transaction() as session:
        hold_store.save_positions(session, {(acme.account.id, key): held})
        assert latest_change(session) > before
    use(acme, 0, 50)
    open_now(acme)
    assert positions(acme, ("linear", 0)) == [held]
    assert rows_of(acme.database, GateRow) == 1


def test_a_gate_that_nothing_needs_is_gone_with_all_that_it_counted(acme: GatedAccount) -> None:
    use(acme, 0, 3)
    budget = acme.budgets.set(acme.account.id, measure=Measure.MONEY, window=Window.DAY, limit_value=10**9).budget
    with acme.database.transaction() as session:
        lock_account(session, acme.account.id)
        close_gate_if_unused(session, acme.account.id, acme.clock.now())
    assert is_gated(acme)
    acme.budgets.remove(budget.id)
    assert not is_gated(acme)
    assert [rows_of(acme.database, table) for table in (GateRow, GatePositionRow, GateCounterRow, HoldRow)] == [0] * 4


@pytest.mark.parametrize("starts_in", [timedelta(), timedelta(days=3)])
def test_a_prepaid_plan_of_now_or_to_come_keeps_the_gate(acme: GatedAccount, starts_in: timedelta) -> None:
    plans = Plans(acme.database, acme.clock)
    plans.publish(PLAN.format(key="prepaid", billing="prepaid"))
    plans.assign(acme.account.id, "prepaid", acme.clock.now() + starts_in)
    assert is_gated(acme)
    close_now(acme)
    assert is_gated(acme)
    plans.assign(acme.account.id, "postpaid", acme.clock.now() + starts_in)
    close_now(acme)
    assert not is_gated(acme)


async def test_a_budget_set_under_load_counts_every_call_once(
    process: ServingProcess, other_process: ServingProcess, acme: GatedAccount, n: Callable[[int, int], int]
) -> None:
    """Calls enter and are recorded by two processes while budgets come and go, and come again."""
    kinds = [(Measure.MONEY, None), (Measure.UNITS, None), (Measure.MONEY, acme.key_id), (Measure.UNITS, acme.key_id)]
    calls = n(120, 3_000)

    async def call(number: int) -> None:
        serving = (process, other_process)[number % 2]
        request = acme.request(units=number % 3 + 1)
        await asyncio.sleep(number / 200)
        await serving.gate.enter(Pass(hold=request))
        await serving.recorder.record(acme.record(request))

    def set_all(limit: int) -> None:
        for measure, key_id in kinds:
            acme.budgets.set(
                acme.account.id, key_id=key_id, measure=measure, window=Window.MONTH, limit_value=limit, hard=False
            )

    running = [asyncio.ensure_future(call(number)) for number in range(calls)]
    await asyncio.sleep(0.1)
    await asyncio.to_thread(set_all, 1)
    for state in acme.budgets.list(acme.account.id):
        await asyncio.to_thread(acme.budgets.remove, state.budget.id)
    await asyncio.to_thread(set_all, 2)
    await asyncio.gather(*running)
    states = acme.budgets.list(acme.account.id)
    with acme.database.reading() as session:
        (total,) = quantities(session, acme.account.id, states[0].window)
    assert total.quantities.requests == calls
    units = total.quantities.units
    assert {(s.budget.measure, s.used, s.held) for s in states} == {
        (Measure.UNITS, units, 0),
        (Measure.MONEY, units * 10**8, 0),
    }
    assert positions(acme, ("linear", 0)) == [GatePosition(Quantities(calls, units))]
    assert rows_of(acme.database, HoldRow) == 0
