"""The account that a person looks at: its facts, its name, and going over to another one."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.bootstrap import Services
from app.errors import AppError, NotFound
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute, cookies_of
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import AccountWriter, Caller, PersonDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class SwitchForm(PageForm):
    """The account to look at."""

    account: str = ""


class NameForm(PageForm):
    """What the account is called."""

    name: str = ""


@router.post("/app/switch")
def switch(form: Annotated[SwitchForm, Form()], person: PersonDep, services: ServicesDep) -> Response:
    """Look at another account of the person's own. Raises NotFound."""
    if form.account not in {membership.account.id for membership in person.visit.memberships}:
        raise NotFound(f"there is no account {form.account}", where="account")
    response = RedirectResponse("/app", status_code=303)
    cookies_of(services).set_account(response, form.account)
    return response


@router.get("/app/settings")
def show(request: Request, caller: AccountWriter, services: ServicesDep) -> Response:
    """Show what the account is."""
    return _page(request, caller, services, caller.account.name)


@router.post("/app/settings")
def rename(
    request: Request, form: Annotated[NameForm, Form()], caller: AccountWriter, services: ServicesDep
) -> Response:
    """Give the account another name."""
    try:
        services.accounts.rename(caller.account.id, form.name, by=caller.actor)
    except AppError as error:
        return _page(request, caller, services, form.name, problem=error)
    return RedirectResponse("/app/settings?done=renamed", status_code=303)


def _page(
    request: Request,
    caller: Caller,
    services: Services,
    name: str,
    *,
    problem: AppError | None = None,
) -> Response:
    return form_page(
        request,
        "pages/settings.html",
        account=caller.account,
        plan=services.plans.in_effect(caller.account.id, services.clock.now()),
        name=name,
        problem=problem,
    )
