"""Goal: whatever processes, customers, operators and crashes do, the gate and the books are what a plain model says.

Method: a hypothesis state machine moves one account in a real database and a model of it (`gate_model.py`), which keeps
no counter and sums everything up anew. Every verdict of the gate, and after each step every number in the database,
has to be the model's. Two processes serve the account; each may die, or be taken for dead and go on; the database may
lose the last transactions that are not durable. Afterwards the audit passes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.accounts.budget import Measure, Window
from app.charging.claim import Claim, ClaimLost, IdempotencyKeyReused, StillRunning, StoredAnswer
from app.charging.credits import GrantNotRefundable, RefundTooLarge
from app.charging.gate import Granted, Pass
from app.charging.hold import HoldRequest
from app.charging.recorder import Record
from app.charging.settlement import HoldLost
from app.clock import FrozenClock
from app.database import Database
from app.errors import AppError
from app.ids import new_id
from app.ledger.credit_grant import GrantKind
from app.metering.meter import Quantities
from app.self_audit.service import SelfAudit
from tests.builders import NOON, make_answer, make_event
from tests.charging.gate_model import (
    EXACT_MODELS,
    MODELS,
    NEVER,
    UNITS,
    GateModel,
    ModelBudget,
    ModelCall,
    ModelGrant,
    ModelHold,
    cost_of,
)
from tests.charging.gate_world import PLANS, Actor, Books, GateWorld, claim_age_max

LAST = NOON + timedelta(days=45)  # the gate counts this billing period and the one before
OWNERS = st.sampled_from([None, 0, 1, 2])  # the account, or one of its keys: the last one is a test key
INDEXES = st.integers(0, 7)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class ModelClaim:
    """Who holds an idempotency key, for which request, by whose lease; and what it answered."""

    event_id: str
    digest: bytes
    lease_id: str
    at: object
    answer: bytes | None = None


@dataclass(frozen=True)
class Running:
    """A call that a process runs."""

    actor: Actor
    entry: Pass
    request: HoldRequest
    call: ModelCall


@dataclass(frozen=True)
class Remembered:
    """A state to which a crash of the database may go back: of its tables, and of the model."""

    books: Books
    holds: dict[str, ModelHold]
    claims: dict[str, ModelClaim]
    living: frozenset[str]


class GateMachine(RuleBasedStateMachine):
    """`model.holds`, `claims` and `living` are what a crash of the database may lose. All else is durable."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.world, self.model = GateWorld(database), GateModel()
        self.plan, self.gated, self.was_prepaid = "", False, False
        self.claims: dict[str, ModelClaim] = {}
        self.living = {actor.lease.id for actor in self.world.actors}
        self.running: list[Running] = []
        self.remembered: list[Remembered] = []
        self._put_on("credit")
        self._grant(30, paid=True, priority=1, expires=None)

    def teardown(self) -> None:
        self.world.close()

    # Calls.

    @rule(
        actor=st.integers(0, 1),
        key=st.integers(0, 2),
        model=st.sampled_from(MODELS),
        units=st.integers(1, 5),
        once=st.sampled_from([None, None, ("one", b"a"), ("one", b"a"), ("one", b"b"), ("two", b"a")]),
        knows=st.sampled_from([True, True, True, False]),
    )
    def enter(
        self, actor: int, key: int, model: str, units: int, once: tuple[str, bytes] | None, *, knows: bool
    ) -> None:
        """A call asks; a process that does not know yet that the account is gated asks for no hold."""
        process, request = self.world.actors[actor], self._request(key, model, units)
        claim = self._claim(once, request)
        entry = Pass(claim, request if self.gated == knows else None)
        call = self._call_of(request)
        expected = self._claimed(process, claim)
        if expected == "granted" and entry.hold and self.gated and (reasons := self.model.refusals(call)):
            with pytest.raises(AppError) as refused:
                self.world.enter(process, entry)
            assert refused.value.code in reasons
            if claim:
                self.claims.pop(claim.idempotency_key)
        elif expected == "granted":
            assert not entry.needed or isinstance(self.world.enter(process, entry), Granted)
            if entry.hold and self.gated:
                self.model.hold(call, process.lease.id)
            self.running.append(Running(process, entry, request, call))
        else:
            self._repeat(process, entry, expected)
        self._not_durable()

    @precondition(lambda self: self.running)
    @rule(index=INDEXES, results=st.integers(0, 5), news_lost=st.sampled_from([False, False, False, True]))
    def record(self, index: int, results: int, *, news_lost: bool) -> None:
        """A call ends well: its claim must be its own, and its hold must stand or find room."""
        running = self.running.pop(index % len(self.running))
        call, claim = running.call, running.entry.claim
        used = (1, call.most[UNITS], min(results, call.most[2]))
        expected: type[AppError] | None = None
        if claim and self.claims.get(claim.idempotency_key, self._mine(running)).event_id != call.id:
            expected = ClaimLost
        elif self.gated and call.id not in self.model.holds and self.model.refusals(call):
            expected = HoldLost
        record = self._record_of(running, used)
        if expected:
            with pytest.raises(expected):
                self.world.record(running.actor, record, news_lost=news_lost)
            if expected is HoldLost and claim:
                self.claims.pop(claim.idempotency_key, None)
            self._durable()
            self._leave(running)
            return
        self.world.record(running.actor, record, news_lost=news_lost)
        if self.gated:
            self.model.settle(self.model.holds.get(call.id) or self.model.hold(call, ""), used)
        else:
            self.model.used[call.id] = call, used
        if claim:
            mine = self.claims.get(claim.idempotency_key, self._mine(running))
            self.claims[claim.idempotency_key] = replace(mine, answer=call.id.encode())
        self._durable()

    @precondition(lambda self: self.running)
    @rule(index=INDEXES)
    def leave(self, index: int) -> None:
        """A call fails, and gives back what it has."""
        self._leave(self.running.pop(index % len(self.running)))

    # Credit.

    @rule(
        amount=st.integers(1, 60),
        paid=st.booleans(),
        priority=st.integers(0, 1),
        expires=st.sampled_from([None, None, DAY / 2, 2 * DAY, 30 * DAY]),
    )
    def grant(self, amount: int, priority: int, expires: timedelta | None, *, paid: bool) -> None:
        self._grant(amount, paid=paid, priority=priority, expires=expires)

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

    @rule()
    def expire(self) -> None:
        """The job that writes off what has expired: of other examples' accounts as well."""
        self.world.credits.expire_due()
        self.model.expire(self.world.clock.now())
        self._durable()

    # Bounds and plans.

    @rule(
        owner=OWNERS,
        money=st.booleans(),
        window=st.sampled_from(["day", "month", "total"]),
        limit=st.integers(0, 40),
        hard=st.sampled_from([True, True, False]),
    )
    def set_budget(self, owner: int | None, window: str, limit: int, *, money: bool, hard: bool) -> None:
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

    @precondition(lambda self: self.model.budgets)
    @rule(index=INDEXES)
    def remove_budget(self, index: int) -> None:
        budget_id = list(self.model.budgets)[index % len(self.model.budgets)]
        self.world.budgets.remove(budget_id)
        del self.model.budgets[budget_id]
        if not self.model.budgets and not self.was_prepaid:  # and nothing needs the gate any more
            self.gated = False
            self.model.holds.clear()
        self._durable()

    @rule(plan=st.sampled_from(sorted(PLANS)))
    def change_plan(self, plan: str) -> None:
        self.world.clock.advance(timedelta(seconds=1))  # calls of one instant are of one plan
        self._put_on(plan)

    # Time, and what breaks.

    @precondition(lambda self: self.world.clock.now() < LAST)
    @rule(hours=st.sampled_from([1, 13, 25, 24 * 26]))
    def let_time_pass(self, hours: int) -> None:
        """Over midnight, over what answers are kept for, over the end of the billing period."""
        self.world.clock.move_to(min(LAST, self.world.clock.now() + timedelta(hours=hours)))

    @rule(index=st.integers(0, 1))
    def process_dies(self, index: int) -> None:
        dead = self.world.actors[index]
        self.world.restart(index)
        self.running = [running for running in self.running if running.actor is not dead]
        self.living = self.living - {dead.lease.id} | {self.world.actors[index].lease.id}
        self._not_durable()

    @rule(index=st.integers(0, 1))
    def process_is_taken_for_dead(self, index: int) -> None:
        """And goes on: it does not know."""
        self.world.end_lease(self.world.actors[index])
        self.living = self.living - {self.world.actors[index].lease.id}
        self._not_durable()

    @rule()
    def processes_give_signs_of_life(self) -> None:
        for actor in self.world.actors:
            self.world.renew(actor)
        self.living = self.living | {actor.lease.id for actor in self.world.actors}
        self._not_durable()

    @rule()
    def sweep(self) -> None:
        self.world.sweep()
        self.model.holds = {name: hold for name, hold in self.model.holds.items() if hold.process in self.living}
        self.claims = {
            key: it for key, it in self.claims.items() if it.answer is not None or it.lease_id in self.living
        }
        self._not_durable()

    @precondition(lambda self: len(self.remembered) > 1)
    @rule(index=INDEXES)
    def database_crashes(self, index: int) -> None:
        """It forgets the last transactions that were not durable: some of them, or all."""
        back = self.remembered[index % (len(self.remembered) - 1)]
        self.world.lose(back.books)
        self.model.holds, self.claims, self.living = dict(back.holds), dict(back.claims), set(back.living)
        self.remembered = []
        self._not_durable()

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

    # How it is done.

    def _durable(self) -> None:
        """What came before is on the disk: no crash goes back behind it."""
        self.remembered = []
        self._not_durable()

    def _not_durable(self) -> None:
        now = Remembered(self.world.look(), dict(self.model.holds), dict(self.claims), frozenset(self.living))
        self.remembered.append(now)

    def _put_on(self, plan: str) -> None:
        self.world.plans.assign(self.world.account.id, plan)
        self.plan, self.was_prepaid = plan, self.was_prepaid or PLANS[plan]
        self.gated = self.gated or PLANS[plan]
        self._durable()

    def _grant(self, amount: int, *, paid: bool, priority: int, expires: timedelta | None) -> None:
        self.world.clock.advance(timedelta(milliseconds=1))  # ids of one instant would be in no order
        expires_at = self.world.clock.now() + expires if expires else None
        kind = GrantKind.PAID if paid else GrantKind.PROMOTIONAL
        made = self.world.credits.grant(
            self.world.account.id, amount_nanos=amount, kind=kind, priority=priority, expires_at=expires_at
        )
        self.model.grants.append(ModelGrant(made.id, paid, amount, amount, priority, expires_at or NEVER))
        self._durable()

    def _request(self, key: int, model: str, units: int) -> HoldRequest:
        now = self.world.clock.now()
        return HoldRequest(
            event_id=new_id("evt", now),
            account_id=self.world.account.id,
            key_id=self.world.keys[key],
            live=key != 2,
            plan_version=self.world.versions[self.plan],
            model=model,
            occurred_at=now,
            most=Quantities(requests=1, units=units, results=units if model == "outcome" else 0),
        )

    def _claim(self, once: tuple[str, bytes] | None, request: HoldRequest) -> Claim | None:
        if once is None:
            return None
        idempotency_key, body = once
        return Claim(self.world.account.id, idempotency_key, body.ljust(32, b"."), request.event_id)

    def _call_of(self, request: HoldRequest) -> ModelCall:
        return ModelCall(
            request.event_id,
            request.key_id,
            request.live,
            request.plan_version.id,
            PLANS[self.plan],
            request.model,
            request.occurred_at,
            (request.most.requests, request.most.units, request.most.results),
        )

    def _claimed(self, process: Actor, claim: Claim | None) -> str:
        """Take the claim in the model where it is free or its holder is gone; else say what its repeat gets."""
        if claim is None:
            return "granted"
        now, holder = self.world.clock.now(), self.claims.get(claim.idempotency_key)
        gone = holder and holder.answer is None and holder.lease_id not in self.living
        if holder and not gone and holder.at + claim_age_max() > now:  # type: ignore[operator]
            if holder.digest != claim.request_digest:
                return "reused"
            return "running" if holder.answer is None else "answered"
        self.claims[claim.idempotency_key] = ModelClaim(claim.event_id, claim.request_digest, process.lease.id, now)
        return "granted"

    def _repeat(self, process: Actor, entry: Pass, expected: str) -> None:
        assert entry.claim
        if expected == "answered":
            answer = self.world.enter(process, entry)
            assert isinstance(answer, StoredAnswer)
            assert answer.body == self.claims[entry.claim.idempotency_key].answer
            return
        with pytest.raises(StillRunning if expected == "running" else IdempotencyKeyReused):
            self.world.enter(process, entry)

    def _mine(self, running: Running) -> ModelClaim:
        """Return the claim that a call gets with its record where a crash has lost it."""
        assert running.entry.claim
        digest, now = running.entry.claim.request_digest, self.world.clock.now()
        return ModelClaim(running.call.id, digest, running.actor.lease.id, now)

    def _record_of(self, running: Running, used: tuple[int, int, int]) -> Record:
        call, claim = running.call, running.entry.claim
        exact = 0 if not call.live else cost_of(call.model, used) if call.model in EXACT_MODELS else None
        event = make_event(
            id=call.id,
            account_id=self.world.account.id,
            key_id=call.key,
            live=call.live,
            model=call.model,
            plan_version_id=call.plan,
            occurred_at=call.at,
            units=used[UNITS],
            results=used[2],
            amount_nanos=exact,
        )
        return Record(event, claim, make_answer(body=call.id.encode()) if claim else None, running.request)

    def _leave(self, running: Running) -> None:
        self.world.leave(running.actor, running.entry)
        if running.entry.hold:
            self.model.holds.pop(running.call.id, None)
        if claim := running.entry.claim:
            holder = self.claims.get(claim.idempotency_key)
            if holder and holder.event_id == running.call.id and holder.answer is None:
                del self.claims[claim.idempotency_key]
        self._not_durable()

    def _counters(self) -> dict[tuple[str, object], tuple[int, int]]:
        counters: dict[tuple[str, object], tuple[int, int]] = {}
        for budget in self.model.budgets.values():
            held = {budget.window_at(h.call.at) for h in self.model.holds.values() if budget.id in h.budgets}
            for window in budget.seen.keys() | held:
                counter = budget.seen.get(window, 0), self.model.held_of(budget, window) if budget.holds_by_call else 0
                if any(counter):
                    counters[budget.id, window] = counter
        return counters


@pytest.mark.timeout(3600)
def test_the_gate_is_what_a_plain_model_says(database: Database, n: Callable[[int, int], int]) -> None:
    class OnDatabase(GateMachine):
        def __init__(self) -> None:
            super().__init__(database)

    run_state_machine_as_test(
        OnDatabase,
        settings=settings(
            max_examples=n(10, 200), stateful_step_count=n(25, 50), suppress_health_check=list(HealthCheck)
        ),
    )
    report = SelfAudit(database, FrozenClock(LAST)).run()
    assert [result for result in report.results if result.differences] == []
