"""Where budgets stand now: how much of each is used, and what running calls hold of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.accounts.account import Account
from app.accounts.budget import FOR_EVER, Budget, Measure
from app.charging.gate_account import Counter, CounterKey, GateAccount
from app.charging.hold_store import find_counters, find_positions
from app.database import Session
from app.period import Period
from app.pricing.store import find_versions


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget in its window of now; `used` and `held` are nanos or units, by its measure."""

    budget: Budget
    window: Period
    used: int
    held: int

    @property
    def reset_at(self) -> datetime | None:
        """When it starts anew, None for one that never does."""
        return None if self.window == FOR_EVER else self.window.end


def states_of(session: Session, account: Account, budgets: Sequence[Budget], now: datetime) -> list[BudgetState]:
    """Return the states of budgets of one account, in their order."""
    windows = [budget.window_at(now, account) for budget in budgets]
    keys = [CounterKey(budget.id, window.start) for budget, window in zip(budgets, windows, strict=True)]
    counters = find_counters(session, keys)
    own_money = any(_is_own_money(budget) for budget in budgets)
    held_nanos = _held_nanos(session, account) if own_money else 0
    states = []
    for budget, window, key in zip(budgets, windows, keys, strict=True):
        counter = counters.get(key, Counter())
        held = held_nanos if _is_own_money(budget) else counter.held
        states.append(BudgetState(budget, window, counter.settled, held))
    return states


def _is_own_money(budget: Budget) -> bool:
    """Tell whether positions say what is held of it: its counter does not."""
    return budget.key_id is None and budget.measure is Measure.MONEY


def _held_nanos(session: Session, account: Account) -> int:
    positions = find_positions(session, [account.id], [])[account.id]
    versions = find_versions(session, {key.plan_version_id for key in positions})
    gate = GateAccount(account=account, budgets=(), versions=versions, positions=positions, counters={}, grants=[])
    return gate.held_nanos()
