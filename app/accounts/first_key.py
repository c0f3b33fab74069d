"""The first key of an account: a newcomer gets it unasked, once, so that the first call can follow at once."""

from datetime import datetime

from app.accounts import store
from app.accounts.account import ApiKey, Scope
from app.accounts.key_issue import issue_key
from app.accounts.key_secret import hint_of, new_secret
from app.audit_log.actor import Actor
from app.database import Session
from app.ids import new_id

_NAME = "first key"


def make_first_key(
    session: Session, account_id: str, *, scopes: frozenset[Scope], now: datetime, by: Actor
) -> tuple[ApiKey, str] | None:
    """Make a test key and return it with its secret; None where a key was ever made. Raises NotFound."""
    store.lock_account(session, account_id)
    if store.has_api_key(session, account_id):
        return None
    secret = new_secret(live=False)
    key = ApiKey(
        id=new_id("key", now),
        account_id=account_id,
        name=_NAME,
        hint=hint_of(secret),
        live=False,
        scopes=scopes,
        models=frozenset(),
        created_at=now,
    )
    issue_key(session, key, secret, by=by)
    return key, secret
