"""The queries of the gate's checks: gates, their positions and counters, and the holds of running calls."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.account import Account
from app.accounts.store import account_of
from app.accounts.tables import AccountRow, BudgetRow
from app.charging.gate_account import Counter, CounterKey, GatePosition, GatePositionKey
from app.charging.hold import Hold
from app.charging.hold_store import find_holds
from app.charging.tables import (
    ClaimRow,
    GateCounterRow,
    GatePositionRow,
    GateRow,
    HoldRow,
)
from app.metering.meter import Quantities

_PAGE_ROWS = 500


def gates(session: Session) -> Iterator[tuple[Account, datetime]]:
    """Yield the accounts that have a gate, with the instant at which it was opened."""
    after = ""
    query = select(AccountRow, GateRow.opened_at).join(GateRow, GateRow.account_id == AccountRow.id)
    while page := session.execute(query.where(AccountRow.id > after).order_by(AccountRow.id).limit(_PAGE_ROWS)).all():
        yield from ((account_of(row[0]), row[1]) for row in page)
        after = page[-1][0].id


def accounts(session: Session) -> Iterator[Account]:
    """Yield every account."""
    after, query = "", select(AccountRow).order_by(AccountRow.id).limit(_PAGE_ROWS)
    while page := session.scalars(query.where(AccountRow.id > after)).all():
        yield from map(account_of, page)
        after = page[-1].id


def accounts_with_budgets(session: Session) -> set[str]:
    """Return the accounts that have a budget, of their own or of a key."""
    return set(session.scalars(select(BudgetRow.account_id).distinct()))


def positions_of(session: Session, account_id: str) -> dict[GatePositionKey, GatePosition]:
    """Return every position of an account."""
    rows = session.scalars(select(GatePositionRow).where(GatePositionRow.account_id == account_id))
    return {
        GatePositionKey(row.period_start, row.plan_version_id, row.model): GatePosition(
            Quantities(row.settled_requests, row.settled_units, 0, row.settled_results),
            Quantities(row.held_requests, row.held_units, 0, row.held_results),
        )
        for row in rows
    }


def counters_of(session: Session, account_id: str) -> dict[CounterKey, Counter]:
    """Return every counter of an account's budgets."""
    rows = session.scalars(select(GateCounterRow).where(GateCounterRow.account_id == account_id))
    return {CounterKey(row.budget_id, row.window_start): Counter(row.settled, row.held) for row in rows}


def holds_of(session: Session, account_id: str) -> list[Hold]:
    """Return what the running calls of an account hold."""
    ids = session.scalars(select(HoldRow.event_id).where(HoldRow.account_id == account_id)).all()
    pages = (ids[start : start + _PAGE_ROWS] for start in range(0, len(ids), _PAGE_ROWS))
    return [hold for page in pages for hold in find_holds(session, page).values()]


def held_by_lease(session: Session) -> dict[str, dict[str, int]]:
    """Return how many holds, and how many running claims, belong to which lease, by its id."""
    holds = select(HoldRow.lease_id, func.count()).group_by(HoldRow.lease_id)
    running = select(ClaimRow.lease_id, func.count()).where(ClaimRow.state == "running").group_by(ClaimRow.lease_id)
    counted = {"holds": holds, "running claims": running}
    return {name: {row[0]: row[1] for row in session.execute(query)} for name, query in counted.items()}
