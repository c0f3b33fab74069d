"""All SQL of gates: the lock of an account, its positions and counters, and its holds."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ClauseElement, and_, bindparam, delete, or_, select, tuple_, update
from sqlalchemy.orm import Session

from app.accounts.account import Account
from app.accounts.store import account_of
from app.accounts.tables import AccountRow
from app.charging.gate_account import Counter, CounterKey, GatePosition, GatePositionKey, ThresholdPassed
from app.charging.hold import Hold
from app.charging.tables import (
    BudgetAlertRow,
    GateCounterRow,
    GatePositionRow,
    GateRow,
    HoldRow,
    ProcessLeaseRow,
)
from app.database import dialect_insert, insert_into
from app.group_sql import among, group_sql, listed, packed, unpacked
from app.ids import new_id
from app.metering.meter import Quantities

_GATES, _ACCOUNTS, _HOLDS = GateRow.__table__, AccountRow.__table__, HoldRow.__table__
_POSITIONS, _COUNTERS = GatePositionRow.__table__, GateCounterRow.__table__
METERS = ("requests", "units", "results")
POSITION_KEY = ("account_id", "period_start", "plan_version_id", "model")
COUNTER_KEY = ("account_id", "budget_id", "window_start")

_FIND_POSITIONS = select(_POSITIONS).where(
    or_(
        and_(_POSITIONS.c.account_id.in_(bindparam("ids", expanding=True)), _POSITIONS.c.held_requests > 0),
        tuple_(*(_POSITIONS.c[name] for name in POSITION_KEY)).in_(bindparam("keys", expanding=True)),
    )
)


def lock_gates(session: Session, account_ids: Collection[str]) -> dict[str, Account]:
    """Lock the gates that exist, in the order of their ids, and return their accounts.

    Whoever locks gates holds claims already, or never will: so no two transactions wait for each other.
    """
    locked = locked_gates(session, {"accounts": listed(session, sorted(account_ids))}).scalars()
    return {account.id: account for account in accounts_of(locked)}


def insert_gate(session: Session, account_id: str, now: datetime) -> bool:
    """Make the account's gate, locked; return False where it stands already."""
    statement = insert_into(session, GateRow).values(account_id=account_id, opened_at=now)
    once = statement.on_conflict_do_nothing(index_elements=["account_id"]).returning(GateRow.account_id)
    return session.execute(once).first() is not None


def delete_gate(session: Session, account_id: str) -> None:
    """Delete an account's gate with everything under it."""
    for table in (HoldRow, GateCounterRow, GatePositionRow, GateRow):
        session.execute(delete(table).where(table.account_id == account_id))


def find_positions(
    session: Session, account_ids: Collection[str], keys: Collection[tuple[str, GatePositionKey]]
) -> dict[str, dict[GatePositionKey, GatePosition]]:
    """Return the accounts' positions that hold something, and those of the keys."""
    asked = [(account_id, key.period_start, key.plan_version_id, key.model) for account_id, key in sorted_keys(keys)]
    found: dict[str, dict[GatePositionKey, GatePosition]] = {account_id: {} for account_id in account_ids}
    for each in session.connection().execute(_FIND_POSITIONS, {"ids": sorted(account_ids), "keys": asked}):
        key = GatePositionKey(each.period_start, each.plan_version_id, each.model)
        found[each.account_id][key] = position_of(each)
    return found


def sorted_keys(keys: Collection[tuple[str, GatePositionKey]]) -> list[tuple[str, GatePositionKey]]:
    """Return position keys in the order in which they are written."""
    return sorted(keys, key=lambda each: (each[0], each[1].period_start, each[1].plan_version_id, each[1].model))


def save_positions(session: Session, positions: Mapping[tuple[str, GatePositionKey], GatePosition]) -> None:
    """Write positions as they stand in memory: their gates are locked."""
    rows = []
    for account_id, key in sorted_keys(list(positions)):
        position = positions[account_id, key]
        row: dict[str, object] = dict(
            zip(POSITION_KEY, (account_id, key.period_start, key.plan_version_id, key.model), strict=True)
        )
        row |= {f"settled_{name}": getattr(position.settled, name) for name in METERS}
        row |= {f"held_{name}": getattr(position.held, name) for name in METERS}
        rows.append(row)
    if rows:
        _save_positions(session, rows)


def find_counters(session: Session, keys: Collection[CounterKey]) -> dict[CounterKey, Counter]:
    """Return the counters of those keys; one that was never moved is left out."""
    if not keys:
        return {}
    query = select(_COUNTERS).where(
        tuple_(_COUNTERS.c.budget_id, _COUNTERS.c.window_start).in_([(key.budget_id, key.window_start) for key in keys])
    )
    rows = session.connection().execute(query)
    return {CounterKey(row.budget_id, row.window_start): Counter(row.settled, row.held) for row in rows}


def save_counters(session: Session, counters: Mapping[tuple[str, CounterKey], Counter]) -> None:
    """Write counters, by account and key, as they stand in memory: their gates are locked."""
    rows = [
        {
            "account_id": account_id,
            "budget_id": key.budget_id,
            "window_start": key.window_start,
            "settled": counters[account_id, key].settled,
            "held": counters[account_id, key].held,
        }
        for account_id, key in sorted(counters, key=lambda each: (each[0], each[1].budget_id, each[1].window_start))
    ]
    if rows:
        _save_counters(session, rows)


def delete_counters(session: Session, budget_id: str) -> None:
    session.execute(delete(GateCounterRow).where(GateCounterRow.budget_id == budget_id))


