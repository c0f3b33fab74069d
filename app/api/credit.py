"""What the caller's account has in advance: /v1/balance, its history, and the grants behind it."""

from fastapi import APIRouter

from app.api.credit_fields import BalanceFields, GrantFields, MovementFields
from app.api.dependencies import BillingReader, EntryCursor, GrantCursor, Limit, ServicesDep
from app.api.wire import Page, page
from app.api.wire_credit import balance_body, grant_body, movement_body

router = APIRouter(prefix="/v1", tags=["billing"])


@router.get("/balance")
def get_balance(principal: BillingReader, services: ServicesDep) -> BalanceFields:
    """Return the credit that calls may still take, what running calls hold, and both together, at this instant."""
    return balance_body(services.credits.balance(principal.account_id))


@router.get("/balance/history")
def get_balance_history(
    principal: BillingReader, services: ServicesDep, cursor: EntryCursor = "", limit: Limit = 50
) -> Page[MovementFields]:
    """List what came and went, newest first, each with the balance after it; usage stands by quarters of an hour."""
    currency = services.accounts.get_account(principal.account_id).currency
    movements = services.credits.history(principal.account_id, cursor or None, limit + 1)
    return page(movements, limit, lambda each: movement_body(each, currency), lambda each: each.id)


@router.get("/credits")
def list_credits(
    principal: BillingReader, services: ServicesDep, cursor: GrantCursor = "", limit: Limit = 50
) -> Page[GrantFields]:
    """List the account's grants of credit, newest first, those that are used up included."""
    currency = services.accounts.get_account(principal.account_id).currency
    grants = services.credits.grants(principal.account_id, cursor or None, limit + 1)
    return page(grants, limit, lambda each: grant_body(each, currency), lambda each: each.id)
