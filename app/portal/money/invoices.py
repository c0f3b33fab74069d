"""/app/invoices: what the account owes, each line with the calculation behind it."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.billing.invoice_csv import invoice_csv
from app.portal.frame.csv_download import csv_download
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render
from app.portal.frame.time_labels import local_dates
from app.portal.frame.visitor import BillingReader, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)
INVOICES_ON_A_PAGE = 24


@router.get("/app/invoices")
def list_invoices(
    request: Request,
    caller: BillingReader,
    services: ServicesDep,
    cursor: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """List invoices, the latest period first. Days are those of the account's zone, in which its periods are cut."""
    page = services.invoices.list(caller.account.id, cursor or None, INVOICES_ON_A_PAGE)
    so_far = services.invoice_preview.so_far(caller.account.id)
    return render(
        request,
        "pages/invoices.html",
        invoices=so_far.without_draft(page.invoices),
        next_cursor=page.next_cursor,
        so_far=None if cursor else so_far,
        account=caller.account,
    )


@router.get("/app/invoices/{invoice_id}.csv")
def save_invoice(invoice_id: str, caller: BillingReader, services: ServicesDep) -> Response:
    """Return an invoice's lines as CSV."""
    invoice = services.invoices.get(caller.account.id, invoice_id)
    return csv_download(invoice_csv(invoice), f"{invoice.number or invoice.id}.csv")


@router.get("/app/invoices/{invoice_id}")
def show_invoice(request: Request, invoice_id: str, caller: BillingReader, services: ServicesDep) -> Response:
    """Show an invoice with its lines and the steps of each."""
    invoice = services.invoices.get(caller.account.id, invoice_id)
    bounds = local_dates(invoice.period, ZoneInfo(caller.account.zone))
    return render(request, "pages/invoice.html", invoice=invoice, account=caller.account, bounds=bounds)
