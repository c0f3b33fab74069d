"""Budgets and quotas on both databases: set, replaced, removed, and what they have seen when they are set."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.accounts.account import Account
from app.accounts.bounded_key import BudgetLoosened
from app.accounts.budget import FOR_EVER, BudgetInvalid, Measure, Window
from app.accounts.service import Accounts
from app.accounts.store import find_account, latest_change, lock_account
from app.audit_log.service import AuditLog
from app.charging import hold_store
from app.charging.budget_rules import BudgetNotFound, BudgetUnbounded
from app.charging.budget_state import BudgetState
from app.charging.budgets import Budgets
from app.charging.gate_account import Counter, CounterKey, GatePosition, GatePositionKey
from app.charging.open_gate import open_gate
from app.clock import FrozenClock
from app.database import Database
from app.errors import NotFound
from app.metering.meter import Quantities
from app.metering.store import add_to_rollup, insert_events
from app.metering.usage_event import Outcome
from app.pricing.service import Plans
from tests.builders import make_event

NANOS = 10**9
PLAN = """
key = "{key}"
currency = "USD"
billing = "postpaid"
base_fee = "0"
[[price]]
model = "linear"
meter = "units"
scheme = "per_unit"
unit_price = "0.01"
[[price]]
model = "vgg16"
meter = "{meter}"
scheme = "graduated"
[[price.tier]]
up_to = 10
unit_price = "1"
[[price.tier]]
unit_price = "3"
"""


@dataclass
class Shop:
    """An account in Berlin on a plan, its keys and what they use; it is Sunday noon, the 15th of March 2026, in UTC."""

    database: Database
    clock: FrozenClock
    account: Account

    @property
    def budgets(self) -> Budgets:
        return Budgets(self.database, self.clock)

    @property
    def plans(self) -> Plans:
        return Plans(self.database, self.clock)

    def key(self, *, live: bool = True) -> str:
        return Accounts(self.database, self.clock).create_key(self.account.id, live=live).key.id

    def use(self, units: int, at: str, *, key_id: str = "key_other", model: str = "linear", **others: Any) -> None:
        """Record a call at an instant of UTC."""
        occurred_at = utc(at)
        version = self.plans.in_effect(self.account.id, occurred_at)
        assert version is not None
        event = make_event(
            occurred_at=occurred_at,
            account_id=self.account.id,
            key_id=key_id,
            model=model,
            units=units,
            plan_version_id=version.id,
            **others,
        )
        with self.database.transaction() as session:
            insert_events(session, [event], occurred_at)
            add_to_rollup(session, [event])

    def set(
        self, window: Window = Window.MONTH, limit: int = 100 * NANOS, measure: Measure = Measure.MONEY, **others: Any
    ) -> BudgetState:
        return self.budgets.set(self.account.id, window=window, measure=measure, limit_value=limit, **others)

    def gated(self) -> bool:
        with self.database.reading() as session:
            account = find_account(session, self.account.id)
        assert account is not None
        return account.gated

    def changes(self) -> int:
        with self.database.reading() as session:
            return latest_change(session)

    def trail(self) -> list[tuple[str, str, dict[str, str]]]:
        entries = AuditLog(self.database).list(self.account.id)
        return [(e.action, e.target, dict(e.details)) for e in entries if e.action.startswith("budget.")][::-1]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def shop(database: Database, clock: FrozenClock) -> Shop:
    now = clock.now()
    clock.move_to(utc("2026-01-01T00:00"))
    Plans(database, clock).publish(PLAN.format(key="payg", meter="units"))
    account = Accounts(database, clock).create_account("Lab", zone="Europe/Berlin")
    Plans(database, clock).assign(account.id, "payg")
    clock.move_to(now)
    return Shop(database, clock, account)


# --- what is stored, and what it does to the account -----------------------------------------------------------------


def test_a_budget_of_an_account_makes_its_calls_pass_the_gate_until_the_last_one_is_removed(shop: Shop) -> None:
    assert not shop.gated()
    first = shop.set(Window.DAY).budget
    second = shop.set(Window.DAY, 5, Measure.UNITS, hard=False, thresholds=(100, 50, 50)).budget
    assert shop.gated()
    assert (first.name, first.hard, first.thresholds) == ("account_budget_day", True, (80, 100))
    assert (second.name, second.hard, second.thresholds) == ("account_quota_day", False, (50, 100))
    assert {state.budget for state in shop.budgets.list(shop.account.id)} == {first, second}
    assert shop.budgets.remove(first.id) == first
    assert shop.gated()
    shop.budgets.remove(second.id)
    assert not shop.gated()
    assert shop.budgets.list(shop.account.id) == []


def test_every_change_is_noticed_and_written_down_and_a_repeat_is_not(shop: Shop) -> None:
    counted = [shop.changes()]
    for limit in (7 * NANOS, 7 * NANOS, 8 * NANOS):
        shop.set(Window.TOTAL, limit)
        counted.append(shop.changes())
    shop.budgets.remove(shop.budgets.find(shop.account.id, None, Measure.MONEY, Window.TOTAL).id)
    assert counted[0] < counted[1] == counted[2] < counted[3] < shop.changes()  # a repeat empties nobody's caches
    common = {"budget": "account_budget_total", "kind": "hard", "thresholds": "80 100"}
    assert shop.trail() == [
        ("budget.set", shop.account.id, common | {"limit": "7.00 USD", "before": ""}),
        ("budget.set", shop.account.id, common | {"limit": "8.00 USD", "before": "7.00 USD"}),
        ("budget.removed", shop.account.id, common | {"limit": "8.00 USD"}),
    ]


def test_a_budget_that_is_replaced_keeps_its_id_and_what_it_has_counted(shop: Shop) -> None:
    shop.use(250, "2026-03-15T10:00")
    first = shop.set(Window.DAY)
    shop.use(99, "2026-03-15T11:00")  # behind the gate's back: only a count anew would see it
    second = shop.set(Window.DAY, limit=3 * NANOS, hard=False, thresholds=())
    assert second.budget.id == first.budget.id
    assert (first.used, second.used) == (2_500_000_000, 2_500_000_000)
    assert (second.budget.limit_value, second.budget.hard, second.budget.thresholds) == (3 * NANOS, False, ())


def test_what_a_removed_budget_has_counted_is_gone_with_it(shop: Shop) -> None:
    shop.use(3, "2026-03-15T10:00")
    quota = shop.set(Window.DAY, 10, Measure.UNITS)
    shop.set(Window.MONTH)  # keeps the gate
    shop.budgets.remove(quota.budget.id)
    key = CounterKey(quota.budget.id, quota.window.start)
    with shop.database.reading() as session:
        assert hold_store.find_counters(session, [key]) == {}
    assert shop.set(Window.DAY, 10, Measure.UNITS).used == 3


@pytest.mark.parametrize(
    "wrong", [{"limit": -1}, {"limit": 10**18 + 1}, {"thresholds": (0,)}, {"thresholds": tuple(range(1, 12))}]
)
def test_a_limit_or_thresholds_without_sense_change_nothing(shop: Shop, wrong: dict[str, Any]) -> None:
    with pytest.raises(BudgetInvalid):
        shop.set(**wrong)
    assert not shop.gated()


def test_a_budget_of_nobody_or_of_another_accounts_key_is_not_found(shop: Shop) -> None:
    stranger = Accounts(shop.database, shop.clock).create_account("Other")
    key_id = shop.key()
    with pytest.raises(NotFound):
        shop.budgets.set("acct_none", measure=Measure.UNITS, window=Window.DAY, limit_value=1)
    with pytest.raises(NotFound):
        shop.budgets.set(stranger.id, key_id=key_id, measure=Measure.UNITS, window=Window.DAY, limit_value=1)
    with pytest.raises(NotFound):
        shop.budgets.list("acct_none")
    with pytest.raises(BudgetNotFound):
        shop.budgets.find(shop.account.id, key_id, Measure.UNITS, Window.DAY)
    with pytest.raises(BudgetNotFound):
        shop.budgets.remove("bud_none")


# --- keys and their successors ---------------------------------------------------------------------------------------


def test_a_key_and_its_successor_share_one_budget_and_its_use(shop: Shop) -> None:
    old = shop.key()
    shop.use(100, "2026-03-15T10:00", key_id=old)
    state = shop.set(Window.DAY, key_id=old)
    new = Accounts(shop.database, shop.clock).rotate_key(shop.account.id, old, grace=timedelta(days=1)).key.id
    for key_id in (old, new):
        assert shop.budgets.find(shop.account.id, key_id, Measure.MONEY, Window.DAY) == state.budget
    shop.use(50, "2026-03-15T11:00", key_id=new)
    assert shop.set(Window.DAY, 500, Measure.UNITS, key_id=new).used == 150
    assert {each.budget.key_id for each in shop.budgets.list(shop.account.id)} == {old}


def test_a_key_draws_its_own_bounds_only_tighter(shop: Shop) -> None:
    key_id = shop.key()
    tighter: dict[str, Any] = {"key_id": key_id, "tighter_only": True}
    shop.set(limit=10, hard=False, thresholds=(50,), **tighter)
    shop.set(limit=9, hard=True, thresholds=(50, 80), **tighter)
    for looser in ({"limit": 10}, {"limit": 9, "hard": False}, {"limit": 9, "thresholds": (80, 100)}):
        with pytest.raises(BudgetLoosened):
            shop.set(**{"thresholds": (50, 80), **looser, **tighter})
    budget = shop.budgets.find(shop.account.id, key_id, Measure.MONEY, Window.MONTH)
    assert (budget.limit_value, budget.hard, budget.thresholds) == (9, True, (50, 80))


# --- money that cannot be bounded ------------------------------------------------------------------------------------


def test_money_is_refused_where_a_plan_of_now_or_to_come_cannot_be_bounded(shop: Shop) -> None:
    shop.plans.publish(PLAN.format(key="by-time", meter="compute_ms"))
    shop.plans.assign(shop.account.id, "by-time", shop.clock.now() + timedelta(days=9))
    with pytest.raises(BudgetUnbounded, match="by-time prices compute_ms of vgg16"):
        shop.set()
    with pytest.raises(BudgetUnbounded):
        shop.set(key_id=shop.key(), hard=False)
    assert not shop.gated()
    assert shop.set(measure=Measure.UNITS, limit=5).budget.name == "account_quota_month"
    shop.clock.advance(timedelta(days=10))
    with pytest.raises(BudgetUnbounded):
        shop.set()
    shop.plans.assign(shop.account.id, "payg")
    assert shop.set().budget.name == "account_budget_month"


# --- what was used before --------------------------------------------------------------------------------------------


def test_an_accounts_money_counts_the_window_so_far_in_its_own_zone(shop: Shop) -> None:
    shop.use(1000, "2026-02-28T22:59")  # 10.00 in February of Berlin
    shop.use(500, "2026-02-28T23:00")  # 5.00 in its March
    shop.use(20, "2026-03-14T23:00")  # 0.20 on its 15th
    shop.use(7, "2026-03-15T09:00", live=False)
    shop.use(0, "2026-03-15T09:00", outcome=Outcome.FAILED)
    used = {window: shop.set(window).used for window in Window}
    assert used == {Window.DAY: 200_000_000, Window.MONTH: 5_200_000_000, Window.TOTAL: 15_200_000_000}


def test_under_tiers_a_day_begins_where_the_billing_period_has_come_to(shop: Shop) -> None:
    shop.use(4, "2026-02-20T12:00", model="vgg16")  # 4 of the tier at 1.00, which starts anew in March
    shop.use(8, "2026-03-02T12:00", model="vgg16")  # 8 of the tier at 1.00
    shop.use(5, "2026-03-15T09:00", model="vgg16")  # 2 more of it, and 3 at 3.00
    used = {window: shop.set(window).used // NANOS for window in Window}
    assert used == {Window.DAY: 11, Window.MONTH: 19, Window.TOTAL: 23}


def test_a_new_plan_version_begins_its_tiers_anew(shop: Shop) -> None:
    shop.use(10, "2026-03-02T12:00", model="vgg16")
    shop.clock.move_to(utc("2026-03-03T00:00"))
    shop.plans.publish(PLAN.format(key="payg", meter="requests"))
    shop.clock.move_to(utc("2026-03-15T12:00"))
    shop.use(10, "2026-03-04T12:00", model="vgg16")  # one request at 1.00
    assert shop.set().used == 11 * NANOS


def test_a_keys_money_is_its_share_at_the_accounts_average_price(shop: Shop) -> None:
    key_id = shop.key()
    shop.use(9, "2026-03-15T09:00", model="vgg16")
    shop.use(5, "2026-03-15T10:00", model="vgg16", key_id=key_id)  # 5 of 14 units, which cost 22.00 together
    shop.use(100, "2026-03-15T10:00", key_id=key_id)  # 1.00
    assert shop.set(key_id=key_id).used == -(-22 * NANOS * 5 // 14) + NANOS
    assert shop.set(key_id=shop.key()).used == 0


def test_a_quota_counts_units_of_live_keys_or_of_its_own_key(shop: Shop) -> None:
    live, test = shop.key(), shop.key(live=False)
    shop.use(3, "2026-03-15T09:00", key_id=live)
    shop.use(5, "2026-03-15T09:00", key_id=test, live=False)
    shop.use(11, "2026-03-14T09:00")
    quotas = {
        name: shop.set(Window.DAY, 100, Measure.UNITS, key_id=key).used
        for name, key in {"account": None, "live": live, "test": test}.items()
    }
    assert quotas == {"account": 3, "live": 3, "test": 5}
    assert shop.set(Window.TOTAL, 100, Measure.UNITS).used == 14
    assert shop.set(Window.DAY, key_id=test).used == 0  # what test keys do costs nothing


def test_what_was_used_beyond_a_counter_is_counted_as_far_as_it_goes(shop: Shop) -> None:
    shop.use(5 * 10**18, "2026-03-15T09:00")
    assert shop.set(Window.DAY, 1, Measure.UNITS).used == 4 * 10**18


@pytest.mark.parametrize("measure", Measure)
def test_what_another_hosts_clock_has_put_into_the_next_window_counts_when_that_comes(
    shop: Shop, measure: Measure
) -> None:
    shop.use(3, "2026-03-15T09:00")
    shop.use(4, "2026-03-16T09:00")
    shop.use(5, "2026-04-01T09:00")
    one = {Measure.MONEY: NANOS // 100, Measure.UNITS: 1}[measure]
    used = {window: shop.set(window, measure=measure).used // one for window in Window}
    assert used == {Window.DAY: 3, Window.MONTH: 7, Window.TOTAL: 12}
    for at, window, now_used in (("2026-03-16T12:00", Window.DAY, 4), ("2026-04-01T12:00", Window.MONTH, 5)):
        shop.clock.move_to(utc(at))
        (state,) = (each for each in shop.budgets.list(shop.account.id) if each.budget.window is window)
        assert state.used // one == now_used


def test_a_budget_that_waited_for_its_account_over_midnight_begins_today(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.use(3, "2026-03-15T09:00")

    def lock_slowly(*args: Any) -> Account:
        account = lock_account(*args)
        shop.clock.move_to(utc("2026-03-15T23:00"))  # midnight in Berlin
        return account

    monkeypatch.setattr("app.charging.budgets.lock_account", lock_slowly)
    shop.clock.move_to(utc("2026-03-15T22:59"))
    state = shop.set(Window.DAY)
    assert (state.used, state.window.start) == (0, utc("2026-03-15T23:00"))
    assert state.budget.created_at == utc("2026-03-15T23:00")


# --- where budgets stand ---------------------------------------------------------------------------------------------


def test_a_budget_tells_its_window_and_when_it_starts_anew(shop: Shop) -> None:
    states = {window: shop.set(window) for window in Window}
    assert states[Window.DAY].reset_at == utc("2026-03-15T23:00")
    assert states[Window.MONTH].reset_at == utc("2026-03-31T22:00")  # the clock has been set forward by then
    assert (states[Window.TOTAL].window, states[Window.TOTAL].reset_at) == (FOR_EVER, None)
    shop.use(10, "2026-03-15T10:00")
    shop.clock.move_to(utc("2026-03-16T00:00"))
    day = next(each for each in shop.budgets.list(shop.account.id) if each.budget.window is Window.DAY)
    assert (day.window.start, day.used, day.held) == (utc("2026-03-15T23:00"), 0, 0)


def test_what_running_calls_hold_is_told_beside_what_is_used(shop: Shop) -> None:
    key_id = shop.key()
    money, quota = shop.set(), shop.set(measure=Measure.UNITS, limit=50, key_id=key_id)
    version = shop.plans.in_effect(shop.account.id, shop.clock.now())
    assert version is not None
    position = GatePositionKey(money.window.start, version.id, "vgg16")
    used, held = Quantities(units=8, requests=1), Quantities(units=5, requests=1)
    with shop.database.transaction() as session:
        open_gate(session, lock_account(session, shop.account.id), shop.clock.now())
        hold_store.save_positions(session, {(shop.account.id, position): GatePosition(used, held)})
        counter = {(shop.account.id, CounterKey(quota.budget.id, quota.window.start)): Counter(settled=8, held=5)}
        hold_store.save_counters(session, counter)
    states = {each.budget.measure: each for each in shop.budgets.list(shop.account.id)}
    assert states[Measure.MONEY].held == (2 + 3 * 3) * NANOS  # from where the account stands in its tiers
    assert (states[Measure.UNITS].used, states[Measure.UNITS].held) == (8, 5)


# --- alerts ----------------------------------------------------------------------------------------------------------


def test_thresholds_that_are_passed_already_are_told_once(shop: Shop) -> None:
    shop.use(9, "2026-03-15T09:00")
    for _ in range(2):
        shop.set(Window.DAY, 10, Measure.UNITS, thresholds=(50, 90, 100))
    budget = shop.set(Window.DAY, 9, Measure.UNITS, thresholds=(50, 90, 100)).budget
    shop.set(Window.DAY, 0, key_id=shop.key())  # nothing is spent: no part of it
    alerts = shop.budgets.alerts(shop.account.id)
    assert sorted((each.percent, each.limit_value, each.used) for each in alerts) == [
        (50, 10, 9),
        (90, 10, 9),
        (100, 9, 9),
    ]
    assert {(each.budget_id, each.key_id, each.window) for each in alerts if each.measure is Measure.UNITS} == {
        (budget.id, None, Window.DAY)
    }
    newest = shop.budgets.alerts(shop.account.id, limit=1)[0]
    assert newest not in shop.budgets.alerts(shop.account.id, before=newest.id)
    assert len(shop.budgets.alerts(shop.account.id, before=newest.id)) == 2
    assert shop.budgets.alerts("acct_other") == []
