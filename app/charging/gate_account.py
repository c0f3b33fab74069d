"""One account at the gate: what it has settled and what its running calls hold, moved in memory (pure).

What the account itself owes is never a sum of frozen amounts: it is the rate of settled and held quantities together,
so that a call which is released moves those behind it back in their tiers. Budgets of keys and of days count the
amounts that were frozen when their calls were held.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.accounts.account import Account
from app.accounts.budget import Budget, Measure, Window, window_at
from app.charging.gate_refusal import balance_refusal, budget_refusal
from app.charging.hold import Hold, HoldRequest
from app.errors import InvariantViolation
from app.ledger.credit_grant import CreditGrant
from app.ledger.drawdown import Draw, draw
from app.metering.meter import Quantities
from app.pricing.plan import Billing, PlanVersion
from app.rating.call_charge import charge_of_call
from app.rating.rate import rate

COUNTED_MAX = 4 * 10**18  # far beyond any limit: a soft budget may be passed for ever, and 64 bits hold what is kept
_NOTHING = Quantities()


@dataclass(frozen=True, slots=True)
class GatePositionKey:
    """What tiers are counted by: one model under one plan version in one billing period."""

    period_start: datetime
    plan_version_id: str
    model: str


@dataclass(frozen=True, slots=True)
class GatePosition:
    """How much was used for good, and how much more running calls may use."""

    settled: Quantities = _NOTHING
    held: Quantities = _NOTHING


@dataclass(frozen=True, slots=True)
class CounterKey:
    """One budget in one of its windows."""

    budget_id: str
    window_start: datetime


@dataclass(frozen=True, slots=True)
class Counter:
    """Nanos or units against a budget. `held` is kept where `keeps_held` says so; else positions tell it."""

    settled: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class ThresholdPassed:
    """A budget's use has reached one of its thresholds, in percent of its limit."""

    budget: Budget
    window_start: datetime
    percent: int
    used: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a call came to: its marginal amount for the account, and from which grants it was drawn."""

    amount_nanos: int
    draws: tuple[Draw, ...]
    passed: tuple[ThresholdPassed, ...]


@dataclass(slots=True)
class GateAccount:
    """The state of one account under its lock. `moved_…` name what must be written back."""

    account: Account
    budgets: Sequence[Budget]
    versions: Mapping[str, PlanVersion]
    positions: dict[GatePositionKey, GatePosition]
    counters: dict[CounterKey, Counter]
    grants: list[CreditGrant]
    moved_positions: set[GatePositionKey] = field(default_factory=set)
    moved_counters: set[CounterKey] = field(default_factory=set)

    def take(self, request: HoldRequest) -> Hold:
        """Set aside what the call may use at most.

        Raises InsufficientBalance, BudgetExceeded, QuotaExceeded, ChargeTooLarge: then nothing has moved.
        """
        key = self.position_key(request.occurred_at, request.plan_version.id, request.model)
        position = self.positions.get(key, GatePosition())
        reached = position.settled + position.held
        prices = request.plan_version.prices_for(request.model) if request.live else ()
        amount_nanos = charge_of_call(prices, request.most, reached).estimate_nanos
        hold = Hold(
            event_id=request.event_id,
            account_id=request.account_id,
            key_id=request.key_id,
            live=request.live,
            plan_version_id=request.plan_version.id,
            model=request.model,
            occurred_at=request.occurred_at,
            most=request.most,
            position=reached,
            amount_nanos=amount_nanos,
            budget_ids=frozenset(budget.id for budget in self._budgets_of(request) if keeps_held(budget)),
        )
        self._require_credit(request, amount_nanos)
        for budget in self._budgets_of(request):
            self._require_budget(budget, hold)
        self._move_held(hold, sign=1)
        return hold

    def settle(self, hold: Hold, used: Quantities) -> Settlement:
        """Turn a hold into use: of all that was held, or of less where results are counted.

        Raises InvariantViolation where more was used than held.
        """
        used = replace(used, compute_ms=0)
        if any(getattr(used, name) > getattr(hold.most, name) for name in ("requests", "units", "results")):
            raise InvariantViolation(f"{hold.event_id} used {used} and had held {hold.most}")
        self._move_held(hold, sign=-1)
        amount_nanos, draws = self._settle_position(hold, used) if hold.live else (0, ())
        passed = tuple(self._settle_budgets(hold, used, amount_nanos))
        return Settlement(amount_nanos, draws, passed)

    def release(self, hold: Hold) -> None:
        """Give back what a call held that has failed."""
        self._move_held(hold, sign=-1)

    def held_nanos(self, billing: Billing | None = None) -> int:
        """Return what the running calls would cost from where the account stands: all of them, or those of a kind."""
        return sum(
            self._cost(self.versions[key.plan_version_id], key.model, position.held, position.settled)
            for key, position in self.positions.items()
            if position.held != _NOTHING and billing in (None, self.versions[key.plan_version_id].billing)
        )

    def position_key(self, occurred_at: datetime, plan_version_id: str, model: str) -> GatePositionKey:
        """Return by what a call of that instant counts."""
        period = window_at(Window.MONTH, occurred_at, self.account)
        return GatePositionKey(period.start, plan_version_id, model)

    def _cost(self, version: PlanVersion, model: str, quantities: Quantities, position: Quantities) -> int:
        prices = version.prices_for(model)
        return sum(rate(p.scheme, quantities.of(p.meter), position=position.of(p.meter)) for p in prices)

    def _budgets_of(self, call: HoldRequest | Hold) -> Iterator[Budget]:
        """Return the budgets that count the call: of a test key only its own quotas."""
        return (budget for budget in self.budgets if counts(budget, call))

    def _require_credit(self, request: HoldRequest, amount_nanos: int) -> None:
        if not amount_nanos or request.plan_version.billing is not Billing.PREPAID:
            return
        valid_nanos = sum(each.remaining_nanos for each in self.grants if each.valid_at(request.occurred_at))
        available_nanos = valid_nanos - self.held_nanos(Billing.PREPAID)
        if amount_nanos > available_nanos:
            raise balance_refusal(self.account.currency, needed_nanos=amount_nanos, available_nanos=available_nanos)

    def _require_budget(self, budget: Budget, hold: Hold) -> None:
        asked = value_of(budget, hold.most, hold.amount_nanos)
        window = budget.window_at(hold.occurred_at, self.account)
        counter = self.counters.get(CounterKey(budget.id, window.start), Counter())
        used = counter.settled + (counter.held if keeps_held(budget) else self.held_nanos())
        if budget.hard and asked and used + asked > budget.limit_value:
            raise budget_refusal(budget, window, self.account.currency, asked=asked, used=used, at=hold.occurred_at)

    def _move_held(self, hold: Hold, *, sign: int) -> None:
        if hold.live:
            key = self.position_key(hold.occurred_at, hold.plan_version_id, hold.model)
            position = self.positions.get(key, GatePosition())
            held = position.held + hold.most if sign > 0 else position.held - hold.most
            self._set_position(key, replace(position, held=held))
        for budget in self._budgets_of(hold):
            if budget.id in hold.budget_ids:
                value = sign * value_of(budget, hold.most, hold.amount_nanos)
                self._count(budget, hold.occurred_at, settled=0, held=value)

    def _settle_position(self, hold: Hold, used: Quantities) -> tuple[int, tuple[Draw, ...]]:
        key = self.position_key(hold.occurred_at, hold.plan_version_id, hold.model)
        position = self.positions[key]
        version = self.versions[hold.plan_version_id]
        amount_nanos = self._cost(version, hold.model, used, position.settled)
        self._set_position(key, replace(position, settled=position.settled + used))
        if version.billing is not Billing.PREPAID or not amount_nanos:
            return amount_nanos, ()
        draws = draw(self.grants, amount_nanos, hold.occurred_at)
        drawn = {each.grant_id: each.amount_nanos for each in draws}
        self.grants = [replace(g, remaining_nanos=g.remaining_nanos - drawn.get(g.id, 0)) for g in self.grants]
        return amount_nanos, draws

    def _settle_budgets(self, hold: Hold, used: Quantities, amount_nanos: int) -> Iterator[ThresholdPassed]:
        for budget in self._budgets_of(hold):
            own_nanos = self._frozen_cost(hold, used) if keeps_held(budget) else amount_nanos
            before, after = self._count(budget, hold.occurred_at, settled=value_of(budget, used, own_nanos), held=0)
            window = budget.window_at(hold.occurred_at, self.account)
            for percent in budget.thresholds:
                reached = max(1, percent * budget.limit_value)  # where the limit is nothing the first use passes it
                if before.settled * 100 < reached <= after.settled * 100:
                    yield ThresholdPassed(budget, window.start, percent, after.settled)

    def _frozen_cost(self, hold: Hold, used: Quantities) -> int:
        """Return what was used at the tiers that were reached when it was held: never more than the hold."""
        if used == hold.most:
            return hold.amount_nanos
        return self._cost(self.versions[hold.plan_version_id], hold.model, used, hold.position)

    def _count(self, budget: Budget, instant: datetime, *, settled: int, held: int) -> tuple[Counter, Counter]:
        key = CounterKey(budget.id, budget.window_at(instant, self.account).start)
        before = self.counters.get(key, Counter())
        after = Counter(min(before.settled + settled, COUNTED_MAX), before.held + held)
        if after != before:
            self.counters[key] = after
            self.moved_counters.add(key)
        return before, after

    def _set_position(self, key: GatePositionKey, position: GatePosition) -> None:
        self.positions[key] = position
        self.moved_positions.add(key)


def counts(budget: Budget, call: HoldRequest | Hold) -> bool:
    """Tell whether the budget counts the call: of a test key only its own quotas do."""
    if budget.key_id is None:
        return call.live
    return budget.key_id == call.key_id and (call.live or budget.measure is Measure.UNITS)


def keeps_held(budget: Budget) -> bool:
    """Tell whether the budget's counter holds what was frozen of each running call.

    It does not for an account's money in a billing period or for ever: tiers turn with the period, so that positions
    tell exactly what all running calls come to. Within a day they do not: a call of yesterday that settles today moves
    those of today up in the tiers.
    """
    return budget.key_id is not None or budget.measure is Measure.UNITS or budget.window is Window.DAY


def value_of(budget: Budget, quantities: Quantities, amount_nanos: int) -> int:
    """Return what a call of so much is to a budget: its units, or its amount."""
    return quantities.units if budget.measure is Measure.UNITS else amount_nanos
