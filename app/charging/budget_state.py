"""Where budgets stand now: how much of each is used, and what running calls hold of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.accounts.account import Account
from app.accounts.budget import FOR_EVER, Budget
from app.charging.gate_account import Counter, CounterKey, GateAccount, keeps_held
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
    held_nanos = 0 if all(keeps_held(budget) for budget in budgets) else _held_nanos(session, account)
    states = []
    for budget, window, key in zip(budgets, windows, keys, strict=True):
        counter = counters.get(key, Counter())
        held = counter.held if keeps_held(budget) else held_nanos
        states.append(BudgetState(budget, window, counter.settled, held))
    return states


def _held_nanos(session: Session, account: Account) -> int:
    positions = find_positions(session, [account.id], [])[account.id]
    versions = find_versions(session, {key.plan_version_id for key in positions})
    gate = GateAccount(account=account, budgets=(), versions=versions, positions=positions, counters={}, grants=[])
    return gate.held_nanos()
