"""/v1/admin/accounts/…/keys: operators make, list and revoke the keys of an account.

No answer of these is kept: a secret is stored nowhere. With an Idempotency-Key a key is made once all the same.
"""

from fastapi import APIRouter, status

from app.accounts.rate_limits import UNLIMITED
from app.api.claimed_route import IdempotencyKey, creation_id_of
from app.api.dependencies import KeyCursor, Limit, Operator, ServicesDep
from app.api.described_problems import KEY_MADE_ALREADY, problems
from app.api.key_fields import KeyFields, NewKeyFields
from app.api.keys import NewKeyBody, key_body, new_key_body
from app.api.wire import Page, page

router = APIRouter(prefix="/v1/admin/accounts/{account_id}/keys", tags=["admin"])


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(KEY_MADE_ALREADY))
def create_key(
    account_id: str,
    body: NewKeyBody,
    operator: Operator,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> NewKeyFields:
    """Create a key for an account; its secret is shown this once."""
    new = services.accounts.create_key(
        account_id,
        name=body.name,
        live=not body.test,
        scopes=body.chosen_scopes(),
        models=frozenset(body.models),
        limits=body.limits.limits() if body.limits else UNLIMITED,
        expires_at=body.expires_at,
        creation_id=creation_id_of(idempotency_key, operator.id),
        by=operator,
    )
    return new_key_body(new)


@router.get("")
def list_keys(
    account_id: str, _operator: Operator, services: ServicesDep, cursor: KeyCursor = "", limit: Limit = 50
) -> Page[KeyFields]:
    """List an account's keys without their secrets."""
    keys = services.accounts.list_keys(services.accounts.get_account(account_id).id, cursor, limit + 1)
    return page(keys, limit, key_body, lambda key: key.id)


@router.get("/{key_id}")
def get_account_key(account_id: str, key_id: str, _operator: Operator, services: ServicesDep) -> KeyFields:
    """Return one of an account's keys without its secret."""
    return key_body(services.accounts.get_key(account_id, key_id))


@router.delete("/{key_id}")
def revoke_key(account_id: str, key_id: str, operator: Operator, services: ServicesDep) -> KeyFields:
    """Revoke an account's key."""
    return key_body(services.accounts.revoke_key(account_id, key_id, by=operator))
