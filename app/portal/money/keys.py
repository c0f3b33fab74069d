"""/app/keys: the account's API keys. A new secret stands on the page that answers its form, and nowhere else."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.account import DEFAULT_SCOPES, ApiKey, Scope
from app.accounts.key_issue import KeyMadeAlready
from app.accounts.service import NewKey
from app.bootstrap import Services
from app.errors import AppError
from app.members.key_scopes import require_scopes, scopes_of
from app.portal.frame.bounds import bounds_of_keys
from app.portal.frame.forms import new_creation_id
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page, render, zone_of
from app.portal.frame.visitor import Caller, KeysReader, KeysWriter, ServicesDep
from app.portal.money.key_form import KeyForm, RevokeForm, RotateForm
from app.portal.money.key_page import key_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)
KEYS_MAX = 100
_SCOPES = [scope for scope in Scope if scope is not Scope.ADMIN]


@router.get("/app/keys")
def list_keys(request: Request, caller: KeysReader, services: ServicesDep) -> Response:
    """List the keys that work, newest first, and those that ended below them."""
    account_id = caller.account.id
    usable, ended = (services.accounts.newest_keys(account_id, usable=each, limit=KEYS_MAX) for each in (True, False))
    return render(
        request,
        "pages/keys.html",
        usable=usable,
        usable_count=services.accounts.count_usable_keys(account_id),
        ended=ended,
        last_used=services.metering.last_used(account_id, [key.id for key in (*usable, *ended)]),
        bounds=bounds_of_keys(services, account_id, usable),
        currency=caller.account.currency,
    )


@router.get("/app/keys/new")
def show_form(request: Request, caller: KeysWriter, services: ServicesDep) -> Response:
    """Show the form of a new key."""
    offered = scopes_of(caller.role)
    form = KeyForm(scopes=[scope for scope in _SCOPES if scope in DEFAULT_SCOPES & offered])
    return _form_page(request, caller, services, form)


@router.post("/app/keys")
def create_key(
    request: Request, form: Annotated[KeyForm, Form()], caller: KeysWriter, services: ServicesDep
) -> Response:
    """Create a key and show its secret this once; what is wrong with the form stands above it."""
    try:
        new = _create(form, caller, services)
    except AppError as error:
        return _form_page(request, caller, services, form, error)
    return _secret_page(request, services, new)


@router.get("/app/keys/{key_id}")
def show_key(request: Request, key_id: str, caller: KeysReader, services: ServicesDep) -> Response:
    """Show one key, with the forms that end it for those who may."""
    return key_page(request, caller, services, services.accounts.get_key(caller.account.id, key_id))


@router.post("/app/keys/{key_id}/rotate")
def rotate_key(
    request: Request, key_id: str, form: Annotated[RotateForm, Form()], caller: KeysWriter, services: ServicesDep
) -> Response:
    """Make a successor and show its secret this once; the old key works on for the grace."""
    old = services.accounts.get_key(caller.account.id, key_id)
    try:
        require_scopes(caller.role, old.scopes)
        new = services.accounts.rotate_key(
            caller.account.id,
            key_id,
            grace=timedelta(seconds=form.grace_s),
            creation_id=form.creation_id,
            by=caller.actor,
        )
    except AppError as error:
        return key_page(request, caller, services, old, error)
    return _secret_page(request, services, new, old=services.accounts.get_key(caller.account.id, key_id))


@router.post("/app/keys/{key_id}/revoke")
def revoke_key(
    request: Request, key_id: str, form: Annotated[RevokeForm, Form()], caller: KeysWriter, services: ServicesDep
) -> Response:
    """Revoke a key for good."""
    key = services.accounts.get_key(caller.account.id, key_id)
    try:
        form.require_confirmation()
    except AppError as error:
        return key_page(request, caller, services, key, error)
    services.accounts.revoke_key(caller.account.id, key_id, by=caller.actor)
    return RedirectResponse("/app/keys?done=revoked", status_code=303)


def _create(form: KeyForm, caller: Caller, services: Services) -> NewKey:
    require_scopes(caller.role, frozenset(form.scopes))
    return services.accounts.create_key(
        caller.account.id,
        name=form.name,
        live=form.mode == "live",
        scopes=frozenset(form.scopes),
        models=form.chosen_models(_served(services)),
        expires_at=form.expires_at(zone_of(caller.visitor)),
        creation_id=form.creation_id,
        by=caller.actor,
    )


def _served(services: Services) -> list[str]:
    return [state.name for state in services.engine.catalogue()]


def _form_page(
    request: Request, caller: Caller, services: Services, form: KeyForm, problem: AppError | None = None
) -> Response:
    return form_page(
        request,
        "pages/key_new.html",
        form=form,
        creation_id=_next_creation_id(form, problem),
        problem=problem,
        scopes=[scope for scope in _SCOPES if scope in scopes_of(caller.role)],
        models=_served(services),
    )


def _next_creation_id(form: KeyForm, problem: AppError | None) -> str:
    """Return the id of the form that is shown: the same one until it has made its key, which may not be known."""
    return new_creation_id() if isinstance(problem, KeyMadeAlready) else form.creation_id


def _secret_page(request: Request, services: Services, new: NewKey, old: ApiKey | None = None) -> Response:
    return render(
        request,
        "pages/key_secret.html",
        status=201,
        key=new.key,
        secret=new.secret,
        old=old,
        public_url=services.settings.public_url,
    )
