"""Signing in at the OpenID Connect provider, or binding that sign-in to oneself: away from here, and back."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from app.bootstrap import Services
from app.errors import AppError
from app.members.open_id_connect import CALLBACK_PATH
from app.portal.frame.page_route import PageRoute, cookies_of
from app.portal.frame.rendering import error_page
from app.portal.frame.visitor import ServicesDep, Visitor, VisitorDep, person_of
from app.portal.frame.zones import zone_or_utc
from app.portal.people.signing_in import sign_in

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_NEXT_CHARS_MAX = 500


@router.get("/login/oidc")
async def go(services: ServicesDep, next_path: Annotated[str, Query(alias="next")] = "", zone: str = "UTC") -> Response:
    """Send the browser to the provider. A link, not a form: a policy of forms would hold the browser back."""
    back = next_path if len(next_path) <= _NEXT_CHARS_MAX else ""
    address, attempt = await services.open_id_connect.authorize(back, zone=zone_or_utc(zone))
    response = RedirectResponse(address, status_code=303)
    cookies_of(services).set_attempt(response, attempt)
    return response


@router.get(CALLBACK_PATH)
async def come_back(request: Request, services: ServicesDep, visitor: VisitorDep) -> Response:
    """Sign in whom the provider vouches for, or bind the sign-in. The attempt is over, whatever came of it."""
    attempt = cookies_of(services).attempt(request) or ""
    end = _bound if services.open_id_connect.binds(attempt) else _signed_in
    try:
        response = await end(request, attempt, services, visitor)
    except AppError as error:
        response = error_page(request, error)
    cookies_of(services).end_attempt(response)
    return response


async def _signed_in(request: Request, attempt: str, services: Services, visitor: Visitor) -> Response:
    connect, language = services.open_id_connect, visitor.preferences.language
    user = await connect.finish(request.query_params, attempt, language=language, address=visitor.address)
    to = connect.return_to(attempt)
    return await run_in_threadpool(sign_in, request, user, to="" if to == "/" else to)


async def _bound(request: Request, attempt: str, services: Services, visitor: Visitor) -> Response:
    person = person_of(request)
    await services.open_id_connect.bind(
        request.query_params,
        attempt,
        session_id=person.visit.session.id,
        by=person.actor,
        language=visitor.preferences.language,
    )
    return RedirectResponse("/app/profile?done=bound", status_code=303)
