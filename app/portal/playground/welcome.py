"""/app/welcome: from a new account to a first successful call, with a key that is made here once."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts.account import DEFAULT_SCOPES
from app.bootstrap import Services
from app.members.key_scopes import scopes_of
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render
from app.portal.frame.visitor import KeysWriter, ServicesDep
from app.portal.playground.pages import call_snippets
from app.portal.playground.trial import Trial, trials

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/app/welcome")
def welcome(request: Request, caller: KeysWriter, services: ServicesDep) -> Response:
    """Show the first call; where there is no key yet, a script of the page asks for it at once, else a button does."""
    has_key = services.accounts.has_api_key(caller.account.id)
    return _page(request, services, caller.account.id, has_key=has_key)


@router.post("/app/welcome")
def make_first_key(
    request: Request, _form: Annotated[PageForm, Form()], caller: KeysWriter, services: ServicesDep
) -> Response:
    """Make the account's first key and show the call with its secret, this once; a repeat shows no secret."""
    scopes = DEFAULT_SCOPES & scopes_of(caller.role)  # who gets to see the secret gets no further by it
    new = services.accounts.first_test_key(caller.account.id, scopes=scopes, by=caller.actor)
    return _page(request, services, caller.account.id, has_key=True, secret=new.secret if new else None)


def _page(
    request: Request, services: Services, account_id: str, *, has_key: bool, secret: str | None = None
) -> Response:
    """Show the first call with a model that answers, rows before pictures: they need no file."""
    known = sorted(trials(services, account_id), key=lambda trial: (not trial.runs, trial.takes_pictures))
    context: dict[str, Any] = {"trial": None, "snippets": None}
    if known:
        context = {"trial": known[0], "snippets": _first_call(services, known[0], secret)}
    return render(
        request, "pages/welcome.html", has_key=has_key, secret=secret, idempotency_key=str(uuid4()), **context
    )


def _first_call(services: Services, trial: Trial, secret: str | None) -> Any:
    return call_snippets(services.settings.public_url, trial, secret=secret)
