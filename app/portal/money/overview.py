"""/app: how the account stands: charges so far, calls, keys, invoices; and what to do next where it is new."""

from dataclasses import dataclass
from fractions import Fraction
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.billing.account_charges import AccountCharges
from app.billing.invoice import Invoice
from app.bootstrap import Services
from app.charging.budget_state import BudgetState
from app.charging.credit_balance import Balance
from app.members.role import Permission
from app.metering.usage_range import Metric, Preset, preset_range
from app.portal.frame.bounds import visible_budgets
from app.portal.frame.credit_room import has_credit, is_prepaid
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render, zone_of
from app.portal.frame.visitor import Caller, ServicesDep, UsageReader
from app.portal.money.usage_query import UsageQuery
from app.portal.money.usage_table import totals_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)
RECENT_KEYS, RECENT_INVOICES, BUDGETS_SHOWN = 5, 6, 4
KEYS_LOOKED_AT = 100  # of so many of the newest, those that were used last are shown


@dataclass(frozen=True, slots=True)
class Money:
    """What only those see who may read invoices."""

    so_far: AccountCharges
    invoices: list[Invoice]
    balance: Balance | None  # None where the account has to do with no credit
    prepaid: bool


@router.get("/app")
def show_overview(request: Request, caller: UsageReader, services: ServicesDep) -> Response:
    """Show the account at a glance."""
    now, zone = services.clock.now(), zone_of(caller.visitor)
    keys = services.accounts.newest_keys(caller.account.id, usable=True, limit=KEYS_LOOKED_AT)
    last_used = services.metering.last_used(caller.account.id, [key.id for key in keys])
    budgets = sorted(visible_budgets(services, caller.visitor, caller.account.id), key=_share, reverse=True)
    return render(
        request,
        "pages/overview.html",
        account=caller.account,
        plan=services.plans.in_effect(caller.account.id, now),
        money=_money(services, caller),
        usage={preset: _used(services, caller, preset, zone) for preset in (Preset.TODAY, Preset.THIS_MONTH)},
        asked=UsageQuery(zone=zone),
        keys=sorted(keys, key=lambda key: last_used.get(key.id, key.created_at), reverse=True)[:RECENT_KEYS],
        key_count=services.accounts.count_own_keys(caller.account.id),
        last_used=last_used,
        budgets=budgets[:BUDGETS_SHOWN],
        used_up=[state for state in budgets if _is_used_up(state)][:BUDGETS_SHOWN],
        budget_keys=services.accounts.keys(
            caller.account.id, {state.budget.key_id for state in budgets if state.budget.key_id}
        ),
        ever_used=services.metering.ever_used(caller.account.id),
    )


def _money(services: Services, caller: Caller) -> Money | None:
    if not caller.visitor.may(Permission.BILLING_READ):
        return None
    recent = services.invoices.list(caller.account.id, limit=RECENT_INVOICES)
    so_far = services.invoice_preview.so_far(caller.account.id)
    balance = services.credits.balance(caller.account.id) if has_credit(services, caller.account.id) else None
    prepaid = is_prepaid(services, caller.account.id)
    return Money(so_far, so_far.without_draft(recent.invoices), balance, prepaid)


def _is_used_up(state: BudgetState) -> bool:
    """Tell whether a hard budget refuses whatever counts against it."""
    return state.budget.hard and state.used + state.held >= state.budget.limit_value


def _share(state: BudgetState) -> Fraction:
    return Fraction(state.used + state.held, max(1, state.budget.limit_value))


def _used(services: Services, caller: Caller, preset: Preset, zone_name: str) -> dict[Metric, int]:
    """Return the sums of a range as the usage page shows them: those of live keys."""
    zone = ZoneInfo(zone_name)
    found = preset_range(preset, zone, services.clock.now())
    rows = services.metering.report(
        caller.account.id, found.period, zone=zone, bucket=found.bucket, group_by=None, live=True
    )
    return dict(totals_of(rows))
