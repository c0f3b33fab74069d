"""/v1/keys: create, list, rotate with grace, revoke.

No answer of these is kept: a secret is stored nowhere. With an Idempotency-Key a key is made once all the same.
"""

from datetime import timedelta

from fastapi import APIRouter, status
from pydantic import Field

from app.accounts.account import DEFAULT_SCOPES, ApiKey, Principal, Scope, parse_scopes
from app.accounts.service import NewKey
from app.api.claimed_route import IdempotencyKey, creation_id_of
from app.api.dependencies import ActingKey, KeyCursor, KeysWriter, Limit, ServicesDep
from app.api.described_problems import BUDGET_LOOSENED, KEY_MADE_ALREADY, LIMITS_LOOSENED, problems
from app.api.fields import Instant, ModelName, Name, StrictBody
from app.api.key_fields import KeyFields, NewKeyFields
from app.api.wire import Page, instant, page
from app.api.wire_limits import LimitsBody, refuse_looser
from app.errors import Forbidden

router = APIRouter(prefix="/v1", tags=["keys"])


_REFUSED = problems(KEY_MADE_ALREADY, BUDGET_LOOSENED, LIMITS_LOOSENED)
_DEFAULT = ", ".join(sorted(DEFAULT_SCOPES))


class ScopeEscalation(Forbidden):
    """A key cannot give what it does not have."""

    code = "scope_escalation"


class NewKeyBody(StrictBody):
    """What a new key may do."""

    name: Name = "default"
    test: bool = False
    scopes: list[str] | None = Field(None, description=f"default: {_DEFAULT}, as far as the calling key has them")
    models: list[ModelName] = Field(default_factory=list, max_length=100)
    expires_at: Instant | None = None
    limits: LimitsBody | None = Field(None, description="default: none, or those of the calling key")

    def chosen_scopes(self, default: frozenset[Scope] = DEFAULT_SCOPES) -> frozenset[Scope]:
        """Return the scopes that the key gets. Raises Invalid for an unknown one."""
        return default if self.scopes is None else parse_scopes(self.scopes)


class RotateBody(StrictBody):
    """How long the old key still works."""

    grace_s: int = Field(0, ge=0, le=604_800)


@router.post("/keys", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def create_key(
    body: NewKeyBody,
    principal: KeysWriter,
    key: ActingKey,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> NewKeyFields:
    """Create a key of the caller's account; its secret is shown this once."""
    scopes, models = body.chosen_scopes(DEFAULT_SCOPES & principal.scopes), frozenset(body.models)
    _refuse_escalation(principal, live=not body.test, scopes=scopes, models=models)
    limits = principal.limits if body.limits is None else body.limits.limits()
    refuse_looser(principal, limits)
    new = services.accounts.create_key(
        principal.account_id,
        name=body.name,
        live=not body.test,
        scopes=scopes,
        models=models,
        limits=limits,
        expires_at=body.expires_at,
        creation_id=creation_id_of(idempotency_key, principal.budget_key_id),
        asking_key_id=principal.budget_key_id,
        by=key,
    )
    return new_key_body(new)


@router.get("/keys")
def list_keys(
    principal: KeysWriter, services: ServicesDep, cursor: KeyCursor = "", limit: Limit = 50
) -> Page[KeyFields]:
    """List the account's keys, revoked ones included, without their secrets."""
    keys = services.accounts.list_keys(principal.account_id, cursor, limit + 1)
    return page(keys, limit, key_body, lambda key: key.id)


@router.get("/keys/{key_id}")
def get_key(key_id: str, principal: KeysWriter, services: ServicesDep) -> KeyFields:
    """Return one key without its secret."""
    return key_body(services.accounts.get_key(principal.account_id, key_id))


@router.post("/keys/{key_id}/rotate", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def rotate_key(
    key_id: str,
    body: RotateBody,
    principal: KeysWriter,
    key: ActingKey,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> NewKeyFields:
    """Create a successor with the same rights; the old key works for `grace_s` seconds more."""
    old = services.accounts.get_key(principal.account_id, key_id)
    _refuse_escalation(principal, live=old.live, scopes=old.scopes, models=old.models)
    refuse_looser(principal, services.limits.of_key(principal.account_id, key_id))
    new = services.accounts.rotate_key(
        principal.account_id,
        key_id,
        grace=timedelta(seconds=body.grace_s),
        creation_id=creation_id_of(idempotency_key, principal.budget_key_id),
        asking_key_id=principal.budget_key_id,
        by=key,
    )
    return new_key_body(new)


@router.delete("/keys/{key_id}")
def revoke_key(key_id: str, principal: KeysWriter, key: ActingKey, services: ServicesDep) -> KeyFields:
    """Revoke a key: every process refuses it within a second."""
    return key_body(services.accounts.revoke_key(principal.account_id, key_id, by=key))


def _refuse_escalation(principal: Principal, *, live: bool, scopes: frozenset[Scope], models: frozenset[str]) -> None:
    """Raise ScopeEscalation where a new secret could do more than the caller's."""
    if beyond := scopes - principal.scopes:
        raise ScopeEscalation(
            f"this key may not give the scope {', '.join(sorted(beyond))}", where="scopes", hint="ask the operator"
        )
    if live and not principal.live:
        raise ScopeEscalation("a test key may not give a live key", where="test", hint="use a live key for this")
    if principal.models and not (models and models <= principal.models):
        allowed = ", ".join(sorted(principal.models))
        raise ScopeEscalation(f"this key may give no more than its own models: {allowed}", where="models")


def new_key_body(new: NewKey) -> NewKeyFields:
    """Return a key with its secret."""
    return {**key_body(new.key), "secret": new.secret}


def key_body(key: ApiKey) -> KeyFields:
    """Return what may be shown of a key."""
    return {
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "test": not key.live,
        "scopes": sorted(Scope(scope).value for scope in key.scopes),
        "models": sorted(key.models),
        "created_at": instant(key.created_at),
        "expires_at": instant(key.expires_at),
        "revoked_at": instant(key.revoked_at),
    }
