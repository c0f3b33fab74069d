"""Confirming a new e-mail address, behind the link that was mailed to it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.portal.forms import PageForm
from app.portal.page_route import PageRoute
from app.portal.rendering import render
from app.portal.visitor import ServicesDep, VisitorDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/confirm-email/{token}")
def show(request: Request, token: str, services: ServicesDep) -> Response:
    """Ask once more: programs that read mail follow links, and press no buttons. Raises LinkInvalid."""
    return render(request, "pages/confirm_email.html", link=services.email_change.link(token))


@router.post("/confirm-email/{token}")
def confirm(token: str, _form: Annotated[PageForm, Form()], services: ServicesDep, visitor: VisitorDep) -> Response:
    """Let the new address take the old one's place. Raises LinkInvalid."""
    user = services.email_change.confirm(token, address=visitor.address)
    at_home = visitor.user is not None and visitor.user.id == user.id
    return RedirectResponse("/app/profile?done=email" if at_home else "/login?done=email", status_code=303)
