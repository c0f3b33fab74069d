"""The key with which the portal's playground calls models: made on first use, and nobody ever knows its secret.

Calls of the playground are metered and billed like others; the key tells them apart, and revoking it ends them.
"""

from datetime import datetime

from app.accounts import store
from app.accounts.account import ApiKey, KeyPurpose, Scope
from app.accounts.key_secret import digest_of, hint_of, new_secret
from app.audit_log.actor import Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database, Session
from app.ids import new_id

_NAME = "playground"


def playground_key(database: Database, clock: Clock, account_id: str, *, live: bool, by: Actor) -> ApiKey:
    """Return the account's key for the playground; of two first uses one makes it. Raises NotFound."""
    with database.reading() as session:
        if key := store.find_playground_key(session, account_id, live=live):
            return key
    with database.transaction() as session:
        store.lock_account(session, account_id)
        found = store.find_playground_key(session, account_id, live=live)
        return found or _make(session, account_id, clock.now(), live=live, by=by)


def _make(session: Session, account_id: str, now: datetime, *, live: bool, by: Actor) -> ApiKey:
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
    store.insert_key(session, key, digest=digest_of(secret))
    store.record_change(session)
    record(session, by=by, at=now, action="key.created", target=key.id, account_id=account_id, name=key.name)
    return key
