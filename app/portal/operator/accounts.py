"""/operator/accounts: every account of the installation, and the form that opens one for somebody else."""

from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from app.accounts.account import Account
from app.bootstrap import Services
from app.errors import AppError
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page, render
from app.portal.frame.visitor import OperatorDep, Person, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_PAGE_ROWS = 50


class NewAccountForm(PageForm):
    """A new account; without a plan its calls are refused, without an owner's address nobody sees its pages."""

    name: str
    currency: str = "USD"
    zone: str = "UTC"
    anchor_day: Annotated[int, Field(ge=1, le=31)] = 1
    plan: str = ""
    owner: str = ""


@router.get("/operator/accounts")
def show_accounts(request: Request, _operator: OperatorDep, services: ServicesDep, after: str = "") -> Response:
    """Show accounts in order of creation, each with the plan it is on."""
    found = services.accounts.list_accounts(after, _PAGE_ROWS + 1)
    accounts, now = found[:_PAGE_ROWS], services.clock.now()
    return render(
        request,
        "pages/operator_accounts.html",
        accounts=[(account, services.plan_book.look_up(account.id, now)) for account in accounts],
        after=after,
        next_after=accounts[-1].id if len(found) > _PAGE_ROWS else None,
    )


@router.get("/operator/accounts/new")
def show_form(request: Request, _operator: OperatorDep, services: ServicesDep) -> Response:
    """Show the form of a new account."""
    return _form(request, services, NewAccountForm(name="", plan=services.settings.default_plan or ""))


@router.post("/operator/accounts")
def create(
    request: Request, form: Annotated[NewAccountForm, Form()], operator: OperatorDep, services: ServicesDep
) -> Response:
    """Open the account and invite its owner, or show the form again with what is wrong."""
    try:
        account = _open(services, form, operator)
    except AppError as error:
        return _form(request, services, form, problem=error)
    return RedirectResponse(f"/operator/accounts/{account.id}?done=created", status_code=303)


def _open(services: Services, form: NewAccountForm, operator: Person) -> Account:
    return services.members.open_account(
        form.name,
        currency=form.currency.upper(),
        zone=form.zone,
        anchor_day=form.anchor_day,
        plan_key=form.plan or None,
        owner_email=form.owner or None,
        by=operator.actor,
        language=operator.visitor.preferences.language,
    )


def _form(request: Request, services: Services, form: NewAccountForm, *, problem: AppError | None = None) -> Response:
    return form_page(
        request,
        "pages/operator_account_new.html",
        form=form,
        problem=problem,
        plans=services.plans.list(),
        zone_names=sorted(available_timezones()),
        invitations_open=services.members.invitations_open,
    )
