"""/operator/accounts/{id}: one account as those see it who run the installation."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BeforeValidator, Field
from starlette.responses import RedirectResponse, Response

from app.accounts.account import Account
from app.billing.account_charges import AccountCharges
from app.bootstrap import Services
from app.database import DatabaseUnavailable
from app.errors import AppError
from app.members.role import Role, parse_role
from app.metering.usage_range import Preset, preset_range
from app.metering.usage_report import GroupBy, UsageRow
from app.period import midnight, parse_zone
from app.portal.forms import PageForm
from app.portal.page_route import PageRoute
from app.portal.rendering import form_page
from app.portal.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/operator/accounts/{account_id}")
_INVOICES_SHOWN = 12
_KEYS_SHOWN = 100
_Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))]
DayOrNow = Annotated[_Day | None, BeforeValidator(lambda text: text or None)]


class AssignmentForm(PageForm):
    """The plan, and the local day of the account on which it begins; without one, now."""

    plan: str
    starts_on: DayOrNow = None


class InvitationForm(PageForm):
    """Whom to invite, and as what."""

    email: str
    role: str = Role.OWNER


@router.get("")
def show(request: Request, account_id: str, _operator: OperatorDep, services: ServicesDep) -> Response:
    """Show the account."""
    return _page(request, services, services.accounts.get_account(account_id))


@router.post("/plan")
def assign(
    request: Request,
    account_id: str,
    form: Annotated[AssignmentForm, Form()],
    operator: OperatorDep,
    services: ServicesDep,
) -> Response:
    """Put the account on a plan."""
    account = services.accounts.get_account(account_id)
    starts_at = midnight(form.starts_on, parse_zone(account.zone)) if form.starts_on else None
    try:
        services.plans.assign(account.id, form.plan, starts_at, by=operator.actor)
    except AppError as error:
        return _page(request, services, account, problem=error)
    return _done(account, "assigned")


@router.post("/invitations")
def invite(
    request: Request,
    account_id: str,
    form: Annotated[InvitationForm, Form()],
    operator: OperatorDep,
    services: ServicesDep,
) -> Response:
    """Mail an invitation to the account."""
    account = services.accounts.get_account(account_id)
    language = operator.visitor.preferences.language
    try:
        services.members.invite(account.id, form.email, parse_role(form.role), by=operator.actor, language=language)
    except AppError as error:
        return _page(request, services, account, problem=error)
    return _done(account, "invited")


@router.post("/keys/{key_id}/revoke")
def revoke(
    account_id: str, key_id: str, _form: Annotated[PageForm, Form()], operator: OperatorDep, services: ServicesDep
) -> Response:
    """Revoke a key of the account."""
    account = services.accounts.get_account(account_id)
    services.accounts.revoke_key(account.id, key_id, by=operator.actor)
    return _done(account, "revoked")


def _done(account: Account, what: str) -> Response:
    return RedirectResponse(f"/operator/accounts/{account.id}?done={what}", status_code=303)


def _page(request: Request, services: Services, account: Account, *, problem: AppError | None = None) -> Response:
    now = services.clock.now()
    usable, ended = (
        services.accounts.newest_keys(account.id, usable=each, limit=_KEYS_SHOWN) for each in (True, False)
    )
    return form_page(
        request,
        "pages/operator_account.html",
        account=account,
        problem=problem,
        now=now,
        plan=services.plans.in_effect(account.id, now),
        plans_to_come=services.plans.to_come(account.id),
        plans=[plan for plan in services.plans.list() if plan.currency == account.currency],
        members=services.members.list(account.id),
        invitations=services.members.invitations(account.id),
        roles=list(Role),
        keys=(*usable, *ended),
        usable_count=services.accounts.count_usable_keys(account.id),
        keys_shown=_KEYS_SHOWN,
        last_used=services.metering.last_used(account.id, [key.id for key in (*usable, *ended)]),
        invoices=services.invoices.list(account.id, limit=_INVOICES_SHOWN).invoices,
        charges=_charges_so_far(services, account),
        usage=_usage_of_month(services, account),
    )


def _charges_so_far(services: Services, account: Account) -> AccountCharges | None:
    """Return the charges, None where they cannot be computed: this page is where that is mended."""
    try:
        return services.invoice_preview.so_far(account.id)
    except DatabaseUnavailable:
        raise
    except AppError:
        return None


def _usage_of_month(services: Services, account: Account) -> list[UsageRow]:
    """Return the sums of the local calendar month by model, test keys included."""
    zone = parse_zone(account.zone)
    month = preset_range(Preset.THIS_MONTH, zone, services.clock.now())
    return services.metering.report(account.id, month.period, zone=zone, bucket=month.bucket, group_by=GroupBy.MODEL)
