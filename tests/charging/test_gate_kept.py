"""What a gate keeps while calls run: itself, though nothing asks for it any more, and books that the audit can read."""

from datetime import timedelta

import pytest

from app.accounts.budget import Measure, Window
from app.accounts.service import Accounts
from app.charging.gate import Pass
from app.clock import FrozenClock
from app.database import Database
from app.pricing.service import Plans
from app.self_audit.service import SelfAudit
from tests.charging.gated_account import PLAN, PRICE_NANOS, GatedAccount, open_gated_account
from tests.charging.serving_process import ServingProcess


@pytest.fixture
def acme(database: Database, clock: FrozenClock) -> GatedAccount:
    return open_gated_account(database, clock)


def is_gated(acme: GatedAccount) -> bool:
    return Accounts(acme.database, acme.clock).get_account(acme.account.id).gated


async def test_a_call_that_began_prepaid_is_paid_though_the_account_has_no_prepaid_plan_and_no_budget_any_more(
    database: Database, process: ServingProcess, acme: GatedAccount, clock: FrozenClock
) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=3 * PRICE_NANOS)
    budget = acme.budgets.set(acme.account.id, measure=Measure.UNITS, window=Window.DAY, limit_value=9).budget
    request = acme.request()
    await process.gate.enter(Pass(hold=request))
    clock.advance(timedelta(minutes=1))
    plans = Plans(database, clock)
    plans.publish(PLAN.format(key="postpaid", billing="postpaid"))
    plans.assign(acme.account.id, "postpaid")
    acme.budgets.remove(budget.id)
    await process.recorder.record(acme.record(request))
    assert acme.credits.balance(acme.account.id).total_nanos == 2 * PRICE_NANOS


async def test_once_no_such_call_can_run_the_last_budget_takes_the_gate_along(
    database: Database, acme: GatedAccount, clock: FrozenClock
) -> None:
    plans = Plans(database, clock)
    plans.publish(PLAN.format(key="postpaid", billing="postpaid"))
    clock.advance(timedelta(minutes=1))
    plans.assign(acme.account.id, "postpaid")
    for days, gated in ((30, True), (30, False)):
        clock.advance(timedelta(days=days))
        budget = acme.budgets.set(acme.account.id, measure=Measure.UNITS, window=Window.DAY, limit_value=9).budget
        acme.budgets.remove(budget.id)
        assert is_gated(acme) is gated


async def test_a_budget_set_after_midnight_may_see_the_last_call_of_yesterday(
    database: Database, process: ServingProcess, acme: GatedAccount, clock: FrozenClock
) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=9 * PRICE_NANOS)
    for _ in range(2):
        request = acme.request()
        await process.gate.enter(Pass(hold=request))
        await process.recorder.record(acme.record(request))
    running = acme.request()
    await process.gate.enter(Pass(hold=running))
    clock.advance(timedelta(days=1))
    acme.budgets.set(acme.account.id, measure=Measure.UNITS, window=Window.DAY, limit_value=9)
    await process.recorder.record(acme.record(running))
    (checked,) = [each for each in SelfAudit(database, clock).run().results if each.check == "budgets"]
    assert (checked.differences, checked.uncompared) == (0, 1)
