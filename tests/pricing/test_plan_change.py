"""What new prices mean for the accounts on a plan, on both databases."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Event

import pytest

from app.accounts.budget import Budget, Measure, Window
from app.accounts.budget_store import put_budget
from app.accounts.store import find_account, lock_account
from app.clock import FrozenClock
from app.database import Database
from app.pricing import store
from app.pricing.plan import PlanAssignment
from app.pricing.plan_change import PlanUnboundedUnderBudget
from app.pricing.service import Plans
from tests.builders import NOON, make_account, open_account

HEAD = 'key = "{key}"\ncurrency = "USD"\nbilling = "{billing}"\nbase_fee = "0"\n'
PRICE = '[[price]]\nmodel = "*"\nmeter = "{meter}"\nscheme = "per_unit"\nunit_price = "0.002"\n'
HOUR = timedelta(hours=1)


def plan(key: str = "payg", *, billing: str = "postpaid", meter: str = "units") -> str:
    return HEAD.format(key=key, billing=billing) + PRICE.format(meter=meter)


class Setup:
    """Plans, accounts, and budgets without the use case that sets them."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.database, self.clock = database, clock
        self.plans = Plans(database, clock)

    def account(self, account_id: str) -> str:
        return open_account(self.database, make_account(id=account_id)).id

    def gated(self, account_id: str) -> bool:
        with self.database.reading() as session:
            account = find_account(session, account_id)
        assert account is not None
        return account.gated

    def budget(self, account_id: str, *, measure: Measure = Measure.MONEY, hard: bool = True) -> None:
        with self.database.transaction() as session:
            lock_account(session, account_id)
            put_budget(session, make_budget(account_id, measure=measure, hard=hard))


def make_budget(account_id: str, *, measure: Measure = Measure.MONEY, hard: bool = True) -> Budget:
    return Budget(
        id=f"bud_{account_id}",
        account_id=account_id,
        key_id=None,
        measure=measure,
        window=Window.DAY,
        limit_value=5,
        hard=hard,
        thresholds=(100,),
        created_at=NOON,
    )


@pytest.fixture
def setup(database: Database, clock: FrozenClock) -> Setup:
    return Setup(database, clock)


def test_a_prepaid_plan_lets_its_account_pass_a_gate_now_or_to_come(setup: Setup) -> None:
    setup.plans.publish(plan("credit", billing="prepaid"))
    setup.plans.publish(plan())
    now, soon, never = (setup.account(f"acct_{name}") for name in ("now", "soon", "never"))
    setup.plans.assign(now, "credit")
    setup.plans.assign(soon, "payg")
    setup.plans.assign(soon, "credit", setup.clock.now() + HOUR)
    setup.plans.assign(never, "payg")
    assert [setup.gated(each) for each in (now, soon, never)] == [True, True, False]


def test_a_plan_that_becomes_prepaid_takes_its_accounts_along_and_leaves_those_that_have_left(setup: Setup) -> None:
    setup.plans.publish(plan())
    setup.plans.publish(plan("other"))
    on_it, to_come, left, replaced, elsewhere = (setup.account(f"acct_{name}") for name in "abcde")
    for account_id in (on_it, left, replaced):
        setup.plans.assign(account_id, "payg")
    setup.plans.assign(elsewhere, "other")
    setup.plans.assign(to_come, "other")
    setup.plans.assign(to_come, "payg", setup.clock.now() + HOUR)
    setup.plans.assign(left, "other", setup.clock.now() + HOUR)
    setup.plans.assign(replaced, "other")  # at the same instant: the last word counts
    setup.clock.advance(HOUR / 2)
    setup.plans.publish(plan(billing="prepaid"))
    assert [setup.gated(each) for each in (on_it, to_come, left)] == [True, True, True]  # `left` is on it until then
    assert [setup.gated(each) for each in (replaced, elsewhere)] == [False, False]


def test_an_account_that_has_left_a_plan_is_not_counted_for_it(setup: Setup) -> None:
    for key in ("payg", "other"):
        setup.plans.publish(plan(key))
    account_id = setup.account("acct_1")
    setup.plans.assign(account_id, "payg")
    setup.clock.advance(HOUR)
    setup.plans.assign(account_id, "other")
    setup.budget(account_id)
    setup.plans.publish(plan(meter="compute_ms"))  # nobody with a budget is on it
    with setup.database.reading() as session:
        assert store.accounts_on_plan(session, "payg", setup.clock.now()) == []
        assert store.accounts_on_plan(session, "other", setup.clock.now()) == [account_id]
        ahead = store.versions_ahead(session, account_id, setup.clock.now())
    assert [version.plan_key for version in ahead] == ["other"]


