"""When an account gets a gate, and when it needs none any more.

An account is gated while it has a budget of its own or of a key, or a prepaid plan now or to come. Whoever changes that
holds the account's lock, which the recorder shares: so what it has booked is in the rollup when the gate begins to
count, and what it books from then on passes the gate.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from app.accounts.account import Account
from app.accounts.budget import Window, window_at
from app.accounts.budget_store import budgets_of
from app.accounts.store import find_account, lock_account, record_change, set_gated
from app.charging import hold_store
from app.charging.gate_account import GatePosition, GatePositionKey
from app.clock import Clock
from app.database import Database, Session
from app.errors import InvariantViolation
from app.metering.meter import Quantities
from app.metering.store import quantities
from app.period import Period
from app.pricing.plan import Billing
from app.pricing.store import plan_segments, versions_ahead

Result = TypeVar("Result")


class GatesMissing(Exception):
    """Accounts need a gate and have none yet. Whoever holds gates of others must not wait for these."""

    def __init__(self, account_ids: Sequence[str]) -> None:
        super().__init__(f"no gate stands of {', '.join(account_ids)}")
        self.account_ids = account_ids


def with_gates(database: Database, clock: Clock, work: Callable[[], Result]) -> Result:
    """Do work that is one transaction; where it meets GatesMissing, make those gates and do it anew.

    Each is made in a transaction that locks no other: the order of gates is kept by all that lock several.
    """
    while True:
        try:
            return work()
        except GatesMissing as missing:
            for account_id in missing.account_ids:
                with database.transaction(durable=False) as session:
                    if lock_account(session, account_id).gated:  # else it needs none any more
                        stand_gate(session, account_id, clock.now())


def open_gate(session: Session, account: Account, now: datetime) -> Account:
    """Let the account's calls pass a gate from now on, and lock it. The caller holds the account's lock, and gives the
    account as it read it under that lock: one that has a gate already is no change for anybody.
    """
    if not account.gated:
        set_gated(session, account.id, gated=True)
        record_change(session)
    return stand_gate(session, account.id, now)


def close_gate_if_unused(session: Session, account_id: str, now: datetime) -> None:
    """Take the gate away where no budget and no prepaid plan needs it. The caller holds the account's lock."""
    account = find_account(session, account_id)
    if account is None or budgets_of(session, [account_id]) or _has_prepaid_plan(session, account, now):
        return
    hold_store.lock_gates(session, [account_id])
    hold_store.delete_gate(session, account_id)
    set_gated(session, account_id, gated=False)
    record_change(session)


def stand_gate(session: Session, account_id: str, now: datetime) -> Account:
    """Lock the gate of a gated account; make it first, with what the account has used so far, where none stands."""
    made = hold_store.insert_gate(session, account_id, now)
    account = hold_store.lock_gates(session, [account_id]).get(account_id)
    if account is None:
        raise InvariantViolation(f"the gate of {account_id} was not made")
    if made:
        hold_store.save_positions(session, _positions_so_far(session, account, now))
    return account


def _positions_so_far(
    session: Session, account: Account, now: datetime
) -> dict[tuple[str, GatePositionKey], GatePosition]:
    """Return what the account has used in the periods that the gate counts."""
    return {
        (account.id, GatePositionKey(period.start, total.plan_version_id, total.model)): GatePosition(
            Quantities(total.quantities.requests, total.quantities.units, 0, total.quantities.results)
        )
        for period in _periods_counted(account, now)
        for total in quantities(session, account.id, period)
    }


def _periods_counted(account: Account, now: datetime) -> tuple[Period, Period, Period]:
    """Return the billing period before this one, whose last calls may run yet, this one, and the one behind it.

    In that one the first calls may have been recorded: the clocks of several hosts do not turn together.
    """
    this = window_at(Window.MONTH, now, account)
    before = window_at(Window.MONTH, this.start - timedelta(seconds=1), account)
    return before, this, window_at(Window.MONTH, this.end, account)


def _has_prepaid_plan(session: Session, account: Account, now: datetime) -> bool:
    """Tell whether a plan of now, one to come, or one whose last calls may run yet, is prepaid.

    A call that was admitted under one is paid from credit at the gate, however late it ends: no invoice has it.
    """
    lately = Period(_periods_counted(account, now)[0].start, now + timedelta(microseconds=1))
    versions = [segment.plan_version for segment in plan_segments(session, account.id, lately)]
    return any(it.billing is Billing.PREPAID for it in [*versions, *versions_ahead(session, account.id, now)])
