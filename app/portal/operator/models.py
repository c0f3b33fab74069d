"""GET /operator/models: every version in the repository, whether it answers, and why not."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render
from app.portal.frame.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/operator/models")
def show(request: Request, _operator: OperatorDep, services: ServicesDep) -> Response:
    """Show the models with their versions, and the devices that are held."""
    engine = services.engine
    return render(request, "pages/operator_models.html", models=engine.catalogue(), devices=engine.devices())
