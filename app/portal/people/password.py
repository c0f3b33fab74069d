"""A forgotten password: asking for a link, and choosing a new password behind it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.password import PASSWORD_CHARS_MIN
from app.errors import AppError
from app.members.mailed_link import MailedLink
from app.portal.frame.forms import PageForm, Password
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page, render
from app.portal.frame.visitor import ServicesDep, VisitorDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class ForgotForm(PageForm):
    """Whose password it is."""

    email: str = ""


class ResetForm(PageForm):
    """The new password."""

    password: Password = ""


@router.get("/forgot")
def show(request: Request, services: ServicesDep, email: str = "", done: str = "") -> Response:
    """Show the form, or that a mail is on its way."""
    if done == "sent":
        return render(request, "pages/check_mail.html", delivered=services.settings.smtp_url is not None, reset=True)
    return form_page(request, "pages/forgot.html", email=email)


@router.post("/forgot")
def forget(
    request: Request, form: Annotated[ForgotForm, Form()], services: ServicesDep, visitor: VisitorDep
) -> Response:
    """Let a link be mailed to the address if it is somebody's; the answer is the same."""
    try:
        language = visitor.preferences.language
        services.passwords.request_reset(form.email, language=language, address=visitor.address)
    except AppError as error:
        return form_page(request, "pages/forgot.html", email=form.email, problem=error)
    return RedirectResponse("/forgot?done=sent", status_code=303)


@router.get("/reset/{token}")
def show_link(request: Request, token: str, services: ServicesDep) -> Response:
    """Show the form; looking at it does not use the link. Raises LinkInvalid."""
    return _reset_page(request, services.passwords.link(token))


@router.post("/reset/{token}")
def reset(
    request: Request, token: str, form: Annotated[ResetForm, Form()], services: ServicesDep, visitor: VisitorDep
) -> Response:
    """Set the password; that signs the person out everywhere. Raises LinkInvalid."""
    link = services.passwords.link(token)
    try:
        services.passwords.reset(token, form.password, address=visitor.address)
    except AppError as error:
        return _reset_page(request, link, error)
    return RedirectResponse("/login?done=reset", status_code=303)


def _reset_page(request: Request, link: MailedLink, problem: AppError | None = None) -> Response:
    return form_page(request, "pages/reset.html", link=link, problem=problem, chars_min=PASSWORD_CHARS_MIN)
