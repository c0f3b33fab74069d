"""/v1/admin: what operators do. Each route asks for an operator: an `admin` key, or e-mail and password as Basic."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, status
from pydantic import Field

from app.api.billing import account_body
from app.api.claimed_route import ClaimedRoute, IdempotencyKey, creation_id_of
from app.api.dependencies import AccountCursor, Limit, Operator, ServicesDep
from app.api.fields import Instant, Name, Reference, StrictBody
from app.api.wire import Page, instant, page
from app.api.wire_invoice import invoice_body
from app.api.wire_plan import plan_body
from app.billing.invoice_run_report import AccountOutcome
from app.period import Month
from app.pricing.open_account import open_account

router = APIRouter(prefix="/v1/admin", tags=["admin"], route_class=ClaimedRoute)


class NewAccountBody(StrictBody):
    """A new account; without a plan it gets the default one, where the operator has set one."""

    name: Name
    currency: str = "USD"
    zone: str = "UTC"
    anchor_day: int = Field(1, ge=1, le=31)
    plan: Reference | None = None


class AssignmentBody(StrictBody):
    """Which plan an account is on from when on; default: from now on."""

    plan: Reference
    starts_at: Instant | None = None


class InvoiceRunBody(StrictBody):
    """Which periods to invoice: those that start in the month, of one account or of all."""

    month: str
    account: Reference | None = None


@router.post("/accounts", status_code=status.HTTP_201_CREATED)
def create_account(
    body: NewAccountBody, operator: Operator, services: ServicesDep, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Create an account and put it on a plan."""
    account = open_account(
        services.database,
        services.clock,
        body.name,
        currency=body.currency,
        zone=body.zone,
        anchor_day=body.anchor_day,
        plan_key=body.plan or services.settings.default_plan,
        creation_id=creation_id_of(idempotency_key, operator.id),
        by=operator,
    )
    return account_body(account)


@router.get("/accounts")
def list_accounts(
    _operator: Operator, services: ServicesDep, cursor: AccountCursor = "", limit: Limit = 50
) -> Page[dict[str, Any]]:
    """List accounts in order of creation."""
    return page(services.accounts.list_accounts(cursor, limit + 1), limit, account_body, lambda account: account.id)


@router.get("/accounts/{account_id}")
def get_account(account_id: str, _operator: Operator, services: ServicesDep) -> dict[str, Any]:
    """Return an account."""
    return account_body(services.accounts.get_account(account_id))


@router.put("/accounts/{account_id}/plan")
def assign_plan(account_id: str, body: AssignmentBody, operator: Operator, services: ServicesDep) -> dict[str, Any]:
    """Put an account on a plan."""
    assignment = services.plans.assign(account_id, body.plan, body.starts_at, by=operator)
    return {"account": account_id, "plan": assignment.plan_key, "starts_at": instant(assignment.starts_at)}


@router.post("/plans", status_code=status.HTTP_201_CREATED)
def publish_plan(
    toml: Annotated[str, Body(media_type="application/toml")], operator: Operator, services: ServicesDep
) -> dict[str, Any]:
    """Publish a plan file (TOML) as the plan's next version; equal content publishes nothing."""
    return plan_body(services.plans.publish(toml, by=operator))


@router.get("/plans")
def list_plans(_operator: Operator, services: ServicesDep) -> dict[str, Any]:
    """List the newest version of every plan."""
    return {"data": [plan_body(plan) for plan in services.plans.list()], "next_cursor": None}


@router.post("/invoice-runs")
def run_invoices(body: InvoiceRunBody, operator: Operator, services: ServicesDep) -> dict[str, Any]:
    """Invoice a month: periods that are over are issued, those that are not are drafted. May be repeated."""
    report = services.invoice_run.run(Month.parse(body.month), body.account, by=operator)
    return {"month": str(report.month), "accounts": [_outcome_body(outcome) for outcome in report.outcomes]}


def _outcome_body(outcome: AccountOutcome) -> dict[str, Any]:
    return {
        "account": outcome.account_id,
        "result": outcome.result,
        "error": outcome.error,
        "invoice": invoice_body(outcome.invoice) if outcome.invoice else None,
    }
