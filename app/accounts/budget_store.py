"""All SQL of budgets."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from app.accounts.budget import Budget, Measure, Window
from app.accounts.tables import BudgetRow
from app.database import insert_into

_TABLE = BudgetRow.__table__
_BUDGETS_OF = select(_TABLE).where(_TABLE.c.account_id.in_(bindparam("ids", expanding=True))).order_by(_TABLE.c.id)
_REPLACED = ("limit_value", "hard", "thresholds")


def budgets_of(session: Session, account_ids: Collection[str]) -> dict[str, list[Budget]]:
    """Return the budgets of the accounts and of their keys, in the order of their ids; an account without is absent."""
    found: dict[str, list[Budget]] = {}
    for row in session.connection().execute(_BUDGETS_OF, {"ids": list(account_ids)}):
        found.setdefault(row.account_id, []).append(budget_of(row))
    return found


def find_budget(session: Session, budget_id: str) -> Budget | None:
    row = session.get(BudgetRow, budget_id, populate_existing=True)
    return budget_of(row) if row else None


def find_budget_of(
    session: Session, account_id: str, key_id: str | None, measure: Measure, window: Window
) -> Budget | None:
    """Return the one budget of that kind of a key, or of the account itself."""
    query = select(BudgetRow).where(BudgetRow.subject_id == (key_id or account_id), BudgetRow.account_id == account_id)
    query = query.where(BudgetRow.measure == measure, BudgetRow.window == window)
    row = session.scalar(query.execution_options(populate_existing=True))
    return budget_of(row) if row else None


def put_budget(session: Session, budget: Budget) -> Budget:
    """Store a budget and return it; one of the same subject, measure and window is replaced and keeps its id.

    So does it keep what was counted against it.
    """
    values = {
        "id": budget.id,
        "account_id": budget.account_id,
        "key_id": budget.key_id,
        "subject_id": budget.key_id or budget.account_id,
        "measure": budget.measure.value,
        "window": budget.window.value,
        "limit_value": budget.limit_value,
        "hard": budget.hard,
        "thresholds": " ".join(map(str, budget.thresholds)),
        "created_at": budget.created_at,
    }
    statement = insert_into(session, BudgetRow).values(values)
    replaced = {name: statement.excluded[name] for name in _REPLACED}
    upsert = statement.on_conflict_do_update(index_elements=["subject_id", "measure", "window"], set_=replaced)
    session.execute(upsert)
    stored = find_budget_of(session, budget.account_id, budget.key_id, budget.measure, budget.window)
    return stored or budget


def delete_budget(session: Session, budget_id: str) -> None:
    session.execute(delete(BudgetRow).where(BudgetRow.id == budget_id))


def budget_of(row: Any) -> Budget:
    """Return the noun of a row, or of what has its columns."""
    return Budget(
        id=row.id,
        account_id=row.account_id,
        key_id=row.key_id,
        measure=Measure(row.measure),
        window=Window(row.window),
        limit_value=row.limit_value,
        hard=row.hard,
        thresholds=tuple(map(int, row.thresholds.split())),
        created_at=row.created_at,
    )
