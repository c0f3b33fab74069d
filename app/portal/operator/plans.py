"""/operator/plans: what is sold, in its frozen versions, and the file that becomes the next one."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.bootstrap import Services
from app.errors import AppError
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page, render
from app.portal.frame.visitor import OperatorDep, ServicesDep
from app.pricing.plan_text import write_plan

router = APIRouter(route_class=PageRoute, include_in_schema=False)
EXAMPLE = """\
key = "payg"
currency = "USD"
billing = "postpaid"
base_fee = "0"

[[price]]
model = "*"
meter = "requests"
scheme = "per_unit"
unit_price = "0.001"
"""


class PlanFileForm(PageForm):
    """A plan file."""

    toml: str


@router.get("/operator/plans")
def show_plans(request: Request, _operator: OperatorDep, services: ServicesDep) -> Response:
    """Show the newest version of every plan."""
    return _list(request, services, EXAMPLE)


@router.post("/operator/plans")
def publish(
    request: Request, form: Annotated[PlanFileForm, Form()], operator: OperatorDep, services: ServicesDep
) -> Response:
    """Publish the file as the plan's next version, or show it again with the place of its first mistake."""
    try:
        version = services.plans.publish(form.toml, by=operator.actor)
    except AppError as error:
        return _list(request, services, form.toml, error)
    return RedirectResponse(f"/operator/plans/{version.plan_key}?done=published", status_code=303)


@router.get("/operator/plans/{plan_key}")
def show_plan(request: Request, plan_key: str, _operator: OperatorDep, services: ServicesDep) -> Response:
    """Show a plan's versions, and the newest one as the file that the next one starts from."""
    versions = services.plans.versions(plan_key)
    return render(
        request,
        "pages/operator_plan.html",
        versions=versions,
        toml=write_plan(versions[0].content),
    )


def _list(request: Request, services: Services, toml: str, problem: AppError | None = None) -> Response:
    return form_page(
        request,
        "pages/operator_plans.html",
        plans=services.plans.list(),
        toml=toml,
        problem=problem,
    )
