"""Whether an account has to do with credit: its pages speak of a balance only then."""

from app.bootstrap import Services
from app.pricing.plan import Billing


def is_prepaid(services: Services, account_id: str) -> bool:
    """Tell whether the plan in effect is paid from credit."""
    plan = services.plan_book.look_up(account_id, services.clock.now())
    return plan is not None and plan.billing is Billing.PREPAID


def has_credit(services: Services, account_id: str) -> bool:
    """Tell whether the account has a prepaid plan, or ever had credit."""
    return is_prepaid(services, account_id) or bool(services.credits.grants(account_id, limit=1))
