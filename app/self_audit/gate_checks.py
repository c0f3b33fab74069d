"""The checks of the gate: its counters are caches of what was booked and of what running calls hold."""

from collections import defaultdict
from datetime import datetime, timedelta
from math import inf

from app.accounts.account import Account
from app.accounts.budget import Budget, Measure, Window, window_at
from app.accounts.budget_store import budgets_of
from app.charging.gate_account import COUNTED_MAX, Counter, CounterKey, GatePosition, GatePositionKey
from app.charging.hold import Hold
from app.charging.lease_store import all_leases
from app.charging.lease_watch import LeaseWatch
from app.charging.local_process import this_host
from app.charging.used_so_far import used_so_far
from app.database import Session
from app.metering.meter import Quantities
from app.metering.store import quantities
from app.period import Period
from app.pricing.plan import Billing, PerUnit
from app.pricing.store import find_versions, plan_in_effect
from app.self_audit import gate_store
from app.self_audit.report import Tally

_NOTHING = Quantities()
_MICROSECOND = timedelta(microseconds=1)


def positions_are_usage(session: Session, tally: Tally, as_of: datetime) -> None:
    """Compare what each gate has settled with the rollup, by billing period, plan version and model.

    Not compared is a period that was over before the gate began to count, and of which it has seen the last calls only.
    """
    for account, opened_at in gate_store.gates(session):
        first = _first_counted(account, opened_at)
        positions = gate_store.positions_of(session, account.id)
        counted = {key: position for key, position in positions.items() if key.period_start >= first.start}
        tally.uncompared += len(positions) - len(counted)
        booked = _booked(session, account, first, max([as_of, *(key.period_start for key in counted)]))
        for key in sorted(counted.keys() | booked.keys(), key=str):
            found = counted.get(key, GatePosition()).settled
            tally.compare(f"{account.id}, {_named(key)}", booked.get(key, _NOTHING), found)


