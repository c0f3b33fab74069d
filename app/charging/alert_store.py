"""All SQL of reading alerts of budgets, and of noting that they were mailed; settlement writes them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts.budget import Measure, Window
from app.charging.budget_alert import BudgetAlert
from app.charging.tables import BudgetAlertRow


def list_alerts(session: Session, account_id: str, *, before: str | None, limit: int) -> list[BudgetAlert]:
    """Return the newest alerts of an account first, those before the id `before`."""
    query = select(BudgetAlertRow).where(BudgetAlertRow.account_id == account_id)
    if before is not None:
        query = query.where(BudgetAlertRow.id < before)
    return [_alert_of(row) for row in session.scalars(query.order_by(BudgetAlertRow.id.desc()).limit(limit))]


def lock_unmailed(session: Session, limit: int) -> list[BudgetAlert]:
    """Return alerts that nobody was mailed, the oldest first; those that another process mails now are left out."""
    query = select(BudgetAlertRow).where(BudgetAlertRow.mailed_at.is_(None)).order_by(BudgetAlertRow.id).limit(limit)
    return [_alert_of(row) for row in session.scalars(query.with_for_update(skip_locked=True))]


def mark_mailed(session: Session, alert_ids: Collection[str], now: datetime) -> None:
    session.execute(update(BudgetAlertRow).where(BudgetAlertRow.id.in_(alert_ids)).values(mailed_at=now))


def _alert_of(row: BudgetAlertRow) -> BudgetAlert:
    return BudgetAlert(
        id=row.id,
        budget_id=row.budget_id,
        account_id=row.account_id,
        key_id=row.key_id,
        measure=Measure(row.measure),
        window=Window(row.window),
        window_start=row.window_start,
        percent=row.percent,
        limit_value=row.limit_value,
        used=row.used,
        created_at=row.created_at,
    )
