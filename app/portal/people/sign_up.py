"""Coming in: asking for a link, and what stands behind it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.password import PASSWORD_CHARS_MIN
from app.bootstrap import Services
from app.errors import AppError
from app.members.joining import SignUpClosed
from app.members.mailed_link import MailedLink
from app.members.member import Joined
from app.portal.frame.forms import PageForm, Password
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page, render
from app.portal.frame.visitor import ServicesDep, VisitorDep, visitor_of
from app.portal.frame.zones import zone_or_utc
from app.portal.people.own_password import about_password
from app.portal.people.signing_in import sign_in

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class SignUpForm(PageForm):
    """Who wants to come in; `zone` is what the browser's clock says, and no person's mistake where it is odd."""

    email: str = ""
    account: str = ""
    zone: str = "UTC"


class JoinForm(PageForm):
    """A new password, or the one of a user who exists; neither for a user who is signed in."""

    password: Password = ""


@router.get("/signup")
def show(request: Request, services: ServicesDep, done: str = "") -> Response:
    """Show the form, or that a mail is on its way. Raises SignUpClosed."""
    if not services.sign_up.open_to_all:
        raise SignUpClosed("sign-up is not open here", hint="ask an owner of an account to invite you")
    if done == "sent":
        return render(request, "pages/check_mail.html", delivered=services.settings.smtp_url is not None, reset=False)
    return _form_page(request, services, SignUpForm())


@router.post("/signup")
def sign_up(
    request: Request, form: Annotated[SignUpForm, Form()], services: ServicesDep, visitor: VisitorDep
) -> Response:
    """Let a link be mailed; the answer is the same for every address."""
    try:
        services.sign_up.request(
            form.email,
            form.account,
            zone=zone_or_utc(form.zone),
            language=visitor.preferences.language,
            address=visitor.address,
        )
    except AppError as error:
        return _form_page(request, services, form, error)
    return RedirectResponse("/signup?done=sent", status_code=303)


@router.get("/join/{token}")
def show_link(request: Request, token: str, services: ServicesDep) -> Response:
    """Show what the link leads to; looking at it does not use it. Raises LinkInvalid."""
    return _join_page(request, services, services.sign_up.link(token))


@router.post("/join/{token}")
def join(request: Request, token: str, form: Annotated[JoinForm, Form()], services: ServicesDep) -> Response:
    """Use the link, and be signed in. Raises LinkInvalid."""
    link = services.sign_up.link(token)
    try:
        joined = _joined(request, services, link, token, form.password)
    except AppError as error:
        return _join_page(request, services, link, about_password(error))
    to = "/app/welcome" if joined.new_account else "/app"
    return sign_in(request, joined.user, to=to, account_id=joined.account_id)


def _joined(request: Request, services: Services, link: MailedLink, token: str, password: str) -> Joined:
    visitor = visitor_of(request)
    if visitor.user is not None and visitor.user.email == link.email:
        return services.sign_up.accept(token, visitor.user, address=visitor.address)
    return services.sign_up.join(token, password, address=visitor.address)


def _form_page(request: Request, services: Services, form: SignUpForm, problem: AppError | None = None) -> Response:
    return form_page(
        request,
        "pages/signup.html",
        form=form,
        problem=problem,
        provider=services.open_id_connect.name if services.open_id_connect.enabled else None,
    )


def _join_page(request: Request, services: Services, link: MailedLink, problem: AppError | None = None) -> Response:
    return form_page(
        request,
        "pages/join.html",
        link=link,
        known=services.sign_up.has_user(link),
        problem=problem,
        chars_min=PASSWORD_CHARS_MIN,
        provider=services.open_id_connect.name if services.open_id_connect.enabled else None,
    )
