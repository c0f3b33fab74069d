"""What new prices mean for the accounts that get them: which may not have them, and which calls pass a gate then.

A plan's row is locked before the rows of its accounts, always: by a publisher against every other change, by whoever
puts an account on the plan against publishers. So no account is overlooked that comes to a plan while it changes.
"""

from datetime import datetime

from app.accounts.budget import Measure
from app.accounts.budget_store import budgets_of
from app.accounts.store import gate_accounts, lock_accounts, set_gated
from app.database import Session
from app.errors import Conflict
from app.pricing import store
from app.pricing.bounds import unbounded_price_of
from app.pricing.plan import Billing, PlanDraft, PlanVersion, Price

_NAMED_MAX = 10


class PlanUnboundedUnderBudget(Conflict):
    """A budget of money could not be kept: what one of the plan's prices comes to is not known before a call runs."""

    code = "plan_unbounded_under_budget"


def prepare_accounts(session: Session, draft: PlanDraft, now: datetime) -> None:
    """Make the accounts on a plan ready for its next version, in the transaction that has locked the plan.

    Raises PlanUnboundedUnderBudget.
    """
    unbounded = unbounded_price_of(draft)
    if unbounded is None and draft.billing is not Billing.PREPAID:
        return  # as nearly always: nothing changes for anybody but the amounts
    account_ids = store.accounts_on_plan(session, draft.key, now)
    lock_accounts(session, account_ids)  # no budget comes in between, and the recorder sees who is gated
    if unbounded is not None:
        _refuse(draft.key, unbounded, store.money_capped_on_plan(session, draft.key, now, limit=_NAMED_MAX + 1))
    if draft.billing is Billing.PREPAID:
        gate_accounts(session, account_ids)


def prepare_account(session: Session, account_id: str, version: PlanVersion) -> None:
    """Make an account, whose lock the caller holds, ready for a plan. Raises PlanUnboundedUnderBudget."""
    if unbounded := unbounded_price_of(version):
        budgets = budgets_of(session, [account_id]).get(account_id, [])
        capped = any(budget.measure is Measure.MONEY for budget in budgets)
        _refuse(version.plan_key, unbounded, [account_id] if capped else [])
    if version.billing is Billing.PREPAID:
        set_gated(session, account_id, gated=True)


def _refuse(plan_key: str, price: Price, account_ids: list[str]) -> None:
    if account_ids:
        more = " and more" if len(account_ids) > _NAMED_MAX else ""
        raise PlanUnboundedUnderBudget(
            f"plan {plan_key} prices {price.meter} of {price.model}, which nobody knows before a call runs, and there "
            f"are budgets of money to keep: of {', '.join(account_ids[:_NAMED_MAX])}{more}",
            where="plan",
            hint="price units, requests or results instead, or remove the budgets first",
        )
