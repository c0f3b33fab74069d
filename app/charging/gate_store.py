"""What the gate locks and reads for a group of calls: PostgreSQL is asked once."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ClauseElement,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    literal_column,
    or_,
    select,
    union_all,
)

from app.accounts.account import Account
from app.accounts.budget import Budget, Window
from app.accounts.budget_store import budget_of
from app.accounts.tables import BudgetRow
from app.charging.gate_account import Counter, CounterKey, GatePosition, GatePositionKey
from app.charging.hold import Hold, HoldRequest
from app.charging.hold_store import accounts_of, hold_of, locked_gates, position_of
from app.charging.tables import GateCounterRow, GatePositionRow, HoldRow
from app.database import Base, Session
from app.group_sql import among, ask_together, group_sql, listed, packed, unpacked
from app.ledger.credit_grant import CreditGrant
from app.ledger.store import grant_of
from app.ledger.tables import CreditGrantRow

# Not a parameter: then PostgreSQL would not use an index of the rows above it.
_ZERO: ColumnElement[int] = literal_column("0", Integer)
_TABLES = (BudgetRow, CreditGrantRow, GatePositionRow, GateCounterRow, HoldRow)


# How long before a call the window began that it counts in, at most: a day of 25 hours, a month of 31 days.
_DAY_AT_MOST, _MONTH_AT_MOST = timedelta(hours=25), timedelta(days=31, hours=1)


@dataclass(slots=True)
class AccountReading:
    """What one locked account is to be judged by: its live grants, and positions and counters that may matter."""

    account: Account
    budgets: list[Budget] = field(default_factory=list)
    grants: list[CreditGrant] = field(default_factory=list)
    positions: dict[GatePositionKey, GatePosition] = field(default_factory=dict)
    counters: dict[CounterKey, Counter] = field(default_factory=dict)


def lock_and_read(
    session: Session, account_ids: Collection[str], calls: Collection[HoldRequest | Hold]
) -> tuple[dict[str, AccountReading], dict[str, Hold]]:
    """Lock the gates that exist; return what counts for the calls by account, and the holds of calls that have one."""
    first = min((call.occurred_at for call in calls), default=datetime.max.replace(tzinfo=UTC))
    asked = {
        "accounts": listed(session, sorted(account_ids)),
        "calls": listed(session, sorted(call.event_id for call in calls)),
        "models": listed(session, sorted({call.model for call in calls})),
        "day": first - _DAY_AT_MOST,
        "month": first - _MONTH_AT_MOST,
    }
    locked, found = ask_together(session, (locked_gates, {"accounts": asked["accounts"]}), (_read, asked))
    readings = {account.id: AccountReading(account) for account in accounts_of(text for (text,) in locked)}
    holds: dict[str, Hold] = {}
    for number, text in found:
        table = _TABLES[number]
        row = unpacked(table, text)
        if table is HoldRow:
            holds[row.event_id] = hold_of(row)
        elif row.account_id in readings:
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
    def rows_of(table: type[Base]) -> Select[int, str]:
        number = literal_column(str(_TABLES.index(table)), Integer)
        return select(number.label("number"), packed(dialect, table).label("packed"))

    def of_accounts(table: type[Base]) -> Select[int, str]:
        return rows_of(table).where(among(dialect, table.__table__.c.account_id, "accounts"))

    position, counter = GatePositionRow, GateCounterRow
    asked = (position.period_start >= _since("month")) & among(dialect, position.model, "models")
    counters = of_accounts(counter).join(BudgetRow, BudgetRow.id == counter.budget_id)
    return union_all(
        of_accounts(BudgetRow),
        of_accounts(CreditGrantRow).where(CreditGrantRow.remaining_nanos > _ZERO),
        of_accounts(position).where(or_(position.held_requests > _ZERO, asked)),
        counters.where(
            or_(_of_window(Window.TOTAL), *(_since_window(window) for window in (Window.DAY, Window.MONTH)))
        ),
        rows_of(HoldRow).where(among(dialect, HoldRow.event_id, "calls")),
    )


def _since(window: str) -> BindParameter[datetime]:
    return bindparam(window, type_=GateCounterRow.window_start.type)


def _of_window(window: Window) -> ColumnElement[bool]:
    return BudgetRow.window == literal_column(f"'{window.value}'")


def _since_window(window: Window) -> ColumnElement[bool]:
    return _of_window(window) & (GateCounterRow.window_start >= _since(window.value))
