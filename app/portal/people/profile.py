"""A person's own things: address, password, and the browsers that are signed in."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.password import PASSWORD_CHARS_MIN
from app.bootstrap import Services
from app.errors import AppError
from app.portal.frame.forms import PageForm, Password
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import Person, PersonDep, ServicesDep
from app.portal.people.browser_name import browser_name
from app.portal.people.own_password import about_password

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class EmailForm(PageForm):
    """Another address, and the password."""

    email: str = ""
    password: Password = ""


class PasswordForm(PageForm):
    """The password so far, and the one from now on."""

    old: Password = ""
    new: Password = ""


@router.get("/app/profile")
def show(request: Request, person: PersonDep, services: ServicesDep) -> Response:
    """Show the person to itself."""
    return profile(request, person, services)


@router.post("/app/profile/email")
def change_email(
    request: Request, form: Annotated[EmailForm, Form()], person: PersonDep, services: ServicesDep
) -> Response:
    """Let a link be mailed to the new address."""
    language = person.visitor.preferences.language
    try:
        services.email_change.request(person.user.id, form.email, form.password, by=person.actor, language=language)
    except AppError as error:
        return profile(request, person, services, email=form.email, problem=about_password(error))
    return RedirectResponse("/app/profile?done=email-sent", status_code=303)


@router.post("/app/profile/password")
def change_password(
    request: Request, form: Annotated[PasswordForm, Form()], person: PersonDep, services: ServicesDep
) -> Response:
    """Change the password; every other browser is signed out."""
    kept = person.visit.session.id
    try:
        services.passwords.change(person.user.id, form.old, form.new, by=person.actor, keep_session=kept)
    except AppError as error:
        return profile(request, person, services, problem=about_password(error))
    return RedirectResponse("/app/profile?done=password", status_code=303)


@router.post("/app/profile/sessions/revoke-others")
def revoke_others(_form: Annotated[PageForm, Form()], person: PersonDep, services: ServicesDep) -> Response:
    """Sign out every other browser."""
    services.sessions.revoke_others(person.user.id, person.visit.session.id, address=person.visitor.address)
    return RedirectResponse("/app/profile?done=others", status_code=303)


@router.post("/app/profile/sessions/{session_id}/revoke")
def revoke(session_id: str, _form: Annotated[PageForm, Form()], person: PersonDep, services: ServicesDep) -> Response:
    """Sign one browser out. Raises SessionNotFound."""
    services.sessions.revoke(person.user.id, session_id, address=person.visitor.address)
    return RedirectResponse("/app/profile?done=session", status_code=303)


def profile(
    request: Request,
    person: Person,
    services: Services,
    *,
    email: str = "",
    problem: AppError | None = None,
) -> Response:
    """Return the page, with what was done or what is wrong."""
    sessions = services.sessions.list(person.user.id)
    return form_page(
        request,
        "pages/profile.html",
        sessions=[(each, browser_name(each.agent)) for each in sessions],
        this_session=person.visit.session.id,
        has_password=services.passwords.has_password(person.user.id),
        identities=services.identity_binding.list(person.user.id),
        provider=services.open_id_connect.name,
        issuer=services.open_id_connect.issuer,
        chars_min=PASSWORD_CHARS_MIN,
        email=email,
        problem=problem,
    )
