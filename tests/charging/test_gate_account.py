"""One account at the gate, pure: whatever is taken, settled and released in whatever order, no bound is exceeded.

The oracle is a plain model that keeps no counters (`gate_model.py`).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.accounts.budget import Budget, Measure, Window
from app.charging.gate_account import Counter, CounterKey, GateAccount, GatePosition, ThresholdPassed
from app.charging.hold import BudgetExceeded, Hold, HoldRequest
from app.errors import AppError, InvariantViolation
from app.ledger.credit_grant import CreditGrant, GrantKind
from app.metering.meter import Quantities
from app.pricing.plan import Billing, PlanVersion
from app.pricing.plan_file import parse_plan
from tests.builders import NOON, make_account
from tests.charging.gate_model import (
    ANCHOR_DAY,
    MODELS,
    NEVER,
    ZONE,
    Amounts,
    GateModel,
    ModelBudget,
    ModelCall,
    ModelGrant,
    Place,
    cost_of,
    plan_toml,
    plus,
    window_of,
)
from tests.ledger.grants import make_grant

ACCOUNT = make_account(zone=ZONE, anchor_day=ANCHOR_DAY)
KEYS = ("key_a", "key_b", "test")  # the last one's calls are not live
DAY = timedelta(days=1)
FEWER = settings(max_examples=settings().max_examples // 2)  # the model sums all up anew after each step


def published(key: str, *, prepaid: bool) -> PlanVersion:
    draft = parse_plan(plan_toml(key, prepaid=prepaid))
    return PlanVersion(
        id=key,
        plan_key=key,
        version=1,
        currency=draft.currency,
        billing=draft.billing,
        base_fee_nanos=0,
        prices=draft.prices,
        published_at=NOON,
    )


VERSIONS = {key: published(key, prepaid=key == "prepaid") for key in ("prepaid", "postpaid")}


@dataclass
class Both:
    """The account at the gate beside its model: both are told the same."""

    gate: GateAccount
    model: GateModel
    holds: dict[str, Hold] = field(default_factory=dict)
    passed: list[ThresholdPassed] = field(default_factory=list)
    drawn: int = 0

    def take(self, request: HoldRequest) -> bool:
        """Ask for a hold; both say the same, and who is refused moves nothing."""
        call, before = model_call(request), state_of(self.gate)
        reasons = self.model.refusals(call)
        if reasons:
            with pytest.raises(AppError) as refused:
                self.gate.take(request)
            assert refused.value.code in reasons
            assert state_of(self.gate) == before
            return False
        hold = self.gate.take(request)
        mine = self.model.hold(call, "")
        assert (hold.amount_nanos, amounts_of(hold.position)) == (mine.frozen, mine.frozen_at)
        self.holds[hold.event_id] = hold
        return True

    def settle(self, event_id: str, results: int) -> None:
        hold = self.holds.pop(event_id)
        used = replace(hold.most, results=min(results, hold.most.results))
        settlement = self.gate.settle(hold, replace(used, compute_ms=17))
        assert settlement.amount_nanos == self.model.settle(self.model.holds[event_id], amounts_of(used))
        drawn = sum(each.amount_nanos for each in settlement.draws)
        assert drawn == (settlement.amount_nanos if hold.plan_version_id == "prepaid" else 0)
        self.drawn += drawn
        self.passed += settlement.passed

    def release(self, event_id: str) -> None:
        self.gate.release(self.holds.pop(event_id))
        del self.model.holds[event_id]

    def compare(self) -> None:
        """Every number of the gate is what the model says by the definition, and none is beyond its bound."""
        for key, position in self.gate.positions.items():
            place = Place(key.period_start, key.plan_version_id, key.model)
            found = amounts_of(position.settled), amounts_of(position.held)
            assert found == (self.model.settled(place), self.model.held(place))
        for budget in self.model.budgets.values():
            for window in budget.seen.keys() | {window_of(budget.window, h.occurred_at) for h in self.holds.values()}:
                self._compare_counter(budget, window)
        assert [grant.remaining_nanos for grant in self.gate.grants] == [grant.left for grant in self.model.grants]
        held_nanos = self.gate.held_nanos(Billing.PREPAID)
        assert held_nanos == self.model.held_nanos(prepaid_only=True)
        assert sum(grant.left for grant in self.model.grants) >= held_nanos >= 0

    def _compare_counter(self, budget: ModelBudget, window: datetime) -> None:
        counter = self.gate.counters.get(CounterKey(budget.id, window), Counter())
        held = self.model.held_of(budget, window)
        assert (counter.settled, counter.held) == (budget.seen.get(window, 0), held if budget.holds_by_call else 0)
        if budget.hard and budget.holds_by_call:
            assert counter.settled + held <= budget.limit
        elif budget.hard and budget.window != "day":  # which call of which day reaches a dearer tier, nobody can tell
            assert counter.settled <= budget.limit


def amounts_of(quantities: Quantities) -> Amounts:
    return quantities.requests, quantities.units, quantities.results


def state_of(gate: GateAccount) -> tuple[object, ...]:
    """What the gate holds and has seen; what stands at zero is as good as absent."""
    positions = {key: value for key, value in gate.positions.items() if value != GatePosition()}
    counters = {key: value for key, value in gate.counters.items() if value != Counter()}
    return positions, counters, list(gate.grants)


def model_call(request: HoldRequest) -> ModelCall:
    return ModelCall(
        request.event_id,
        request.key_id,
        request.live,
        request.plan_version.id,
        request.plan_version.id == "prepaid",
        request.model,
        request.occurred_at,
        amounts_of(request.most),
    )


@dataclass(frozen=True)
class Step:
    """Something that happens: a call asks, or one of those that run ends, with some of its results or without any."""

    key: str
    model: str
    plan: str
    units: int
    passed_hours: int
    ends: int | None
    results: int | None


STEPS = st.builds(
    Step,
    key=st.sampled_from(KEYS),
    model=st.sampled_from(MODELS),
    plan=st.sampled_from([*VERSIONS, "prepaid"]),
    units=st.integers(1, 7),
    passed_hours=st.sampled_from([0, 0, 0, 5, 17, 24 * 12]),
    ends=st.none() | st.integers(0, 9),
    results=st.none() | st.integers(0, 7),
)
BUDGETS = st.builds(
    ModelBudget,
    id=st.just(""),
    key=st.sampled_from([None, None, *KEYS]),
    money=st.booleans(),
    window=st.sampled_from(["day", "month", "total"]),
    limit=st.sampled_from([0, 3, 5, 6, 8, 9, 12, 15, 24]),
    hard=st.booleans(),
)
GRANTS = st.builds(
    ModelGrant,
    id=st.just(""),
    paid=st.booleans(),
    amount=st.integers(1, 40),
    left=st.just(0),
    priority=st.integers(0, 1),
    expires_at=st.sampled_from([NOON + DAY / 2, NOON + 20 * DAY, NEVER]),
)


def opened(budgets: list[ModelBudget], grants: list[ModelGrant]) -> Both:
    model = GateModel()
    for number, budget in enumerate(budgets):
        model.budgets[f"bud_{number}"] = replace(budget, id=f"bud_{number}", seen={})
    model.grants = [replace(grant, id=f"grant_{n}", left=grant.amount) for n, grant in enumerate(grants)]
    gate = GateAccount(
        account=ACCOUNT,
        budgets=[budget_of(each) for each in model.budgets.values()],
        versions=VERSIONS,
        positions={},
        counters={},
        grants=[grant_of(each) for each in model.grants],
    )
    return Both(gate, model)


def budget_of(budget: ModelBudget) -> Budget:
    return Budget(
        id=budget.id,
        account_id=ACCOUNT.id,
        key_id=budget.key,
        measure=Measure.MONEY if budget.money else Measure.UNITS,
        window=Window(budget.window),
        limit_value=budget.limit,
        hard=budget.hard,
        thresholds=(50, 100),
        created_at=NOON,
    )


def grant_of(grant: ModelGrant) -> CreditGrant:
    return make_grant(
        grant.id,
        grant.amount,
        kind=GrantKind.PAID if grant.paid else GrantKind.PROMOTIONAL,
        priority=grant.priority,
        expires_at=None if grant.expires_at == NEVER else grant.expires_at,
    )


def request_of(step: Step, event_id: str, at: datetime) -> HoldRequest:
    return HoldRequest(
        event_id=event_id,
        account_id=ACCOUNT.id,
        key_id=step.key,
        live=step.key != "test",
        plan_version=VERSIONS[step.plan],
        model=step.model,
        occurred_at=at,
        most=Quantities(requests=1, units=step.units, results=step.units if step.model == "outcome" else 0),
    )


def played(both: Both, steps: list[Step]) -> None:
    """Let the steps happen, one after the other, and compare after each."""
    at, numbers = NOON, count()
    for step in steps:
        at += timedelta(hours=step.passed_hours)
        if step.ends is None or not both.holds:
            both.take(request_of(step, f"evt_{next(numbers)}", at))
        elif step.results is None:
            both.release(list(both.holds)[step.ends % len(both.holds)])
        else:
            both.settle(list(both.holds)[step.ends % len(both.holds)], step.results)
        both.compare()


@FEWER
@given(st.lists(BUDGETS, max_size=4), st.lists(GRANTS, max_size=3), st.lists(STEPS, max_size=30))
def test_whatever_calls_do_the_gate_says_what_the_definition_says(
    budgets: list[ModelBudget], grants: list[ModelGrant], steps: list[Step]
) -> None:
    both = opened(budgets, grants)
    played(both, steps)
    for event_id in list(both.holds):
        both.settle(event_id, 0)
        both.compare()
    assert both.drawn == sum(grant.amount - grant.left for grant in both.model.grants)
    told = [(each.budget.id, each.window_start, each.percent) for each in both.passed]
    assert len(told) == len(set(told))
    assert set(told) == set(thresholds_reached(both.model))


def thresholds_reached(model: GateModel) -> list[tuple[str, datetime, int]]:
    """Return what use has reached: at a limit of zero the first use reaches everything."""
    return [
        (budget.id, window, percent)
        for budget in model.budgets.values()
        for window, seen in budget.seen.items()
        for percent in (50, 100)
        if seen * 100 >= max(1, percent * budget.limit)
    ]


@FEWER
@given(st.lists(BUDGETS, max_size=4), st.lists(GRANTS, max_size=3), st.lists(STEPS, max_size=20))
def test_when_every_call_has_failed_all_is_as_before(
    budgets: list[ModelBudget], grants: list[ModelGrant], steps: list[Step]
) -> None:
    both = opened(budgets, grants)
    played(both, [step for step in steps if step.results is not None])
    for event_id in list(both.holds):
        both.settle(event_id, 1)
    before = state_of(both.gate)
    played(both, [replace(step, ends=None, passed_hours=0) for step in steps])
    for event_id in reversed(list(both.holds)):
        both.release(event_id)
    assert state_of(both.gate) == before


@FEWER
@given(st.lists(STEPS, min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_the_order_in_which_calls_end_does_not_change_what_the_account_owes(steps: list[Step], random: object) -> None:
    orders = []
    for shuffled in (False, True):
        both = opened([], [ModelGrant("", True, 10**6, 0, 0, NEVER)])
        played(both, [replace(step, ends=None) for step in steps])
        events = list(both.holds)
        if shuffled:
            random.shuffle(events)  # type: ignore[attr-defined]
        settled = {event_id: steps[int(event_id.removeprefix("evt_"))].results or 0 for event_id in events}
        for event_id in events:
            both.settle(event_id, settled[event_id])
        places = both.model.places()
        owed = {place: cost_of(place.model, both.model.settled(place)) for place in places}
        assert both.drawn == sum(nanos for place, nanos in owed.items() if place.plan == "prepaid")
        orders.append((owed, both.drawn))
    assert orders[0] == orders[1]


def test_a_call_may_not_use_more_than_it_held() -> None:
    both = opened([], [])
    step = Step("key_a", "outcome", "postpaid", 2, 0, None, None)
    both.take(request_of(step, "evt_0", NOON))
    hold = both.holds["evt_0"]
    for used in (replace(hold.most, units=3), replace(hold.most, results=3), replace(hold.most, requests=2)):
        with pytest.raises(InvariantViolation, match="had held"):
            both.gate.settle(hold, used)


def test_a_free_call_passes_though_a_budget_is_exceeded() -> None:
    both = opened([ModelBudget("", None, True, "month", 5)], [])
    counter = CounterKey("bud_0", window_of("month", NOON))
    both.gate.counters[counter] = Counter(settled=9)  # it was used before the budget was set
    free = both.gate.take(request_of(Step("key_a", "rising", "postpaid", 3, 0, None, None), "evt_0", NOON))
    assert free.amount_nanos == 0
    with pytest.raises(BudgetExceeded):
        both.gate.take(request_of(Step("key_a", "rising", "postpaid", 1, 0, None, None), "evt_1", NOON))


def test_a_key_pays_what_its_call_was_frozen_at_whatever_becomes_of_the_calls_before_it() -> None:
    both = opened([ModelBudget("", "key_b", True, "day", 60)], [])
    first = Step("key_a", "falling", "postpaid", 7, 0, None, None)
    second = replace(first, key="key_b", units=4)
    both.take(request_of(first, "evt_0", NOON))
    both.take(request_of(second, "evt_1", NOON))
    frozen = cost_of("falling", plus((0, 7, 0), (0, 4, 0))) - cost_of("falling", (0, 7, 0))
    both.release("evt_0")
    both.settle("evt_1", 0)
    both.compare()
    assert both.gate.counters[CounterKey("bud_0", window_of("day", NOON))].settled == frozen
    assert frozen < cost_of("falling", (0, 4, 0))  # what the account owes for it
