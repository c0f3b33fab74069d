"""/v1/admin/accounts/…/balance: what an account has in advance, and how it came to that."""

from fastapi import APIRouter

from app.api.credit_fields import BalanceFields, MovementFields
from app.api.dependencies import EntryCursor, Limit, Operator, ServicesDep
from app.api.wire import Page, page
from app.api.wire_credit import balance_body, movement_body

router = APIRouter(prefix="/v1/admin/accounts/{account_id}/balance", tags=["admin"])


@router.get("")
def get_account_balance(account_id: str, _operator: Operator, services: ServicesDep) -> BalanceFields:
    """Return the credit that calls may still take, what running calls hold, and both together, at this instant."""
    return balance_body(services.credits.balance(account_id))


@router.get("/history")
def get_account_balance_history(
    account_id: str, _operator: Operator, services: ServicesDep, cursor: EntryCursor = "", limit: Limit = 50
) -> Page[MovementFields]:
    """List what came and went, newest first, each with the balance after it; usage stands by quarters of an hour."""
    account = services.accounts.get_account(account_id)
    movements = services.credits.history(account.id, cursor or None, limit + 1)
    return page(movements, limit, lambda each: movement_body(each, account.currency), lambda each: each.id)
