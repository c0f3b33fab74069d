"""/app/keys/{id}/budgets and /limits: the forms that hold a key back."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError
from app.portal.frame.bounds import BudgetForm, LimitsForm, remove_budget, set_budget
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.visitor import KeysWriter, ServicesDep
from app.portal.money.key_page import Typed, key_page

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/app/keys/{key_id}")


@router.post("/budgets")
def set_key_budget(
    request: Request, key_id: str, form: Annotated[BudgetForm, Form()], caller: KeysWriter, services: ServicesDep
) -> Response:
    """Set a budget of a key and its successors; one of the same kind is replaced."""
    key = services.accounts.get_key(caller.account.id, key_id)
    try:
        set_budget(services, caller.account.id, key.id, form, by=caller.actor)
    except AppError as error:
        return key_page(request, caller, services, key, error, typed=Typed(budget=form))
    return _done(key_id, "budget-set")


@router.post("/budgets/{key_budget_id}/remove")
def remove_key_budget(
    key_id: str, key_budget_id: str, _form: Annotated[PageForm, Form()], caller: KeysWriter, services: ServicesDep
) -> Response:
    """Remove a budget of a key."""
    key = services.accounts.get_key(caller.account.id, key_id)
    remove_budget(services, caller.account.id, key.budget_key_id, key_budget_id, by=caller.actor)
    return _done(key_id, "budget-removed")


@router.post("/limits")
def set_key_limits(
    request: Request, key_id: str, form: Annotated[LimitsForm, Form()], caller: KeysWriter, services: ServicesDep
) -> Response:
    """Set all limits of a key and its successors."""
    key = services.accounts.get_key(caller.account.id, key_id)
    try:
        services.limits.set_of_key(caller.account.id, key.id, form.limits(), by=caller.actor)
    except AppError as error:
        return key_page(request, caller, services, key, error, typed=Typed(limits=form))
    return _done(key_id, "limits-set")


def _done(key_id: str, what: str) -> Response:
    return RedirectResponse(f"/app/keys/{key_id}?done={what}", status_code=303)