@pytest.mark.parametrize("hard", [True, False])
def test_prices_that_nobody_can_bound_are_not_published_over_budgets_of_money(setup: Setup, hard: bool) -> None:
    setup.plans.publish(plan())
    capped = [setup.account(f"acct_{number:02}") for number in range(12)]
    for account_id in capped:
        setup.plans.assign(account_id, "payg")
        setup.budget(account_id, hard=hard)
    with pytest.raises(PlanUnboundedUnderBudget, match=r"of acct_00, .*acct_09 and more") as caught:
        setup.plans.publish(plan(meter="compute_ms"))
    assert "acct_10" not in str(caught.value)
    assert setup.plans.newest("payg").version == 1
    assert setup.plans.publish(plan(meter="requests")).version == 2


def test_a_budget_of_units_bears_every_price(setup: Setup) -> None:
    setup.plans.publish(plan())
    account_id = setup.account("acct_1")
    setup.plans.assign(account_id, "payg")
    setup.budget(account_id, measure=Measure.UNITS)
    assert setup.plans.publish(plan(meter="compute_ms")).version == 2


def test_an_account_with_a_budget_of_money_is_not_put_on_prices_that_nobody_can_bound(setup: Setup) -> None:
    setup.plans.publish(plan("timed", meter="compute_ms"))
    account_id = setup.account("acct_1")
    setup.budget(account_id)
    for starts_at in (None, setup.clock.now() + HOUR):
        with pytest.raises(PlanUnboundedUnderBudget, match=r"prices compute_ms of \*.*of acct_1"):
            setup.plans.assign(account_id, "timed", starts_at)
    assert setup.plans.in_effect(account_id, setup.clock.now()) is None


def test_a_publisher_waits_for_an_assignment_under_way_and_takes_its_account_along(setup: Setup) -> None:
    setup.plans.publish(plan())
    account_id = setup.account("acct_1")
    holds, may_end = Event(), Event()

    def assign() -> None:
        with setup.database.transaction() as session:
            store.share_plan(session, "payg")
            account = lock_account(session, account_id)
            holds.set()
            may_end.wait(30)
            now = setup.clock.now()
            store.insert_assignment(session, PlanAssignment(account.id, "payg", now), now)

    with ThreadPoolExecutor(2) as pool:
        assigning = pool.submit(assign)
        assert holds.wait(30)
        publishing = pool.submit(setup.plans.publish, plan(billing="prepaid"))
        assert not wait([publishing], timeout=0.3).done
        may_end.set()
        assigning.result(), publishing.result()
    assert setup.gated(account_id)


def test_of_a_budget_and_prices_without_bounds_at_once_only_one_comes_to_be(setup: Setup) -> None:
    setup.plans.publish(plan())
    account_id = setup.account("acct_1")
    setup.plans.assign(account_id, "payg")
    holds, may_end = Event(), Event()

    def set_budget() -> None:
        with setup.database.transaction() as session:
            lock_account(session, account_id)
            holds.set()
            may_end.wait(30)
            put_budget(session, make_budget(account_id))

    with ThreadPoolExecutor(2) as pool:
        setting = pool.submit(set_budget)
        assert holds.wait(30)
        publishing = pool.submit(setup.plans.publish, plan(meter="compute_ms"))
        assert not wait([publishing], timeout=0.3).done
        may_end.set()
        setting.result()
        assert isinstance(publishing.exception(), PlanUnboundedUnderBudget)
    assert setup.plans.newest("payg").version == 1


def test_publishers_and_assigners_at_once_never_wait_for_each_other_in_a_circle(setup: Setup) -> None:
    setup.plans.publish(plan())
    accounts = [setup.account(f"acct_{number}") for number in range(4)]

    def publish(number: int) -> None:
        setup.plans.publish(plan(billing="prepaid", meter="units" if number % 2 else "requests"))

    def assign(account_id: str) -> None:
        setup.plans.assign(account_id, "payg")

    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(publish, number) for number in range(4)]
        work += [pool.submit(assign, account_id) for account_id in accounts]
        for each in work:
            each.result()
    assert all(map(setup.gated, accounts))
