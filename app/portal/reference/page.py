"""/docs: the API reference."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render
from app.portal.frame.visitor import ServicesDep
from app.portal.reference.document import groups_of
from app.portal.reference.error_codes import error_codes
from app.serving.call import JSON_TYPE

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/docs")
def show_reference(request: Request, services: ServicesDep) -> Response:
    """Show how programs call the API, then every route of it."""
    settings = services.settings
    return render(
        request,
        "pages/reference.html",
        groups=groups_of(request.app.openapi()),
        errors=error_codes(),
        public_url=settings.public_url,
        json_type=JSON_TYPE,
        body_mib_max=settings.body_bytes_max // 2**20,
        deadline_s=settings.request_deadline_s,
        answer_ttl_h=settings.answer_ttl_h,
    )
