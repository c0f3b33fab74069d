"""A person's own sign-ins at the provider: bind one, after the password was given once more, and end it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from app.errors import AppError
from app.portal.frame.forms import PageForm, Password
from app.portal.frame.page_route import PageRoute, cookies_of
from app.portal.frame.rendering import render
from app.portal.frame.visitor import PersonDep, ServicesDep
from app.portal.people.own_password import about_password
from app.portal.people.profile import profile

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class BindForm(PageForm):
    """The password: a session alone binds nothing."""

    password: Password = ""


class UnbindForm(PageForm):
    """Which sign-in ends."""

    issuer: str = ""


@router.post("/app/profile/identities")
async def begin(
    request: Request, form: Annotated[BindForm, Form()], person: PersonDep, services: ServicesDep
) -> Response:
    """Show the way to the provider, as a link: a policy of forms would hold the browser back."""
    who = {"session_id": person.visit.session.id, "address": person.visitor.address}
    try:
        address, attempt = await services.open_id_connect.authorize("/app/profile", binds=True)
        await run_in_threadpool(services.identity_binding.allow, person.user.id, form.password, **who)
    except AppError as error:
        return await run_in_threadpool(profile, request, person, services, problem=about_password(error))
    response = render(request, "pages/bind.html", address=address, provider=services.open_id_connect.name)
    cookies_of(services).set_attempt(response, attempt)
    return response


@router.post("/app/profile/identities/end")
def end(request: Request, form: Annotated[UnbindForm, Form()], person: PersonDep, services: ServicesDep) -> Response:
    """End a sign-in; every other browser is signed out. Raises IdentityNotFound."""
    kept = person.visit.session.id
    try:
        services.identity_binding.unbind(form.issuer, by=person.actor, keep_session=kept)
    except AppError as error:
        return profile(request, person, services, problem=error)
    return RedirectResponse("/app/profile?done=unbound", status_code=303)
