"""POST /preferences: language, theme and time zone of this browser."""

from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.portal.frame.forms import PageForm, local_path
from app.portal.frame.page_route import PageRoute, cookies_of
from app.portal.frame.preferences import changed
from app.portal.frame.rendering import render
from app.portal.frame.visitor import ServicesDep, VisitorDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class PreferencesForm(PageForm):
    """What was chosen; what is left out stays as it is."""

    language: str | None = None
    theme: str | None = None
    zone: str | None = None
    back: str = "/"


@router.get("/preferences")
def show(request: Request, back: str = "/") -> Response:
    """Show the choice of time zones."""
    names = [(name, name) for name in sorted(available_timezones())]
    return render(request, "pages/preferences.html", back=local_path(back), zone_names=names)


@router.post("/preferences")
def choose(form: Annotated[PreferencesForm, Form()], visitor: VisitorDep, services: ServicesDep) -> Response:
    """Remember what was chosen, and go back to the page."""
    chosen = form.model_dump(include={"language", "theme", "zone"}, exclude_none=True)
    response = RedirectResponse(local_path(form.back), status_code=303)
    cookies_of(services).set_preferences(response, changed(visitor.preferences, chosen))
    return response
