"""/operator/accounts/{id}/credit: what an account has in advance; granting credit, and paying it back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from app.accounts.account import Account
from app.bootstrap import Services
from app.charging.claim import IdempotencyKeyReused
from app.errors import AppError
from app.ledger.credit_grant import DEFAULT_PRIORITY, GrantKind
from app.period import midnight, parse_zone
from app.portal.frame.credit_room import is_prepaid
from app.portal.frame.day_field import day_of
from app.portal.frame.forms import PageForm, new_creation_id
from app.portal.frame.number_field import amount_of, number_of
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/operator/accounts/{account_id}/credit")
MOVEMENTS_ON_A_PAGE = 50
_GRANTS_MAX = 100
_ID_CHARS_MAX = 200


class GrantForm(PageForm):
    """Credit to grant: until the chosen day begins in the account's zone, or for ever."""

    amount: str = ""
    kind: GrantKind = GrantKind.PAID
    expires_on: str = ""
    priority: str = str(DEFAULT_PRIORITY)
    note: str = ""
    creation_id: str = Field(default_factory=new_creation_id, max_length=_ID_CHARS_MAX)

    def expires_at(self, account: Account) -> datetime | None:
        """Return the instant at which the day begins in the account's zone. Raises NoDay."""
        day = day_of(self.expires_on, where="expires_on")
        return midnight(day, parse_zone(account.zone)) if day else None


class RefundForm(PageForm):
    """An amount to pay back; without one, all that no running call may need."""

    amount: str = ""
    creation_id: str = Field(default_factory=new_creation_id, max_length=_ID_CHARS_MAX)


@dataclass(frozen=True, slots=True)
class Refunding:
    """A refund that came back with a problem: of which grant, what was typed, and under which id it is sent again."""

    grant_id: str
    amount: str
    creation_id: str


@router.get("")
def show(
    request: Request,
    account_id: str,
    _operator: OperatorDep,
    services: ServicesDep,
    before: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Show balance, grants and history."""
    return _page(request, services, services.accounts.get_account(account_id), before=before)


@router.post("")
def grant(
    request: Request, account_id: str, form: Annotated[GrantForm, Form()], operator: OperatorDep, services: ServicesDep
) -> Response:
    """Grant credit, once for each form, however often it is sent."""
    account = services.accounts.get_account(account_id)
    try:
        services.credits.grant(
            account.id,
            amount_nanos=amount_of(form.amount, where="amount"),
            kind=form.kind,
            priority=number_of(form.priority, where="priority"),
            expires_at=form.expires_at(account),
            note=form.note,
            creation_id=form.creation_id,
            by=operator.actor,
        )
    except AppError as error:
        return _page(request, services, account, form=form, problem=error)
    return _done(account_id, "granted")


@router.post("/{grant_id}/refund")
def refund(
    request: Request,
    account_id: str,
    grant_id: str,
    form: Annotated[RefundForm, Form()],
    operator: OperatorDep,
    services: ServicesDep,
) -> Response:
    """Pay a grant back, once for each form."""
    account = services.accounts.get_account(account_id)
    try:
        amount_nanos = amount_of(form.amount, where="amount") if form.amount else None
        services.credits.refund(account.id, grant_id, amount_nanos, creation_id=form.creation_id, by=operator.actor)
    except AppError as error:
        # The same id until the refund is made, which may not be known.
        again = new_creation_id() if isinstance(error, IdempotencyKeyReused) else form.creation_id
        return _page(request, services, account, refunding=Refunding(grant_id, form.amount, again), problem=error)
    return _done(account_id, "refunded")


def _done(account_id: str, what: str) -> Response:
    return RedirectResponse(f"/operator/accounts/{account_id}/credit?done={what}", status_code=303)


def _page(
    request: Request,
    services: Services,
    account: Account,
    *,
    before: str = "",
    form: GrantForm | None = None,
    refunding: Refunding | None = None,
    problem: AppError | None = None,
) -> Response:
    found = services.credits.history(account.id, before or None, MOVEMENTS_ON_A_PAGE + 1)
    movements = found[:MOVEMENTS_ON_A_PAGE]
    spent = form is None or isinstance(problem, IdempotencyKeyReused)
    return form_page(
        request,
        "pages/operator_credit.html",
        account=account,
        problem=problem,
        form=form or GrantForm(),
        # The same id until the form has made its grant, which may not be known.
        creation_id=new_creation_id() if spent or form is None else form.creation_id,
        refund_id=new_creation_id(),
        refunding=refunding,
        balance=services.credits.balance(account.id),
        grants=services.credits.grants(account.id, limit=_GRANTS_MAX),
        movements=movements,
        before=before,
        next_before=movements[-1].id if len(found) > MOVEMENTS_ON_A_PAGE else None,
        prepaid=is_prepaid(services, account.id),
        now=services.clock.now(),
    )
