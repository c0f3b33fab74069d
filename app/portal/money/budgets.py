"""/app/budgets: what the account and its keys may spend or use, how far they are, and who was told."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.bootstrap import Services
from app.charging.budget_alert import BudgetAlert
from app.errors import AppError
from app.portal.frame.bounds import BudgetForm, remove_budget, sees_budget, set_budget, visible_budgets
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import BudgetsWriter, Caller, ServicesDep, UsageReader

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_ALERTS_SHOWN = 50


@router.get("/app/budgets")
def show_budgets(request: Request, caller: UsageReader, services: ServicesDep) -> Response:
    """Show the budgets and quotas, and the thresholds that were passed."""
    return _page(request, services, caller)


@router.post("/app/budgets")
def set_account_budget(
    request: Request, form: Annotated[BudgetForm, Form()], caller: BudgetsWriter, services: ServicesDep
) -> Response:
    """Set a budget of the account; one of the same kind is replaced."""
    try:
        set_budget(services, caller.account.id, None, form, by=caller.actor)
    except AppError as error:
        return _page(request, services, caller, form, error)
    return RedirectResponse("/app/budgets?done=budget-set", status_code=303)


@router.post("/app/budgets/{budget_id}/remove")
def remove_account_budget(
    budget_id: str, _form: Annotated[PageForm, Form()], caller: BudgetsWriter, services: ServicesDep
) -> Response:
    """Remove a budget of the account."""
    remove_budget(services, caller.account.id, None, budget_id, by=caller.actor)
    return RedirectResponse("/app/budgets?done=budget-removed", status_code=303)


def _page(
    request: Request,
    services: Services,
    caller: Caller,
    form: BudgetForm | None = None,
    problem: AppError | None = None,
) -> Response:
    account = caller.account
    states = visible_budgets(services, caller.visitor, account.id)
    alerts = [
        alert
        for alert in services.budgets.alerts(account.id, limit=_ALERTS_SHOWN)
        if sees_budget(caller.visitor, alert.key_id, alert.measure)
    ]
    return form_page(
        request,
        "pages/budgets.html",
        problem=problem,
        account=account,
        states=states,
        alerts=alerts,
        keys=services.accounts.keys(account.id, _key_ids([state.budget.key_id for state in states], alerts)),
        form=form or BudgetForm(),
    )


def _key_ids(of_budgets: Sequence[str | None], alerts: Sequence[BudgetAlert]) -> set[str]:
    return {key_id for key_id in (*of_budgets, *(alert.key_id for alert in alerts)) if key_id}
