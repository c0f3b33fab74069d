"""Signing in with e-mail address and password, and signing out."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from app.errors import AppError
from app.portal.frame.forms import PageForm, Password, local_path
from app.portal.frame.page_route import PageRoute, cookies_of
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import ServicesDep, VisitorDep
from app.portal.people.signing_in import first_page, sign_in

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class LoginForm(PageForm):
    """Who somebody claims to be, and where that person wanted to go."""

    email: str = ""
    password: Password = ""
    next_path: str = Field("", alias="next")


@router.get("/login")
def show(
    request: Request,
    visitor: VisitorDep,
    services: ServicesDep,
    next_path: Annotated[str, Query(alias="next")] = "",
) -> Response:
    """Show the form; who is signed in already has no use for it."""
    if visitor.user is not None:
        return RedirectResponse(local_path(next_path, first_page(services, visitor.user)), status_code=303)
    return _page(request, services, next_path)


@router.post("/login")
def log_in(
    request: Request, form: Annotated[LoginForm, Form()], services: ServicesDep, visitor: VisitorDep
) -> Response:
    """Sign in, and go where the person wanted to go."""
    try:
        user = services.sign_in.user(form.email, form.password, address=visitor.address)
        return sign_in(request, user, to=form.next_path)
    except AppError as error:
        return _page(request, services, form.next_path, email=form.email, problem=error)


@router.post("/logout")
def log_out(_form: Annotated[PageForm, Form()], services: ServicesDep, visitor: VisitorDep) -> Response:
    """End the session, here and in the database."""
    if visitor.visit is not None:
        services.sessions.close(visitor.visit.token, address=visitor.address)
    response = RedirectResponse("/login?done=signed-out", status_code=303)
    cookies_of(services).end_session(response)
    return response


def _page(
    request: Request,
    services: ServicesDep,
    next_path: str,
    *,
    email: str = "",
    problem: AppError | None = None,
) -> Response:
    return form_page(
        request,
        "pages/login.html",
        next_path=local_path(next_path, ""),
        email=email,
        problem=problem,
        provider=services.open_id_connect.name if services.open_id_connect.enabled else None,
    )
