"""What routes ask for in their signatures: the services, and a principal with a scope."""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, cast

from fastapi import Depends, Query, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.security.http import HTTPBase

from app.accounts.account import Principal, Scope
from app.accounts.authentication import Unauthenticated
from app.audit_log.actor import Actor, ActorKind
from app.bootstrap import Services
from app.ids import checked_cursor

PAGE_ITEMS_MAX = 100
# They only tell /openapi.json how callers prove who they are; `secret_of` and `operator` read and judge.
_bearer = Security(HTTPBearer(scheme_name="bearer", auto_error=False))
_api_key = Security(APIKeyHeader(name="X-API-Key", scheme_name="api_key", auto_error=False))
_basic = Security(HTTPBase(scheme="basic", scheme_name="operator", auto_error=False))
_HINT = "send Authorization: Bearer fm_live_… or X-API-Key"


def services_of(request: Request) -> Services:
    """Return the collaborators that `main.py` put on the application."""
    return cast("Services", request.app.state.services)


def secret_of(request: Request) -> str:
    """Return the key that came with the request. Raises Unauthenticated."""
    headers = request.headers
    if authorization := headers.get("authorization"):
        scheme, _, secret = authorization.partition(" ")
        if scheme.lower() == "bearer" and secret:
            return secret.strip()
        raise Unauthenticated("the Authorization header is not a Bearer key", where="Authorization", hint=_HINT)
    if secret := headers.get("x-api-key", ""):
        return secret
    raise Unauthenticated("no key came with this request", where="Authorization", hint=_HINT)


def principal_with(scope: Scope) -> Callable[[Request], Principal]:
    """Return a dependency that authenticates the caller's key and requires the scope. Runs in the thread pool."""

    def dependency(request: Request, _: object = _bearer, __: object = _api_key) -> Principal:
        principal = services_of(request).authenticator.authenticate(secret_of(request))
        principal.require(scope)
        return principal

    return dependency


def operator(request: Request, _: object = _bearer, __: object = _basic) -> Actor:
    """Return who operates: an `admin` key, or the operator whose e-mail and password came as Basic.

    Raises Unauthenticated, ScopeMissing, WrongCredentials, and TooManyAttempts after too many of those.
    """
    services = services_of(request)
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        principal = services.authenticator.authenticate(secret_of(request))
        principal.require(Scope.ADMIN)
        return Actor(ActorKind.KEY, principal.key_id, peer_address(request))
    email, password = _basic_credentials(credentials)
    address = peer_address(request)
    return Actor(ActorKind.USER, services.sign_in.operator(email, password, address=address).id, address)


def peer_address(request: Request) -> str | None:
    """Return the address at the other end of the connection; what a header claims is anybody's to write."""
    return request.client.host if request.client else None


def _basic_credentials(credentials: str) -> tuple[str, str]:
    try:
        email, separator, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        separator = ""
    if not separator:
        raise Unauthenticated(
            "the Basic credentials are malformed", where="Authorization", hint="curl -u EMAIL:PASSWORD"
        )
    return email, password


def cursor_of(prefix: str) -> Callable[[str], str]:
    """Return a dependency that reads the query's `cursor` of a list whose ids have that prefix."""
    description = f"`next_cursor` of the previous page, an id `{prefix}_…`; another one is 422 `invalid_cursor`"

    def dependency(cursor: Annotated[str, Query(description=description)] = "") -> str:
        return checked_cursor(prefix, cursor)

    return dependency


ServicesDep = Annotated[Services, Depends(services_of)]
UsageReader = Annotated[Principal, Depends(principal_with(Scope.USAGE_READ))]
BillingReader = Annotated[Principal, Depends(principal_with(Scope.BILLING_READ))]
KeysWriter = Annotated[Principal, Depends(principal_with(Scope.KEYS_WRITE))]


def acting_key(request: Request, principal: KeysWriter) -> Actor:
    """Return the caller's key as the one who changes keys."""
    return Actor(ActorKind.KEY, principal.key_id, peer_address(request))


ActingKey = Annotated[Actor, Depends(acting_key)]
Predictor = Annotated[Principal, Depends(principal_with(Scope.PREDICT))]
Operator = Annotated[Actor, Depends(operator)]
KeyCursor = Annotated[str, Depends(cursor_of("key"))]
AccountCursor = Annotated[str, Depends(cursor_of("acct"))]
InvoiceCursor = Annotated[str, Depends(cursor_of("inv"))]
EntryCursor = Annotated[str, Depends(cursor_of("entry"))]
GrantCursor = Annotated[str, Depends(cursor_of("grant"))]
BudgetCursor = Annotated[str, Depends(cursor_of("bud"))]
AlertCursor = Annotated[str, Depends(cursor_of("alert"))]
EventCursor = Annotated[str, Depends(cursor_of("evt"))]
AuditCursor = Annotated[str, Depends(cursor_of("aud"))]
Limit = Annotated[int, Query(ge=1, le=PAGE_ITEMS_MAX, description="items on a page")]
