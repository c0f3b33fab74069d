"""What the caller's account is on and owes: /v1/account, /v1/plan, /v1/invoices."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from app.accounts.account import Account
from app.api.dependencies import BillingReader, InvoiceCursor, Limit, ServicesDep
from app.api.wire import CSV_RESPONSES, csv_response, instant
from app.api.wire_invoice import invoice_body
from app.api.wire_plan import plan_body
from app.billing.invoice_csv import invoice_csv
from app.serving.admission import NoPlan

router = APIRouter(prefix="/v1", tags=["billing"])


@router.get("/account")
def get_account(principal: BillingReader, services: ServicesDep) -> dict[str, Any]:
    """Return the caller's account."""
    return account_body(services.accounts.get_account(principal.account_id))


@router.get("/plan")
def get_plan(principal: BillingReader, services: ServicesDep) -> dict[str, Any]:
    """Return the plan version that prices the account's calls now. 402 where the account has no plan."""
    plan = services.plans.in_effect(principal.account_id, services.clock.now())
    if plan is None:
        raise NoPlan("this account has no plan", hint="ask the operator to assign one")
    return plan_body(plan)


@router.get("/invoices")
def list_invoices(
    principal: BillingReader, services: ServicesDep, cursor: InvoiceCursor = "", limit: Limit = 20
) -> dict[str, Any]:
    """List invoices, the latest period first; drafts are listed as such."""
    page = services.invoices.list(principal.account_id, cursor or None, limit)
    return {"data": [invoice_body(invoice) for invoice in page.invoices], "next_cursor": page.next_cursor}


@router.get("/invoices/{invoice_id}.csv", responses=CSV_RESPONSES, response_class=Response)
def get_invoice_csv(invoice_id: str, principal: BillingReader, services: ServicesDep) -> Response:
    """Return an invoice's lines as CSV."""
    invoice = services.invoices.get(principal.account_id, invoice_id)
    return csv_response(invoice_csv(invoice), f"{invoice.number or invoice.id}.csv")


@router.get("/invoices/{invoice_id}")
def get_invoice(invoice_id: str, principal: BillingReader, services: ServicesDep) -> dict[str, Any]:
    """Return an invoice with its lines, each with the calculation that explains it."""
    return invoice_body(services.invoices.get(principal.account_id, invoice_id))


def account_body(account: Account) -> dict[str, Any]:
    """Return an account."""
    return {
        "id": account.id,
        "name": account.name,
        "currency": account.currency,
        "zone": account.zone,
        "anchor_day": account.anchor_day,
        "created_at": instant(account.created_at),
        "closed_through": instant(account.closed_through),
    }
