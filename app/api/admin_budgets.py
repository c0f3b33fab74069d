"""/v1/admin/accounts/…/budgets: what operators let an account spend or use."""

from fastapi import APIRouter

from app.accounts.budget import Measure, Window
from app.api.budget_fields import AlertFields, BudgetFields, BudgetStateFields
from app.api.claimed_route import ClaimedRoute
from app.api.dependencies import AlertCursor, BudgetCursor, Limit, Operator, ServicesDep
from app.api.described_problems import BUDGET_UNBOUNDED, problems
from app.api.wire import Page, page
from app.api.wire_budget import BudgetBody, alert_body, budget_body, state_body

router = APIRouter(prefix="/v1/admin/accounts/{account_id}/budgets", tags=["admin"], route_class=ClaimedRoute)


@router.get("")
def list_budgets(
    account_id: str, _operator: Operator, services: ServicesDep, cursor: BudgetCursor = "", limit: Limit = 50
) -> Page[BudgetStateFields]:
    """List the budgets of an account and its keys, and where they stand."""
    currency = services.accounts.get_account(account_id).currency
    behind = [state for state in services.budgets.list(account_id) if state.budget.id > cursor]
    return page(behind, limit, lambda each: state_body(each, currency), lambda each: each.budget.id)


@router.get("/alerts")
def list_account_alerts(
    account_id: str, _operator: Operator, services: ServicesDep, cursor: AlertCursor = "", limit: Limit = 50
) -> Page[AlertFields]:
    """List thresholds of an account's budgets that were reached, the latest first."""
    account = services.accounts.get_account(account_id)
    alerts = services.budgets.alerts(account.id, cursor or None, limit + 1)
    return page(alerts, limit, lambda each: alert_body(each, account.currency), lambda each: each.id)


@router.put("/{measure}/{window}", responses=problems(BUDGET_UNBOUNDED))
def set_budget(
    account_id: str, measure: Measure, window: Window, body: BudgetBody, operator: Operator, services: ServicesDep
) -> BudgetStateFields:
    """Set what an account may spend or use in a window."""
    state = services.budgets.set(
        account_id,
        measure=measure,
        window=window,
        limit_value=body.limit_value(measure),
        hard=body.hard,
        thresholds=tuple(body.thresholds),
        by=operator,
    )
    return state_body(state, services.accounts.get_account(account_id).currency)


@router.delete("/{measure}/{window}")
def remove_budget(
    account_id: str, measure: Measure, window: Window, operator: Operator, services: ServicesDep
) -> BudgetFields:
    """Remove a budget of an account, and forget what was counted against it."""
    budget = services.budgets.find(account_id, None, measure, window)
    removed = services.budgets.remove(budget.id, by=operator)
    return budget_body(removed, services.accounts.get_account(account_id).currency)
