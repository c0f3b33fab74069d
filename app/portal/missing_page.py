"""What a browser sees where there is no page; a program that asks for no page is answered by the API."""

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from app.errors import NotFound
from app.portal.page_route import look_up_visitor
from app.portal.rendering import error_page

_NO_PAGES = ("/v1", "/v2", "/static", "/livez", "/readyz", "/metrics", "/openapi.json")


def wants_page(request: Request, error: HTTPException) -> bool:
    """Tell whether a browser looks for a page that does not exist."""
    looks = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    return error.status_code == 404 and looks and not request.url.path.startswith(_NO_PAGES)


async def missing_page(request: Request) -> Response:
    """Return the page that says so."""
    await look_up_visitor(request)
    return error_page(request, NotFound("there is no such page", hint="the links above lead to those there are"))
