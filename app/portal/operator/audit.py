"""/operator/audit: whether the books agree with each other. It reads all of them, so a button starts it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.errors import AppError
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page, render
from app.portal.frame.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_TEMPLATE = "pages/operator_audit.html"


@router.get("/operator/audit")
def show(request: Request, _operator: OperatorDep) -> Response:
    """Show what is compared, and the button."""
    return render(request, _TEMPLATE, report=None, problem=None)


@router.post("/operator/audit")
def run(
    request: Request, _form: Annotated[PageForm, Form()], _operator: OperatorDep, services: ServicesDep
) -> Response:
    """Compare everything now. It changes nothing, so a reload of the answer does no harm."""
    try:
        report = services.self_audit.run()
    except AppError as error:
        return form_page(request, _TEMPLATE, report=None, problem=error)
    return render(request, _TEMPLATE, report=report, problem=None)
