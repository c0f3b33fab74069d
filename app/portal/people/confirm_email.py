"""Confirming a new e-mail address, behind the link that was mailed to it.

The mailbox alone is not enough: who reads the mail may be a stranger whose address somebody mistyped.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render
from app.portal.frame.visitor import PersonDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/confirm-email/{token}")
def show(request: Request, token: str, person: PersonDep, services: ServicesDep) -> Response:
    """Ask once more: programs that read mail follow links, and press no buttons.

    Raises LinkInvalid, LinkOfSomebodyElse.
    """
    return render(request, "pages/confirm_email.html", link=services.email_change.link_of(person.user.id, token))


@router.post("/confirm-email/{token}")
def confirm(token: str, _form: Annotated[PageForm, Form()], person: PersonDep, services: ServicesDep) -> Response:
    """Let the new address take the old one's place; every other browser is signed out.

    Raises LinkInvalid, LinkOfSomebodyElse.
    """
    services.email_change.confirm(token, by=person.actor, keep_session=person.visit.session.id)
    return RedirectResponse("/app/profile?done=email", status_code=303)
