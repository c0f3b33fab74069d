"""/operator/accounts/{id}/bounds: the budgets and limits of an account, and which thresholds were passed."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.account import Account
from app.bootstrap import Services
from app.errors import AppError
from app.portal.frame.bounds import BudgetForm, LimitsForm, remove_budget, set_budget
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/operator/accounts/{account_id}")
_ALERTS_SHOWN = 50


@router.get("/bounds")
def show(request: Request, account_id: str, _operator: OperatorDep, services: ServicesDep) -> Response:
    """Show what bounds the account and its keys."""
    return _page(request, services, services.accounts.get_account(account_id))


@router.post("/budgets")
def set_account_budget(
    request: Request, account_id: str, form: Annotated[BudgetForm, Form()], operator: OperatorDep, services: ServicesDep
) -> Response:
    """Set a budget of the account; one of the same kind is replaced."""
    account = services.accounts.get_account(account_id)
    try:
        set_budget(services, account.id, None, form, by=operator.actor)
    except AppError as error:
        return _page(request, services, account, budget=form, problem=error)
    return _done(account_id, "budget-set")


@router.post("/budgets/{budget_id}/remove")
def remove_account_budget(
    account_id: str, budget_id: str, _form: Annotated[PageForm, Form()], operator: OperatorDep, services: ServicesDep
) -> Response:
    """Remove a budget of the account."""
    account = services.accounts.get_account(account_id)
    remove_budget(services, account.id, None, budget_id, by=operator.actor)
    return _done(account_id, "budget-removed")


@router.post("/limits")
def set_limits(
    request: Request, account_id: str, form: Annotated[LimitsForm, Form()], operator: OperatorDep, services: ServicesDep
) -> Response:
    """Set what all keys of the account have in common."""
    account = services.accounts.get_account(account_id)
    try:
        services.limits.set_of_account(account.id, form.limits(), by=operator.actor)
    except AppError as error:
        return _page(request, services, account, limits=form, problem=error)
    return _done(account_id, "limits-set")


def _done(account_id: str, what: str) -> Response:
    return RedirectResponse(f"/operator/accounts/{account_id}/bounds?done={what}", status_code=303)


def _page(
    request: Request,
    services: Services,
    account: Account,
    *,
    budget: BudgetForm | None = None,
    limits: LimitsForm | None = None,
    problem: AppError | None = None,
) -> Response:
    states = services.budgets.list(account.id)
    alerts = services.budgets.alerts(account.id, limit=_ALERTS_SHOWN)
    present = services.limits.of_account(account.id)
    key_ids = {state.budget.key_id for state in states} | {alert.key_id for alert in alerts}
    return form_page(
        request,
        "pages/operator_bounds.html",
        account=account,
        problem=problem,
        states=states,
        alerts=alerts,
        keys=services.accounts.keys(account.id, {key_id for key_id in key_ids if key_id}),
        present=present,
        budget=budget or BudgetForm(),
        limits=limits or LimitsForm.of(present),
    )
