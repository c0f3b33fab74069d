"""What every page passes: who looks, whether the form is ours, and an error becomes a page."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from app.bootstrap import Services
from app.errors import AppError, Internal
from app.portal.frame.cookies import Cookies, new_forms_secret
from app.portal.frame.csrf import SAFE_METHODS, TokenWrong, refuse_forged, token_of
from app.portal.frame.forms import FORM_HINT, FormInvalid, local_path
from app.portal.frame.page_cookies import OwedCookies, owe
from app.portal.frame.preferences import COOKIE, preferences_of
from app.portal.frame.rendering import error_page
from app.portal.frame.visitor import SignInNeeded, Visitor, person_of, services_of, visitor_of
from app.telemetry import get_logger

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_log = get_logger(__name__)


class PageRoute(APIRoute):
    """A page. Its endpoint finds `request.state.visitor`, and may raise any AppError. Who may GET it may HEAD it."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if self.methods and "GET" in self.methods:
            self.methods.add("HEAD")

    def get_route_handler(self) -> _Handler:
        """Return the endpoint, wrapped."""
        endpoint = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if request.url.path.endswith("/predict"):
                person_of(request)  # before a picture of megabytes is read
            await _refuse_forged(request)
            return await endpoint(request)

        async def handle(request: Request) -> Response:
            return await answer_browser(request, checked)

        return handle


async def answer_browser(request: Request, page: _Handler) -> Response:
    """Find out who looks, and return the page; an error becomes a page too, even one that nobody foresaw."""
    try:
        await _look_up_visitor(request)
        return await page(request)
    except SignInNeeded:
        return _to_sign_in(request)
    except AppError as error:
        return error_page(request, error)
    except RequestValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        return error_page(request, FormInvalid(str(first["msg"]), where=place, hint=FORM_HINT))
    except HTTPException as error:  # FastAPI's and Starlette's word for a body that is no form
        return error_page(request, FormInvalid(str(error.detail), hint=FORM_HINT))
    except Exception as error:  # noqa: BLE001 - whatever it is, it ends this page alone, and as a page
        _log.error("unhandled error", exc_info=error)
        return error_page(request, Internal("Faremeter failed", hint="quote the request to the operator"))


def cookies_of(services: Services) -> Cookies:
    """Return the cookies of this installation."""
    return Cookies(services.settings.public_url, services.settings.session_ttl_h * 3600)


async def _refuse_forged(request: Request) -> None:
    """Raise RequestForged, or SignInNeeded where the form is no longer ours because its session is over."""
    visitor, services = visitor_of(request), services_of(request)
    settings, held = services.settings, cookies_of(services).session_token(request)
    # A request that rotates its session comes from a page that was made with the token before.
    expected = token_of(held) if visitor.visit and held else visitor.csrf_token
    try:
        await refuse_forged(request, expected, settings.public_url, patience_s=settings.request_deadline_s)
    except TokenWrong:
        if visitor.visit is None and held:
            raise SignInNeeded("the session is over", hint="sign in and repeat what you did") from None
        raise


async def _look_up_visitor(request: Request) -> None:
    """Find out who looks, for `visitor_of`, and what the answer owes the browser; until then it is a stranger."""
    services = services_of(request)
    cookies = cookies_of(services)
    held_secret, token = cookies.forms_secret(request), cookies.session_token(request)
    forms_secret = held_secret or new_forms_secret()
    stranger = _stranger(request, forms_secret, cookies.account_id(request))
    request.state.visitor = stranger
    visit = await run_in_threadpool(services.sessions.visit, token) if token else None
    if visit is None:
        owe(request.scope, OwedCookies(cookies, None, None if held_secret else forms_secret))
        return
    request.state.visitor = replace(stranger, csrf_token=token_of(visit.token), visit=visit)
    owe(request.scope, OwedCookies(cookies, visit.token if visit.token != token else None, None))


def _stranger(request: Request, forms_secret: str, account_id: str | None) -> Visitor:
    return Visitor(
        preferences=preferences_of(request.cookies.get(COOKIE), request.headers.get("accept-language", "")),
        csrf_token=token_of(forms_secret),
        address=request.client.host if request.client else "",
        account_id=account_id,
    )


def _to_sign_in(request: Request) -> Response:
    """Send a browser to the sign-in page, and back to the page that it wanted or whose form it sent."""
    back = _page_before(request)
    if request.method in SAFE_METHODS:
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = f"/login?next={quote(back)}" if back else "/login"
    if request.headers.get("hx-request") == "true":  # it would follow a redirect and put the page into a part of this
        return Response(status_code=200, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)


def _page_before(request: Request) -> str:
    """Return the page of ours that the request was sent from, where the browser tells."""
    before = urlsplit(request.headers.get("referer", ""))
    ours = {request.headers.get("host"), urlsplit(services_of(request).settings.public_url).netloc}
    return local_path(before.path + (f"?{before.query}" if before.query else ""), "") if before.netloc in ours else ""
