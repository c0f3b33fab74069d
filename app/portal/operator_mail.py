"""GET /operator/mail: the mails that went into the folder, with their links, for as long as no mail server is set.

Whoever sees a link may use it: to join, or to choose a password. Operators can read the database as well.
"""

import re
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.outbox.folder import FolderMail, folder_mails
from app.portal.page_route import PageRoute
from app.portal.rendering import render
from app.portal.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ShownMail:
    """A mail, and the links of this installation that its text holds."""

    mail: FolderMail
    links: tuple[str, ...]


@router.get("/operator/mail")
def show(request: Request, _operator: OperatorDep, services: ServicesDep) -> Response:
    """Show the newest mails."""
    settings = services.settings
    mails = [ShownMail(mail, links_in(mail.text, settings.public_url)) for mail in folder_mails(settings.data_dir)]
    return render(request, "pages/operator_mail.html", mails=mails, by_smtp=settings.smtp_url is not None)


def links_in(text: str, public_url: str) -> tuple[str, ...]:
    """Return the links to pages of this installation, and to no other: a name in a mail may hold any address."""
    return tuple(re.findall(rf"(?<!\S){re.escape(public_url)}/[\w/-]*(?!\S)", text, re.ASCII))
