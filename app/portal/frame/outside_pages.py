"""What a browser sees where no page answers: no such path, no such method, a URL or a body that is refused unread.

A program that asks for no page is answered by the API.
"""

from http import HTTPStatus

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from app.errors import AppError, Kind, NotFound
from app.portal.frame.page_route import answer_browser

_NO_PAGES = ("/v1", "/v2", "/static", "/livez", "/readyz", "/metrics", "/openapi.json")


class MethodNotOffered(AppError):
    """The page is there, and does not take what was sent to it."""

    kind = Kind.NOT_OFFERED
    code = "method_not_allowed"


def wants_page(request: Request) -> bool:
    """Tell whether a browser, or htmx in it, waits for an answer that it can show."""
    looks = "text/html" in request.headers.get("accept", "") or request.headers.get("hx-request") == "true"
    return looks and not request.url.path.startswith(_NO_PAGES)


def error_of(error: HTTPException) -> AppError | None:
    """Return what the router says as an error that a page can show; None where it says neither."""
    if error.status_code == HTTPStatus.NOT_FOUND:
        return NotFound("there is no such page", hint="the links above lead to those there are")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return MethodNotOffered("this page does not take that", hint="use the page's own links and forms")
    return None


async def page_of(request: Request, error: AppError) -> Response:
    """Return the page that shows an error which no page raised."""

    async def fail(_request: Request) -> Response:
        raise error

    return await answer_browser(request, fail)