def find_holds(session: Session, event_ids: Collection[str]) -> dict[str, Hold]:
    """Return the holds of those calls."""
    rows = session.connection().execute(select(_HOLDS).where(_HOLDS.c.event_id.in_(sorted(event_ids))))
    return {row.event_id: hold_of(row) for row in rows}


def holds_of_account(session: Session, account_id: str) -> list[Hold]:
    """Return what the account's running calls hold."""
    rows = session.connection().execute(select(_HOLDS).where(_HOLDS.c.account_id == account_id))
    return [hold_of(row) for row in rows]


def add_budget(session: Session, holds: Iterable[Hold], budget_id: str) -> None:
    """Let a budget that was set while they run hold its part of those calls, too: their gate is locked."""
    for hold in holds:
        names = " ".join(sorted({*hold.budget_ids, budget_id}))
        session.execute(update(HoldRow).where(HoldRow.event_id == hold.event_id).values(budget_ids=names))


def holds_of_dead(session: Session, limit: int) -> dict[str, str]:
    """Return holds whose process has no lease any more: event id to account id."""
    living = select(ProcessLeaseRow.id)
    query = select(HoldRow.event_id, HoldRow.account_id).where(HoldRow.lease_id.not_in(living))
    return {row.event_id: row.account_id for row in session.execute(query.order_by(HoldRow.event_id).limit(limit))}


def insert_holds(session: Session, holds: Sequence[Hold], *, lease_id: str) -> None:
    if holds:
        _insert_holds(session, [_hold_values(hold, lease_id) for hold in sorted(holds, key=lambda hold: hold.event_id)])


def delete_holds(session: Session, event_ids: Collection[str]) -> None:
    if event_ids:
        _delete_holds(session, {"calls": listed(session, sorted(event_ids))})


def insert_alerts(session: Session, account_id: str, passed: Iterable[ThresholdPassed], now: datetime) -> None:
    """Note thresholds that were passed, each once a window."""
    rows = [
        {
            "id": new_id("alert", now),
            "budget_id": each.budget.id,
            "account_id": account_id,
            "key_id": each.budget.key_id,
            "measure": each.budget.measure.value,
            "window": each.budget.window.value,
            "window_start": each.window_start,
            "percent": each.percent,
            "limit_value": each.budget.limit_value,
            "used": each.used,
            "created_at": now,
        }
        for each in passed
    ]
    if rows:
        statement = insert_into(session, BudgetAlertRow)
        once = statement.on_conflict_do_nothing(index_elements=["budget_id", "window_start", "percent"])
        session.execute(once, rows)


def accounts_of(packed_rows: Iterable[str]) -> Iterator[Account]:
    """Return the accounts that locked_gates has locked."""
    return (account_of(unpacked(AccountRow, text)) for text in packed_rows)


@group_sql
def locked_gates(dialect: str) -> ClauseElement:
    gated = select(packed(dialect, AccountRow)).join(_GATES, _GATES.c.account_id == _ACCOUNTS.c.id)
    wanted = gated.where(among(dialect, _GATES.c.account_id, "accounts")).order_by(_GATES.c.account_id)
    return wanted.with_for_update(of=_GATES)


@group_sql
def _save_positions(dialect: str) -> ClauseElement:
    statement = dialect_insert(dialect, GatePositionRow)
    names = [f"{state}_{meter}" for state in ("settled", "held") for meter in METERS]
    values = {name: statement.excluded[name] for name in names}
    upsert: ClauseElement = statement.on_conflict_do_update(index_elements=list(POSITION_KEY), set_=values)
    return upsert


@group_sql
def _save_counters(dialect: str) -> ClauseElement:
    statement = dialect_insert(dialect, GateCounterRow)
    values = {name: statement.excluded[name] for name in ("settled", "held")}
    upsert: ClauseElement = statement.on_conflict_do_update(index_elements=list(COUNTER_KEY), set_=values)
    return upsert


@group_sql
def _insert_holds(dialect: str) -> ClauseElement:
    statement: ClauseElement = dialect_insert(dialect, HoldRow)
    return statement


@group_sql
def _delete_holds(dialect: str) -> ClauseElement:
    return delete(HoldRow).where(among(dialect, _HOLDS.c.event_id, "calls"))


def _hold_values(hold: Hold, lease_id: str) -> dict[str, object]:
    return {
        "event_id": hold.event_id,
        "account_id": hold.account_id,
        "key_id": hold.key_id,
        "live": hold.live,
        "lease_id": lease_id,
        "plan_version_id": hold.plan_version_id,
        "model": hold.model,
        "occurred_at": hold.occurred_at,
        **{name: getattr(hold.most, name) for name in METERS},
        **{f"position_{name}": getattr(hold.position, name) for name in METERS},
        "amount_nanos": hold.amount_nanos,
        "budget_ids": " ".join(sorted(hold.budget_ids)),
    }


def hold_of(row: Any) -> Hold:
    """Return the noun of a row, or of what has its columns."""
    return Hold(
        event_id=row.event_id,
        account_id=row.account_id,
        key_id=row.key_id,
        live=row.live,
        plan_version_id=row.plan_version_id,
        model=row.model,
        occurred_at=row.occurred_at,
        most=_quantities_of(row, ""),
        position=_quantities_of(row, "position_"),
        amount_nanos=row.amount_nanos,
        budget_ids=frozenset(row.budget_ids.split()),
    )


def position_of(row: Any) -> GatePosition:
    """Return the noun of a row, or of what has its columns."""
    return GatePosition(_quantities_of(row, "settled_"), _quantities_of(row, "held_"))


def _quantities_of(row: Any, prefix: str) -> Quantities:
    return Quantities(**{name: getattr(row, prefix + name) for name in METERS})
