"""The first key of an account: a newcomer gets it unasked, once, so that the first call can follow at once."""

from app.accounts import store
from app.accounts.account import ApiKey, Scope
from app.accounts.key_secret import digest_of, hint_of, new_secret
from app.audit_log.actor import Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database
from app.ids import new_id

_NAME = "first key"


def first_test_key(
    database: Database, clock: Clock, account_id: str, *, scopes: frozenset[Scope], by: Actor
) -> tuple[ApiKey, str] | None:
    """Make a test key and return it with its secret; None where a key was ever made. Raises NotFound."""
    secret = new_secret(live=False)
    with database.transaction() as session:
        store.lock_account(session, account_id)
        if store.has_api_key(session, account_id):
            return None
        now = clock.now()
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
        store.insert_key(session, key, digest=digest_of(secret))
        store.record_change(session)
        record(
            session,
            by=by,
            at=now,
            action="key.created",
            target=key.id,
            account_id=account_id,
            name=key.name,
            mode="test",
            scopes=" ".join(sorted(key.scopes)),
        )
    return key, secret
