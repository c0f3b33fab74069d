"""The use cases of budgets and quotas: set one, remove one, see where they stand."""

import builtins
from dataclasses import replace
from datetime import datetime

from app.accounts.account import Account
from app.accounts.budget import (
    DEFAULT_THRESHOLDS,
    FOR_EVER,
    Budget,
    Measure,
    Window,
    checked_limit,
    checked_thresholds,
)
from app.accounts.budget_store import budgets_of, delete_budget, find_budget, find_budget_of, put_budget
from app.accounts.store import find_account, find_key, lock_account, record_change
from app.audit_log.actor import INSTALLATION, Actor
from app.audit_log.store import record
from app.charging import alert_store, hold_store
from app.charging.budget_alert import BudgetAlert
from app.charging.budget_rules import found, require_bounded, require_tighter, shown_limit
from app.charging.budget_state import BudgetState, states_of
from app.charging.gate_account import Counter, CounterKey, ThresholdPassed, counts, keeps_held, value_of
from app.charging.open_gate import close_gate_if_unused, open_gate
from app.charging.used_so_far import used_so_far
from app.clock import Clock
from app.database import Database, Session
from app.errors import NotFound
from app.ids import new_id


class Budgets:
    """What accounts and their keys may spend or use."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def set(
        self,
        account_id: str,
        *,
        key_id: str | None = None,
        measure: Measure,
        window: Window,
        limit_value: int,
        hard: bool = True,
        thresholds: tuple[int, ...] = DEFAULT_THRESHOLDS,
        tighter_only: bool = False,
        by: Actor = INSTALLATION,
    ) -> BudgetState:
        """Set the budget of an account or, with `key_id`, of a key; one of the same measure and window is replaced.

        It counts what its present window has seen already. A key and its successors share their budgets. With
        `tighter_only`, BudgetLoosened is raised for one that allows more than the present one. Raises NotFound,
        BudgetInvalid, and BudgetUnbounded for money where a plan has a price that cannot be bounded.
        """
        with self._database.transaction() as session:
            account = lock_account(session, account_id)
            now = self._clock.now()  # not before: who waits for a lock over midnight would count in yesterday's window
            wanted = Budget(
                id=new_id("bud", now),
                account_id=account_id,
                key_id=_budget_key(session, account_id, key_id),
                measure=measure,
                window=window,
                limit_value=checked_limit(limit_value),
                hard=hard,
                thresholds=checked_thresholds(thresholds),
                created_at=now,
            )
            present = find_budget_of(session, account_id, wanted.key_id, measure, window)
            _require_allowed(session, account, present, wanted, tighter_only=tighter_only)
            return _put(session, account, present, wanted, now=now, by=by)

    def remove(self, budget_id: str, *, by: Actor = INSTALLATION) -> Budget:
        """Remove a budget with what was counted against it, and return it. Raises BudgetNotFound."""
        with self._database.transaction() as session:
            account_id = found(find_budget(session, budget_id)).account_id
            account = lock_account(session, account_id)
            now = self._clock.now()
            budget = found(find_budget(session, budget_id))
            hold_store.lock_gates(session, [account_id])
            delete_budget(session, budget_id)
            hold_store.delete_counters(session, budget_id)
            close_gate_if_unused(session, account_id, now)
            record_change(session)
            _record(session, "budget.removed", budget, account, by=by, at=now)
        return budget

    def list(self, account_id: str) -> builtins.list[BudgetState]:
        """Return the budgets of an account and its keys, as they stand now, by their ids. Raises NotFound."""
        with self._database.reading() as session:
            account = find_account(session, account_id)
            if account is None:
                raise NotFound(f"there is no account {account_id}", where="account")
            budgets = budgets_of(session, [account_id]).get(account_id, [])
            return states_of(session, account, budgets, self._clock.now())

    def find(self, account_id: str, key_id: str | None, measure: Measure, window: Window) -> Budget:
        """Return the budget of that kind of an account or one of its keys. Raises NotFound, BudgetNotFound."""
        with self._database.reading() as session:
            key_id = _budget_key(session, account_id, key_id)
            return found(find_budget_of(session, account_id, key_id, measure, window))

    def alerts(self, account_id: str, before: str | None = None, limit: int = 50) -> builtins.list[BudgetAlert]:
        """Return thresholds that were passed, the latest first, those before the alert `before`."""
        with self._database.reading() as session:
            return alert_store.list_alerts(session, account_id, before=before, limit=limit)


def _require_allowed(
    session: Session, account: Account, present: Budget | None, wanted: Budget, *, tighter_only: bool
) -> None:
    if tighter_only:
        require_tighter(present, wanted, account.currency)
    if wanted.measure is Measure.MONEY:
        require_bounded(session, wanted.account_id, wanted.created_at)


def _put(
    session: Session, account: Account, present: Budget | None, wanted: Budget, *, now: datetime, by: Actor
) -> BudgetState:
    """Store the budget and let the gate count it; one that stands as wanted is left alone."""
    open_gate(session, account, now)
    budget = put_budget(session, wanted)
    if present is None:
        _count_so_far(session, account, budget, now)
    state = states_of(session, account, [budget], now)[0]
    if budget != present:
        hold_store.insert_alerts(session, account.id, _passed(state), now)
        record_change(session)
        before = shown_limit(present, account.currency) if present else ""
        _record(session, "budget.set", budget, account, by=by, at=now, before=before)
    return state


def _count_so_far(session: Session, account: Account, budget: Budget, now: datetime) -> None:
    """Begin its counters with what was used before, and with what running calls hold that it counts.

    Under the gate's lock, which `open_gate` has taken: a call settles behind it, or has been recorded before it.
    """
    begun: dict[CounterKey, Counter] = {}
    for instant in _instants_counted(budget, account, now):
        key = CounterKey(budget.id, budget.window_at(instant, account).start)
        begun[key] = Counter(settled=used_so_far(session, account, budget, instant))
    running = hold_store.holds_of_account(session, account.id) if keeps_held(budget) else []
    adopted = [hold for hold in running if counts(budget, hold)]
    for hold in adopted:
        key = CounterKey(budget.id, budget.window_at(hold.occurred_at, account).start)
        before = begun.get(key, Counter())
        begun[key] = replace(before, held=before.held + value_of(budget, hold.most, hold.amount_nanos))
    hold_store.add_budget(session, adopted, budget.id)
    moved = {(account.id, key): counter for key, counter in begun.items() if counter != Counter()}
    hold_store.save_counters(session, moved)


def _instants_counted(budget: Budget, account: Account, now: datetime) -> tuple[datetime, ...]:
    """Return instants of the windows that may have seen calls: that of now, and the next where there is one.

    The clocks of several hosts do not turn together: another one may have recorded calls of tomorrow.
    """
    window = budget.window_at(now, account)
    return (now,) if window == FOR_EVER else (now, window.end)


def _passed(state: BudgetState) -> builtins.list[ThresholdPassed]:
    """Return the thresholds that a budget has passed in the moment in which it is set."""
    budget, used = state.budget, state.used
    passed = [percent for percent in budget.thresholds if used and used * 100 >= percent * budget.limit_value]
    return [ThresholdPassed(budget, state.window.start, percent, used) for percent in passed]


def _budget_key(session: Session, account_id: str, key_id: str | None) -> str | None:
    """Return under which key the budgets of a key are kept. Raises NotFound for a key of another account."""
    if key_id is None:
        return None
    key = find_key(session, account_id, key_id)
    if key is None:
        raise NotFound(f"there is no key {key_id}", where="key")
    return key.budget_key_id


def _record(
    session: Session, action: str, budget: Budget, account: Account, *, by: Actor, at: datetime, **details: str
) -> None:
    record(
        session,
        by=by,
        at=at,
        action=action,
        target=budget.key_id or budget.account_id,
        account_id=budget.account_id,
        budget=budget.name,
        limit=shown_limit(budget, account.currency),
        kind="hard" if budget.hard else "soft",
        thresholds=" ".join(map(str, budget.thresholds)),
        **details,
    )
