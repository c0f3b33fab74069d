"""/operator/invoice-runs: invoice a month by hand; the worker does the same every five minutes."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.billing.invoice_run_report import InvoiceRunReport
from app.bootstrap import Services
from app.errors import AppError
from app.period import Month
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)
OUTCOMES_SHOWN = 100


class InvoiceRunForm(PageForm):
    """The month in which the periods start, and one account or all of them."""

    month: str
    account: str = ""


@router.get("/operator/invoice-runs")
def show_form(request: Request, _operator: OperatorDep, services: ServicesDep) -> Response:
    """Show the form, filled in with the month that is over."""
    now = services.clock.now()
    return _page(request, services, InvoiceRunForm(month=str(Month(now.year, now.month).plus(-1))))


@router.post("/operator/invoice-runs")
def run(
    request: Request, form: Annotated[InvoiceRunForm, Form()], operator: OperatorDep, services: ServicesDep
) -> Response:
    """Run it and show what became of each account. It may be repeated, so a reload of the answer does no harm."""
    try:
        month = Month.parse(form.month)
        report = services.invoice_run.run(month, form.account or None, by=operator.actor)
    except AppError as error:
        return _page(request, services, form, problem=error)
    return _page(request, services, form, report=report)


def _page(
    request: Request,
    services: Services,
    form: InvoiceRunForm,
    *,
    report: InvoiceRunReport | None = None,
    problem: AppError | None = None,
) -> Response:
    shown = report.most_urgent(OUTCOMES_SHOWN) if report else ()
    return form_page(
        request,
        "pages/operator_invoice_runs.html",
        form=form,
        report=report,
        shown=shown,
        accounts=services.accounts.accounts([outcome.account_id for outcome in shown]),
        problem=problem,
    )
