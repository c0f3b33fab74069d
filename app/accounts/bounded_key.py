"""A key with a hard budget gets hold of no key that has not the same one, in the caller's transaction."""

from app.accounts.budget_store import budgets_of
from app.database import Session
from app.errors import Forbidden


class BudgetLoosened(Forbidden):
    """A key may draw its own bounds tighter, and no other way."""

    code = "budget_loosened"


def refuse_unbounded_key(session: Session, account_id: str, budget_key_id: str | None) -> None:
    """Raise BudgetLoosened where the key that asks for another one's secret has a hard budget; None is no key.

    The caller holds the account's lock, for which whoever sets a budget has to wait.
    """
    budgets = budgets_of(session, [account_id]).get(account_id, []) if budget_key_id else []
    if any(budget.hard and budget.key_id == budget_key_id for budget in budgets):
        raise BudgetLoosened(
            "a key with a budget may neither make another key nor rotate one: its bound would be none",
            hint="use a key without a budget for this, or ask an owner of the account",
        )
