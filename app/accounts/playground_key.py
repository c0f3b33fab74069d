"""The key with which the portal's playground calls models: made on first use, and nobody ever knows its secret.

Calls of the playground are metered and billed like others; the key tells them apart, and revoking it ends them.
"""

from datetime import datetime

from app.accounts import store
from app.accounts.account import ApiKey, KeyPurpose, Scope
from app.accounts.key_issue import issue_key
from app.accounts.key_secret import hint_of, new_secret
from app.audit_log.actor import Actor
from app.database import Session
from app.ids import new_id

_NAME = "playground"


def make_playground_key(session: Session, account_id: str, *, live: bool, now: datetime, by: Actor) -> ApiKey:
    """Make the key, or return the one that somebody has made in between. Raises NotFound."""
    store.lock_account(session, account_id)
    if found := store.find_playground_key(session, account_id, live=live):
        return found
    secret = new_secret(live=live)  # its digest is stored, and it is forgotten here
    key = ApiKey(
        id=new_id("key", now),
        account_id=account_id,
        name=_NAME,
        hint=hint_of(secret),
        live=live,
        scopes=frozenset({Scope.PREDICT}),
        models=frozenset(),
        created_at=now,
        purpose=KeyPurpose.PLAYGROUND,
    )
    issue_key(session, key, secret, by=by)
    return key
