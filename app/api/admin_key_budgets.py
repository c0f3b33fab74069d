"""/v1/admin/accounts/…/keys/…/budgets: what operators let a key and its successors spend or use."""

from fastapi import APIRouter

from app.accounts.budget import Measure, Window
from app.api.budget_fields import BudgetFields, BudgetStateFields
from app.api.claimed_route import ClaimedRoute
from app.api.dependencies import BudgetCursor, Limit, Operator, ServicesDep
from app.api.described_problems import BUDGET_UNBOUNDED, problems
from app.api.wire import Page, page
from app.api.wire_budget import BudgetBody, budget_body, state_body

router = APIRouter(
    prefix="/v1/admin/accounts/{account_id}/keys/{key_id}/budgets", tags=["admin"], route_class=ClaimedRoute
)


@router.get("")
def list_budgets_of_key(
    account_id: str,
    key_id: str,
    _operator: Operator,
    services: ServicesDep,
    cursor: BudgetCursor = "",
    limit: Limit = 50,
) -> Page[BudgetStateFields]:
    """List the budgets that a key shares with its successors, and where they stand."""
    currency = services.accounts.get_account(account_id).currency
    of_key = services.accounts.get_key(account_id, key_id).budget_key_id
    states = [each for each in services.budgets.list(account_id) if each.budget.key_id == of_key]
    behind = [each for each in states if each.budget.id > cursor]
    return page(behind, limit, lambda each: state_body(each, currency), lambda each: each.budget.id)


@router.put("/{measure}/{window}", responses=problems(BUDGET_UNBOUNDED))
def set_budget_of_key(
    account_id: str,
    key_id: str,
    measure: Measure,
    window: Window,
    body: BudgetBody,
    operator: Operator,
    services: ServicesDep,
) -> BudgetStateFields:
    """Set what a key and its successors may spend or use in a window; an operator may also loosen it."""
    state = services.budgets.set(
        account_id,
        key_id=key_id,
        measure=measure,
        window=window,
        limit_value=body.limit_value(measure),
        hard=body.hard,
        thresholds=tuple(body.thresholds),
        by=operator,
    )
    return state_body(state, services.accounts.get_account(account_id).currency)


@router.delete("/{measure}/{window}")
def remove_budget_of_key(
    account_id: str, key_id: str, measure: Measure, window: Window, operator: Operator, services: ServicesDep
) -> BudgetFields:
    """Remove a budget of a key, and forget what was counted against it."""
    budget = services.budgets.find(account_id, key_id, measure, window)
    removed = services.budgets.remove(budget.id, by=operator)
    return budget_body(removed, services.accounts.get_account(account_id).currency)
