"""Goal: whatever processes, customers, operators and crashes do, the gate and the books are what a plain model says.

Method: a hypothesis state machine moves one account in a real database and a model of it (`gate_model.py`), which keeps
no counter and sums everything up anew. Every verdict of the gate, and after each step every number in the database,
has to be the model's. Two processes serve the account; each may die, or be taken for dead and go on; the database may
lose the last transactions that are not durable. Afterwards the audit passes.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from app.accounts.budget import Measure, Window
from app.charging.credits import GrantNotRefundable, RefundTooLarge
from app.clock import FrozenClock
from app.database import Database
from app.errors import AppError
from app.self_audit.service import SelfAudit
from tests.builders import NOON
from tests.charging.gate_model import (
    MODELS,
    ModelBudget,
    cost_of,
)
from tests.charging.gate_moves import Asked, GateMoves
from tests.charging.gate_world import PLANS

LAST = NOON + timedelta(days=45)  # the gate counts this billing period and the one before
OWNERS = st.sampled_from([None, 0, 1, 2])  # the account, or one of its keys: the last one is a test key
INDEXES = st.integers(0, 7)
DAY = timedelta(days=1)
SELDOM = st.sampled_from([False, False, False, True])
ASKED = st.builds(
    Asked,
    actor=st.integers(0, 1),
    key=st.integers(0, 2),
    model=st.sampled_from(MODELS),
    units=st.integers(1, 5),
    once=st.sampled_from([None, None, None, ("one", b"a"), ("one", b"a"), ("one", b"b"), ("two", b"a")]),
    knows=SELDOM.map(lambda seldom: not seldom),
    news_lost=st.integers(0, 7).map(lambda number: number == 7),
)
SOME = st.lists(ASKED, max_size=3)
ENDS = st.tuples(INDEXES, st.none() | st.integers(0, 5) | st.integers(0, 5), SELDOM)
Ends = list[tuple[int, int | None, bool]]


class GateMachine(GateMoves):
    """What may happen, and what has to be so after each step. Behind most of it calls come, or end."""

    # Calls.

    @rule(asked=st.lists(ASKED, min_size=2, max_size=5))
    def enter(self, asked: list[Asked]) -> None:
        """Calls ask, one after the other."""
        for each in asked:
            self._enter(each)

    @precondition(lambda self: self.running)
    @rule(ends=st.lists(ENDS, min_size=2, max_size=4))
    def end(self, ends: Ends) -> None:
        """Calls end: with some of their results, or with none, since they failed."""
        for index, results, news_lost in ends[: len(self.running)]:
            running = self.running.pop(index % len(self.running))
            if results is None:
                self._leave(running)
            else:
                self._record(running, results, news_lost=news_lost)

    @precondition(lambda self: self.running)
    @rule(results=st.integers(0, 5))
    def end_all(self, results: int) -> None:
        """Every call that runs ends well, and what the dead have held is swept."""
        while self.running:
            self._record(self.running.pop(), results, news_lost=False)
        self.sweep()
        assert {hold.process for hold in self.model.holds.values()} <= self.living

    # Credit.

    @rule(
        amount=st.integers(1, 60),
        paid=st.booleans(),
        priority=st.integers(0, 1),
        expires=st.sampled_from([None, None, DAY / 2, 2 * DAY, 30 * DAY]),
        asked=SOME,
    )
    def grant(self, amount: int, priority: int, expires: timedelta | None, asked: list[Asked], *, paid: bool) -> None:
        self._grant(amount, paid=paid, priority=priority, expires=expires)
        self.enter(asked)

    @rule(index=INDEXES, amount=st.none() | st.integers(1, 30))
    def refund(self, index: int, amount: int | None) -> None:
        grant, now = self.model.grants[index % len(self.model.grants)], self.world.clock.now()
        allowed = min(grant.left, max(0, self.model.available(now)))
        wanted = allowed if amount is None else amount
        expected: type[AppError] | None = None if 0 < wanted <= allowed else RefundTooLarge
        expected = expected if grant.paid and grant.valid(now) else GrantNotRefundable
        if expected:
            with pytest.raises(expected):
                self.world.credits.refund(self.world.account.id, grant.id, amount)
        else:
            assert self.world.credits.refund(self.world.account.id, grant.id, amount).amount_nanos == wanted
            grant.left, grant.refunded = grant.left - wanted, grant.refunded + wanted
        self._durable()

    @rule(ends=st.lists(ENDS, max_size=3))
    def expire(self, ends: Ends) -> None:
        """The job that writes off what has expired: of other examples' accounts as well."""
        self.world.credits.expire_due()
        self.model.expire(self.world.clock.now())
        self._durable()
        self.end(ends)

    # Bounds and plans.

    @rule(
        owner=OWNERS,
        money=st.booleans(),
        window=st.sampled_from(["day", "month", "total"]),
        limit=st.integers(0, 40),
        hard=st.sampled_from([True, True, False]),
        asked=SOME,
    )
    def set_budget(
        self, owner: int | None, window: str, limit: int, asked: list[Asked], *, money: bool, hard: bool
    ) -> None:
        key_id = None if owner is None else self.world.keys[owner]
        state = self.world.budgets.set(
            self.world.account.id,
            key_id=key_id,
            measure=Measure.MONEY if money else Measure.UNITS,
            window=Window(window),
            limit_value=limit,
            hard=hard,
        )
        budget = ModelBudget(state.budget.id, key_id, money, window, limit, hard)
        if present := self.model.budgets.get(budget.id):
            self.model.budgets[budget.id] = replace(budget, seen=present.seen)
        else:
            budget.seen[state.window.start] = self.model.so_far(budget, self.world.clock.now())
            self.model.add(budget)
        self.gated = True
        self._durable()
        self.enter(asked)

    @precondition(lambda self: self.model.budgets)
    @rule(index=INDEXES, ends=st.lists(ENDS, max_size=3))
    def remove_budget(self, index: int, ends: Ends) -> None:
        budget_id = list(self.model.budgets)[index % len(self.model.budgets)]
        self.world.budgets.remove(budget_id)
        del self.model.budgets[budget_id]
        if not self.model.budgets and not self.was_prepaid:  # and nothing needs the gate any more
            self.gated = False
            self.model.holds.clear()
        self._durable()
        self.end(ends)

    @rule(plan=st.sampled_from(sorted(PLANS)), asked=SOME)
    def change_plan(self, plan: str, asked: list[Asked]) -> None:
        self.world.clock.advance(timedelta(seconds=1))  # calls of one instant are of one plan
        self._put_on(plan)
        self.enter(asked)

    # Time, and what breaks.

    @precondition(lambda self: self.world.clock.now() < LAST)
    @rule(hours=st.sampled_from([1, 13, 25, 24 * 26]), asked=SOME)
    def let_time_pass(self, hours: int, asked: list[Asked]) -> None:
        """Over midnight, over what answers are kept for, over the end of the billing period."""
        self.world.clock.move_to(min(LAST, self.world.clock.now() + timedelta(hours=hours)))
        self.enter(asked)

    @rule(index=st.integers(0, 1), asked=SOME, goes_on=st.booleans())
    def process_is_taken_for_dead(self, index: int, asked: list[Asked], *, goes_on: bool) -> None:
        """And is, or goes on: it does not know."""
        actor = self.world.actors[index]
        if goes_on:
            self.world.end_lease(actor)
            self.living = self.living - {actor.lease.id}
        else:
            self.world.restart(index)
            self.running = [running for running in self.running if running.actor is not actor]
            self.living = self.living - {actor.lease.id} | {self.world.actors[index].lease.id}
        self._not_durable()
        self.enter(asked)

    @rule(ends=st.lists(ENDS, max_size=3))
    def processes_give_signs_of_life(self, ends: Ends) -> None:
        for actor in self.world.actors:
            self.world.renew(actor)
        self.living = self.living | {actor.lease.id for actor in self.world.actors}
        self._not_durable()
        self.end(ends)

    @rule()
    def sweep(self) -> None:
        self.world.sweep()
        self.model.holds = {name: hold for name, hold in self.model.holds.items() if hold.process in self.living}
        self.claims = {
            key: it for key, it in self.claims.items() if it.answer is not None or it.lease_id in self.living
        }
        self._not_durable()

    @precondition(lambda self: len(self.remembered) > 1)
    @rule(index=INDEXES, ends=st.lists(ENDS, max_size=3))
    def database_crashes(self, index: int, ends: Ends) -> None:
        """It forgets the last transactions that were not durable: some of them, or all."""
        back = self.remembered[index % (len(self.remembered) - 1)]
        self.world.lose(back.books)
        self.model.holds, self.claims, self.living = dict(back.holds), dict(back.claims), set(back.living)
        self.remembered = []
        self._not_durable()
        self.end(ends)

    @rule()
    def audit(self) -> None:
        """In the middle of everything, too."""
        assert self.world.audit() == []

    # What has to be true.

    @invariant()
    def the_gate_counts_what_the_model_sums_up(self) -> None:
        model, books = self.model, self.remembered[-1].books
        assert {
            name: (hold.call.most, hold.frozen_at, hold.frozen, hold.process) for name, hold in model.holds.items()
        } == books.holds()
        claims = {key: (claim.event_id, claim.answer is not None) for key, claim in self.claims.items()}
        assert claims == books.claims()
        if not books.gate_stands:
            assert not model.holds
            return
        positions = {
            (place.month, place.plan, place.model): (model.settled(place), model.held(place))
            for place in model.places()
        }
        assert {key: value for key, value in positions.items() if any(map(any, value))} == books.positions()
        assert self._counters() == books.counters()

    @invariant()
    def the_books_say_what_was_used_and_paid(self) -> None:
        model, books = self.model, self.remembered[-1].books
        assert books.events() == {name: used for name, (_, used) in model.used.items()}
        assert books.rolled_up() == tuple(sum(used[meter] for _, used in model.used.values()) for meter in range(3))
        assert books.grants() == {grant.id: (grant.left, grant.refunded, grant.expired) for grant in model.grants}
        assert not any(books.entry_sums().values())
        assert books.posted("customer_credit") == {grant.id: grant.left for grant in model.grants}
        prepaid = [place for place in model.places() if place.plan == self.world.versions["credit"].id]
        owed = sum(cost_of(place.model, model.settled(place)) for place in prepaid)
        assert sum(books.posted("usage_revenue").values()) == owed

    @invariant()
    def nobody_is_beyond_a_bound(self) -> None:
        now = self.world.clock.now()
        balance = self.world.credits.balance(self.world.account.id)
        assert balance.available_nanos == max(0, self.model.available(now))
        assert sum(grant.left for grant in self.model.grants) >= balance.held_nanos


@pytest.mark.timeout(3600)
def test_the_gate_is_what_a_plain_model_says(database: Database, n: Callable[[int, int], int]) -> None:
    class OnDatabase(GateMachine):
        def __init__(self) -> None:
            super().__init__(database)

    run_state_machine_as_test(
        OnDatabase,
        settings=settings(
            max_examples=n(12, 200), stateful_step_count=n(20, 50), suppress_health_check=list(HealthCheck)
        ),
    )
    report = SelfAudit(database, FrozenClock(LAST)).run()
    assert [result for result in report.results if result.differences] == []
