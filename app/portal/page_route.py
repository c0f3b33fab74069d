"""What every page passes: who looks, whether the form is ours, and an error becomes a page."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse

from app.bootstrap import Services
from app.errors import AppError, Invalid
from app.portal.cookies import Cookies, new_forms_secret
from app.portal.csrf import refuse_forged, token_of
from app.portal.preferences import COOKIE, preferences_of
from app.portal.rendering import error_page
from app.portal.visitor import SignInNeeded, Visitor, person_of, services_of, visitor_of

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class FormInvalid(Invalid):
    """A form lacks a field, has one that it does not know, or one of the wrong kind."""

    code = "form_invalid"


class PageRoute(APIRoute):
    """A page. Its endpoint finds `request.state.visitor`, and may raise any AppError."""

    def get_route_handler(self) -> _Handler:
        """Return the endpoint, wrapped."""
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            services = services_of(request)
            cookies = cookies_of(services)
            forms_secret = await look_up_visitor(request)
            visitor = visitor_of(request)
            response = await _answer(request, endpoint, services)
            if visitor.visit is None and cookies.forms_secret(request) is None:
                cookies.set_forms_secret(response, forms_secret)
            elif visitor.visit and visitor.visit.token != cookies.session_token(request):
                _keep_session(response, cookies, visitor.visit.token)
            return response

        return handle


def cookies_of(services: Services) -> Cookies:
    """Return the cookies of this installation."""
    return Cookies(services.settings.public_url, services.settings.session_ttl_h * 3600)


async def _answer(request: Request, endpoint: _Handler, services: Services) -> Response:
    visitor = visitor_of(request)
    try:
        if request.url.path.endswith("/predict"):
            person_of(request)  # before a picture of megabytes is read
        # A request that rotates its session comes from a page that was made with the token before.
        sent_with = cookies_of(services).session_token(request) if visitor.visit else None
        expected = token_of(sent_with) if sent_with else visitor.csrf_token
        await refuse_forged(request, expected, services.settings.public_url)
        return await endpoint(request)
    except SignInNeeded:
        return _to_sign_in(request)
    except AppError as error:
        return error_page(request, error)
    except RequestValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        return error_page(request, FormInvalid(str(first["msg"]), where=place, hint="use the form of the page"))


async def look_up_visitor(request: Request) -> str:
    """Find out who looks, for `visitor_of`; return the secret of the browser's forms, a new one where it has none."""
    services = services_of(request)
    cookies = cookies_of(services)
    forms_secret = cookies.forms_secret(request) or new_forms_secret()
    token = cookies.session_token(request)
    visit = await run_in_threadpool(services.sessions.visit, token) if token else None
    request.state.visitor = Visitor(
        preferences=preferences_of(request.cookies.get(COOKIE), request.headers.get("accept-language", "")),
        csrf_token=token_of(visit.token if visit else forms_secret),
        address=request.client.host if request.client else "",
        account_id=cookies.account_id(request),
        visit=visit,
    )
    return forms_secret


def _keep_session(response: Response, cookies: Cookies, token: str) -> None:
    """Send the rotated token, unless the page itself has opened or ended a session."""
    if not any(b"faremeter_session=" in value for name, value in response.raw_headers if name == b"set-cookie"):
        cookies.set_session(response, token)


def _to_sign_in(request: Request) -> Response:
    """Send a browser to the sign-in page, and back where it wanted to look at something."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = f"/login?next={quote(back)}" if request.method == "GET" else "/login"
    if request.headers.get("hx-request") == "true":  # it would follow a redirect and put the page into a part of this
        return Response(status_code=200, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)