def positions_are_holds(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Compare what each gate holds with the sum of its running calls' holds."""
    for account, _ in gate_store.gates(session):
        held: dict[GatePositionKey, Quantities] = defaultdict(Quantities)
        for hold in gate_store.holds_of(session, account.id):
            if hold.live:
                held[_position_key(hold, account)] += hold.most
        positions = gate_store.positions_of(session, account.id)
        for key in sorted(positions.keys() | held.keys(), key=str):
            found = positions.get(key, GatePosition()).held
            tally.compare(f"{account.id}, {_named(key)}", held.get(key, _NOTHING), found)


def counters_are_holds(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Compare what each budget's counters hold with the holds that name the budget."""
    for account, _ in gate_store.gates(session):
        budgets = {budget.id: budget for budget in budgets_of(session, [account.id]).get(account.id, ())}
        held: dict[CounterKey, int] = defaultdict(int)
        for hold in gate_store.holds_of(session, account.id):
            for budget_id in hold.budget_ids & budgets.keys():
                budget = budgets[budget_id]
                of_units = budget.measure is Measure.UNITS
                window = budget.window_at(hold.occurred_at, account)
                held[CounterKey(budget_id, window.start)] += hold.most.units if of_units else hold.amount_nanos
        counters = gate_store.counters_of(session, account.id)
        for key in sorted(counters.keys() | held.keys(), key=str):
            found = counters.get(key, Counter()).held
            tally.compare(f"{account.id}, {key.budget_id} from {key.window_start}", held.get(key, 0), found)


def counters_are_usage(session: Session, tally: Tally, as_of: datetime) -> None:
    """Compare what each budget has counted with the rollup, in each of its windows.

    Not compared is money whose exact share nobody can tell afterwards: of keys, and of an account's days, under tiers;
    nor a window that was over when the budget was set, and of which it has seen the last calls only.
    """
    for account, _ in gate_store.gates(session):
        counters = gate_store.counters_of(session, account.id)
        for budget in budgets_of(session, [account.id]).get(account.id, ()):
            for window in _windows(budget, account, counters, as_of):
                before_it = window.end <= budget.created_at  # in which calls ended that had begun before it was set
                if before_it or not _is_exact(session, account, budget, window):
                    tally.uncompared += 1
                    continue
                expected = used_so_far(session, account, budget, min(window.end - _MICROSECOND, as_of))
                found = counters.get(CounterKey(budget.id, window.start), Counter()).settled
                if expected < COUNTED_MAX:
                    tally.compare(f"{account.id}, {budget.name} {budget.id} from {window.start}", expected, found)


def gates_stand(session: Session, tally: Tally, as_of: datetime) -> None:
    """Look for accounts that need a gate, for a budget or a prepaid plan, and whose calls pass none."""
    with_budgets = gate_store.accounts_with_budgets(session)
    for account in gate_store.accounts(session):
        plan = plan_in_effect(session, account.id, as_of)
        if account.id in with_budgets or (plan and plan.billing is Billing.PREPAID):
            tally.compare(f"{account.id} is gated", expected=True, found=account.gated)


def holds_have_processes(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Warn of what dead processes left behind: the sweeper gives it back, within seconds where one runs.

    Dead is a process without a lease, and one of this host that is gone: a kill leaves its lease where it stands.
    """
    leases = all_leases(session)
    dead = LeaseWatch(host=this_host(), lease_s=inf).dead(leases, 0.0)  # one look: by their pids alone
    living = {lease.id for lease in leases} - {lease.id for lease in dead}
    for name, counts in gate_store.held_by_lease(session).items():
        tally.compared += 1
        if left := sum(count for lease_id, count in counts.items() if lease_id not in living):
            tally.warn(f"{left} {name} belong to no living process; a running server gives them back")


def _first_counted(account: Account, opened_at: datetime) -> Period:
    """Return the billing period before the one in which the gate was opened: with it a gate begins to count."""
    opened_in = window_at(Window.MONTH, opened_at, account)
    return window_at(Window.MONTH, opened_in.start - _MICROSECOND, account)


def _booked(session: Session, account: Account, first: Period, last: datetime) -> dict[GatePositionKey, Quantities]:
    """Return what was booked from the first period to that of an instant."""
    booked, period = {}, first
    while period.start <= last:
        for total in quantities(session, account.id, period):
            used = Quantities(total.quantities.requests, total.quantities.units, 0, total.quantities.results)
            booked[GatePositionKey(period.start, total.plan_version_id, total.model)] = used
        period = window_at(Window.MONTH, period.end, account)
    return booked


def _windows(budget: Budget, account: Account, counters: dict[CounterKey, Counter], as_of: datetime) -> list[Period]:
    """Return the windows in which the budget has counted, and the present one, in which it should."""
    starts = {key.window_start for key in counters if key.budget_id == budget.id}
    return [budget.window_at(start, account) for start in sorted(starts | {budget.window_at(as_of, account).start})]


def _is_exact(session: Session, account: Account, budget: Budget, window: Period) -> bool:
    """Tell whether the rollup says to the nano what counts against the budget in a window."""
    if budget.measure is Measure.UNITS or (budget.key_id is None and budget.window is not Window.DAY):
        return True
    totals = quantities(session, account.id, window)
    versions = find_versions(session, {total.plan_version_id for total in totals})
    prices = [price for it in totals for price in versions[it.plan_version_id].prices_for(it.model)]
    return all(isinstance(price.scheme, PerUnit) for price in prices)


def _position_key(hold: Hold, account: Account) -> GatePositionKey:
    period = window_at(Window.MONTH, hold.occurred_at, account)
    return GatePositionKey(period.start, hold.plan_version_id, hold.model)


def _named(key: GatePositionKey) -> str:
    return f"{key.model}, {key.plan_version_id}, period from {key.period_start}"
