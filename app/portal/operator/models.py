"""/operator/models: every version in the repository, whether it answers, why not, and the limits of each model."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.bootstrap import Services
from app.errors import AppError
from app.inference.engine import ModelNotFound
from app.portal.frame.bounds import LimitsForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/operator/models")
def show(request: Request, _operator: OperatorDep, services: ServicesDep) -> Response:
    """Show the models with their versions and limits, and the devices that are held."""
    return _page(request, services)


@router.post("/operator/models/{model}/limits")
def set_limits(
    request: Request, model: str, form: Annotated[LimitsForm, Form()], operator: OperatorDep, services: ServicesDep
) -> Response:
    """Set what all who call a model have in common."""
    if model not in {state.name for state in services.engine.catalogue()}:
        raise ModelNotFound(f"there is no model {model!r}", where="model", hint="choose one from the list")
    try:
        services.limits.set_of_model(model, form.limits(), by=operator.actor)
    except AppError as error:
        return _page(request, services, {model: form}, error)
    return RedirectResponse("/operator/models?done=limits-set", status_code=303)


def _page(
    request: Request, services: Services, typed: dict[str, LimitsForm] | None = None, problem: AppError | None = None
) -> Response:
    models = services.engine.catalogue()
    limits = {state.name: services.limits.of_model(state.name) for state in models}
    return form_page(
        request,
        "pages/operator_models.html",
        models=models,
        devices=services.engine.devices(),
        limits=limits,
        forms={name: LimitsForm.of(each) for name, each in limits.items()} | (typed or {}),
        typed=typed or {},
        problem=problem,
    )
