"""Opening an account: the account and the plan it starts on."""

from app.accounts.account import Account
from app.accounts.service import Accounts
from app.errors import Invalid
from app.pricing.service import Plans


def open_account(
    accounts: Accounts, plans: Plans, name: str, *, currency: str, zone: str, anchor_day: int, plan_key: str | None
) -> Account:
    """Create an account and put it on the plan, if one is named; a wrong plan is noticed before anything is created.

    Raises Invalid, PlanNotFound.
    """
    if plan_key is not None and (plan_currency := plans.newest(plan_key).currency) != currency:
        raise Invalid(
            f"plan {plan_key} is in {plan_currency}, not {currency}", where="plan", hint="choose another plan"
        )
    account = accounts.create_account(name, currency=currency, zone=zone, anchor_day=anchor_day)
    if plan_key is not None:
        plans.assign(account.id, plan_key)
    return account
