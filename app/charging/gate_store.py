"""What the gate reads for a group of calls, in one statement: PostgreSQL is asked once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, Integer, Select, literal_column, or_, select, union_all

from app.accounts.account import Account
from app.accounts.budget import Budget, Window, window_at
from app.accounts.budget_store import budget_of
from app.accounts.tables import BudgetRow
from app.charging.gate_account import Counter, CounterKey, GatePosition, GatePositionKey
from app.charging.hold import Hold, HoldRequest
from app.charging.hold_store import hold_of, position_of
from app.charging.tables import GateCounterRow, GatePositionRow, HoldRow
from app.database import Base, Session
from app.group_sql import among, group_sql, listed, packed, unpacked
from app.ledger.credit_grant import CreditGrant
from app.ledger.store import grant_of
from app.ledger.tables import CreditGrantRow

# Not a parameter: then PostgreSQL would not use an index of the rows above it.
_ZERO: ColumnElement[int] = literal_column("0", Integer)
_TABLES = (BudgetRow, CreditGrantRow, GatePositionRow, GateCounterRow, HoldRow)


@dataclass(slots=True)
class AccountReading:
    """What one locked account has to be judged by: its live grants, positions that may matter, counters of windows."""

    budgets: list[Budget] = field(default_factory=list)
    grants: list[CreditGrant] = field(default_factory=list)
    positions: dict[GatePositionKey, GatePosition] = field(default_factory=dict)
    counters: dict[CounterKey, Counter] = field(default_factory=dict)


def read_gates(
    session: Session, accounts: Mapping[str, Account], calls: Collection[HoldRequest | Hold]
) -> tuple[dict[str, AccountReading], dict[str, Hold]]:
    """Return what counts for the calls by account, and the holds of those calls that have one. The gates are locked."""
    counted = [(call, accounts[call.account_id]) for call in calls if call.account_id in accounts]
    starts = {window_at(window, call.occurred_at, account).start for call, account in counted for window in Window}
    asked = {
        "accounts": listed(session, sorted(accounts)),
        "calls": listed(session, sorted(call.event_id for call in calls)),
        "starts": listed(session, sorted(starts)),
        "models": listed(session, sorted({call.model for call, _ in counted})),
    }
    readings = {account_id: AccountReading() for account_id in accounts}
    holds: dict[str, Hold] = {}
    for found in _read(session, asked):
        table = _TABLES[found.number]
        row = unpacked(table, found.packed)
        if table is HoldRow:
            holds[row.event_id] = hold_of(row)
        else:
            _put(readings[row.account_id], table, row)
    for reading in readings.values():
        reading.budgets.sort(key=lambda budget: budget.id)
    return readings, holds


def _put(reading: AccountReading, table: type[Base], row: Any) -> None:
    if table is BudgetRow:
        reading.budgets.append(budget_of(row))
    elif table is CreditGrantRow:
        reading.grants.append(grant_of(row))
    elif table is GatePositionRow:
        key = GatePositionKey(row.period_start, row.plan_version_id, row.model)
        reading.positions[key] = position_of(row)
    else:
        reading.counters[CounterKey(row.budget_id, row.window_start)] = Counter(row.settled, row.held)


@group_sql
def _read(dialect: str) -> ClauseElement:
    def rows_of(table: type[Base], *conditions: ColumnElement[bool]) -> Select[int, str]:
        number = literal_column(str(_TABLES.index(table)), Integer)
        return select(number.label("number"), packed(dialect, table).label("packed")).where(*conditions)

    def of_accounts(table: type[Base], *conditions: ColumnElement[bool]) -> Select[int, str]:
        return rows_of(table, among(dialect, table.__table__.c.account_id, "accounts"), *conditions)

    position = GatePositionRow
    asked = among(dialect, position.period_start, "starts") & among(dialect, position.model, "models")
    return union_all(
        of_accounts(BudgetRow),
        of_accounts(CreditGrantRow, CreditGrantRow.remaining_nanos > _ZERO),
        of_accounts(position, or_(position.held_requests > _ZERO, asked)),
        of_accounts(GateCounterRow, among(dialect, GateCounterRow.window_start, "starts")),
        rows_of(HoldRow, among(dialect, HoldRow.event_id, "calls")),
    )
