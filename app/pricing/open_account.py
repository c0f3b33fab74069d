"""Opening an account: the account and the plan it starts on, in one transaction."""

from app.accounts.account import Account
from app.accounts.service import add_account, new_account
from app.audit_log.actor import INSTALLATION, Actor
from app.clock import Clock
from app.database import Database, Session
from app.errors import Invalid
from app.pricing.service import CurrencyMismatch, put_on_plan


class PlanOfOtherCurrency(Invalid):
    """A new account is asked for in one currency, and on a plan in another."""

    code = "plan_of_other_currency"


def open_account(
    database: Database,
    clock: Clock,
    name: str,
    *,
    currency: str,
    zone: str,
    anchor_day: int,
    plan_key: str | None,
    by: Actor = INSTALLATION,
) -> Account:
    """Create an account and put it on the plan, if one is named; a wrong plan creates nothing.

    Raises Invalid, PlanOfOtherCurrency, PlanNotFound.
    """
    account = new_account(name, currency=currency, zone=zone, anchor_day=anchor_day, now=clock.now())
    with database.transaction() as session:
        open_in(session, account, plan_key, by=by)
    return account


def open_in(session: Session, account: Account, plan_key: str | None, *, by: Actor) -> None:
    """Store a new account and put it on the plan, in the caller's transaction.

    Raises PlanOfOtherCurrency, PlanNotFound.
    """
    add_account(session, account, by=by)
    if plan_key is None:
        return
    try:
        put_on_plan(session, account, plan_key, starts_at=account.created_at, now=account.created_at, by=by)
    except CurrencyMismatch as error:  # nothing is contradicted yet: the request is wrong in itself
        raise PlanOfOtherCurrency(
            f"plan {plan_key} is not in {account.currency}", where="plan", hint="choose another plan"
        ) from error
