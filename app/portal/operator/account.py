"""/operator/accounts/{id}: one account as those see it who run the installation."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.account import Account
from app.billing.account_charges import AccountCharges
from app.bootstrap import Services
from app.database import DatabaseUnavailable
from app.errors import AppError
from app.members.role import Role, parse_role
from app.metering.usage_range import Preset, preset_range
from app.metering.usage_report import Bucket, GroupBy, UsageRow
from app.period import midnight, parse_zone
from app.portal.frame.day_field import day_of
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/operator/accounts/{account_id}")
_INVOICES_SHOWN = 12
_KEYS_SHOWN = 100


class AssignmentForm(PageForm):
    """The plan, and the local day of the account on which it begins; without one, now."""

    plan: str = ""
    starts_on: str = ""

    def starts_at(self, account: Account) -> datetime | None:
        """Return the instant at which the day begins in the account's zone. Raises NoDay."""
        day = day_of(self.starts_on, where="starts_on")
        return midnight(day, parse_zone(account.zone)) if day else None


class InvitationForm(PageForm):
    """Whom to invite, and as what."""

    email: str = ""
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
    try:
        services.plans.assign(account.id, form.plan, form.starts_at(account), by=operator.actor)
    except AppError as error:
        return _page(request, services, account, problem=error, assignment=form)
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
        return _page(request, services, account, problem=error, invitation=form)
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


def _page(
    request: Request,
    services: Services,
    account: Account,
    *,
    problem: AppError | None = None,
    assignment: AssignmentForm | None = None,
    invitation: InvitationForm | None = None,
) -> Response:
    """Show the account; a form that came back with a problem keeps what was typed."""
    now = services.clock.now()
    usable, ended = (
        services.accounts.newest_keys(account.id, usable=each, limit=_KEYS_SHOWN) for each in (True, False)
    )
    return form_page(
        request,
        "pages/operator_account.html",
        account=account,
        assignment=assignment or AssignmentForm(),
        invited=invitation or InvitationForm(),
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
        balance=services.credits.balance(account.id),
        budgets=[state for state in services.budgets.list(account.id) if state.budget.key_id is None],
        limits=services.limits.of_account(account.id),
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
    period = preset_range(Preset.THIS_MONTH, zone, services.clock.now()).period
    return services.metering.report(account.id, period, zone=zone, bucket=Bucket.MONTH, group_by=GroupBy.MODEL)
