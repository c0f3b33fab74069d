"""/v1/budgets and the budgets of keys: what an account and each of its keys may spend or use."""

from fastapi import APIRouter

from app.accounts.bounded_key import BudgetLoosened
from app.accounts.budget import Measure, Window
from app.api.budget_fields import AlertFields, BudgetFields, BudgetStateFields
from app.api.claimed_route import ClaimedRoute
from app.api.dependencies import ActingKey, AlertCursor, BillingReader, BudgetCursor, KeysWriter, Limit, ServicesDep
from app.api.described_problems import BUDGET_LOOSENED, BUDGET_UNBOUNDED, problems
from app.api.wire import Page, page
from app.api.wire_budget import BudgetBody, alert_body, budget_body, state_body

router = APIRouter(prefix="/v1", tags=["budgets"], route_class=ClaimedRoute)
_OF_KEY = "/keys/{key_id}/budgets/{measure}/{window}"


@router.get("/budgets")
def list_budgets(
    principal: BillingReader, services: ServicesDep, cursor: BudgetCursor = "", limit: Limit = 50
) -> Page[BudgetStateFields]:
    """List the budgets of the account and its keys: their limits, what is used and held, and when they start anew."""
    currency = services.accounts.get_account(principal.account_id).currency
    behind = [state for state in services.budgets.list(principal.account_id) if state.budget.id > cursor]
    return page(behind, limit, lambda each: state_body(each, currency), lambda each: each.budget.id)


@router.get("/budgets/alerts")
def list_alerts(
    principal: BillingReader, services: ServicesDep, cursor: AlertCursor = "", limit: Limit = 50
) -> Page[AlertFields]:
    """List thresholds of budgets that were reached, the latest first."""
    currency = services.accounts.get_account(principal.account_id).currency
    alerts = services.budgets.alerts(principal.account_id, cursor or None, limit + 1)
    return page(alerts, limit, lambda each: alert_body(each, currency), lambda each: each.id)


@router.put(_OF_KEY, responses=problems(BUDGET_UNBOUNDED, BUDGET_LOOSENED))
def set_key_budget(
    key_id: str,
    measure: Measure,
    window: Window,
    body: BudgetBody,
    principal: KeysWriter,
    key: ActingKey,
    services: ServicesDep,
) -> BudgetStateFields:
    """Set what a key and its successors may spend or use in a window. A key may only draw its own bounds tighter."""
    target = services.accounts.get_key(principal.account_id, key_id)
    state = services.budgets.set(
        principal.account_id,
        key_id=key_id,
        measure=measure,
        window=window,
        limit_value=body.limit_value(measure),
        hard=body.hard,
        thresholds=tuple(body.thresholds),
        tighter_only=target.budget_key_id == principal.budget_key_id,
        by=key,
    )
    return state_body(state, services.accounts.get_account(principal.account_id).currency)


@router.delete(_OF_KEY, responses=problems(BUDGET_LOOSENED))
def remove_key_budget(
    key_id: str, measure: Measure, window: Window, principal: KeysWriter, key: ActingKey, services: ServicesDep
) -> BudgetFields:
    """Remove a budget of a key, and forget what was counted against it. A key may not remove its own."""
    budget = services.budgets.find(principal.account_id, key_id, measure, window)
    if budget.key_id == principal.budget_key_id:
        raise BudgetLoosened(
            "a key may not free itself of a budget", hint="use another key with the scope keys:write, or ask an owner"
        )
    removed = services.budgets.remove(budget.id, by=key)
    return budget_body(removed, services.accounts.get_account(principal.account_id).currency)
