"""Opening an account: the account and the plan it starts on, in one transaction."""

from app.accounts.account import Account
from app.accounts.service import add_account, new_account
from app.accounts.store import find_account_of_creation
from app.audit_log.actor import INSTALLATION, Actor
from app.clock import Clock
from app.database import Database, Session
from app.errors import Conflict, Invalid
from app.pricing.service import CurrencyMismatch, put_on_plan


class PlanOfOtherCurrency(Invalid):
    """A new account is asked for in one currency, and on a plan in another."""

    code = "plan_of_other_currency"


class AccountOpenedAlready(Conflict):
    """The request that opens an account was sent before, with other facts."""

    code = "account_opened_already"


def open_account(
    database: Database,
    clock: Clock,
    name: str,
    *,
    currency: str,
    zone: str,
    anchor_day: int,
    plan_key: str | None,
    creation_id: str | None = None,
    by: Actor = INSTALLATION,
) -> Account:
    """Create an account and put it on the plan, if one is named; a wrong plan creates nothing.

    For each `creation_id` an account is opened once: its repeat returns the account as it is. Raises Invalid,
    PlanOfOtherCurrency, PlanNotFound, AccountOpenedAlready.
    """
    account = new_account(name, currency=currency, zone=zone, anchor_day=anchor_day, now=clock.now())
    with database.transaction() as session:
        opened = find_account_of_creation(session, creation_id) if creation_id else None
        if opened is None:
            open_in(session, account, plan_key, by=by, creation_id=creation_id)
    return account if opened is None else _repeated(opened, account)


def open_in(
    session: Session, account: Account, plan_key: str | None, *, by: Actor, creation_id: str | None = None
) -> None:
    """Store a new account and put it on the plan, in the caller's transaction.

    Raises PlanOfOtherCurrency, PlanNotFound.
    """
    add_account(session, account, by=by, creation_id=creation_id)
    if plan_key is None:
        return
    try:
        put_on_plan(session, account, plan_key, starts_at=account.created_at, now=account.created_at, by=by)
    except CurrencyMismatch as error:  # nothing is contradicted yet: the request is wrong in itself
        raise PlanOfOtherCurrency(
            f"plan {plan_key} is not in {account.currency}", where="plan", hint="choose another plan"
        ) from error


def _repeated(opened: Account, asked: Account) -> Account:
    """Return the account that was opened. Raises AccountOpenedAlready where another one is asked for."""
    if (opened.currency, opened.zone, opened.anchor_day) != (asked.currency, asked.zone, asked.anchor_day):
        raise AccountOpenedAlready(
            f"this request has opened {opened.id}, in another currency, zone or period",
            hint="use a new Idempotency-Key",
        )
    return opened
