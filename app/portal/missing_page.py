"""What a browser sees where there is no page; a program that asks for no page is answered by the API."""

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from app.errors import NotFound
from app.portal.page_route import answer_browser

_NO_PAGES = ("/v1", "/v2", "/static", "/livez", "/readyz", "/metrics", "/openapi.json")


def wants_page(request: Request, error: HTTPException) -> bool:
    """Tell whether a browser looks for a page that does not exist."""
    looks = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    return error.status_code == 404 and looks and not request.url.path.startswith(_NO_PAGES)


async def missing_page(request: Request) -> Response:
    """Return the page that says so."""
    return await answer_browser(request, _nowhere)


async def _nowhere(_request: Request) -> Response:
    raise NotFound("there is no such page", hint="the links above lead to those there are")
