"""/operator/mail: the mails that went into the folder, for as long as no mail server is set.

Whoever sees a link may use it: to join, or to choose a password. So a form opens a mail, and the audit log has it.
"""

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render
from app.portal.frame.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/operator/mail")
def show(request: Request, _operator: OperatorDep, services: ServicesDep) -> Response:
    """List the newest mails: to whom, about what and when."""
    by_smtp = services.settings.smtp_url is not None
    return render(request, "pages/operator_mail.html", mails=services.mail_folder.newest(), by_smtp=by_smtp)


@router.post("/operator/mail/{mail_name}")
def read(
    request: Request, mail_name: str, _form: Annotated[PageForm, Form()], operator: OperatorDep, services: ServicesDep
) -> Response:
    """Show one mail and its links. Raises MailNotFound, MailOfOperator."""
    mail = services.mail_folder.read(mail_name, operator.user, by=operator.actor)
    links = links_in(mail.text, services.settings.public_url)
    return render(request, "pages/operator_mail_text.html", mail=mail, links=links)


def links_in(text: str, public_url: str) -> tuple[str, ...]:
    """Return the links to pages of this installation, and to no other: a name in a mail may hold any address."""
    return tuple(re.findall(rf"(?<!\S){re.escape(public_url)}/[\w/-]*(?!\S)", text, re.ASCII))
