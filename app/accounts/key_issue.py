"""A new key becomes valid, in the caller's transaction: stored by its digest, noticed by every process, and logged."""

from app.accounts import store
from app.accounts.account import ApiKey
from app.accounts.key_secret import digest_of
from app.audit_log.actor import Actor
from app.audit_log.store import record
from app.database import Session


def issue_key(session: Session, key: ApiKey, secret: str, *, by: Actor) -> None:
    """Store a key that was just made; the secret itself is stored nowhere."""
    store.insert_key(session, key, digest=digest_of(secret))
    store.record_change(session)
    facts = {"name": key.name, **_rights_of(key)}
    record(session, by=by, at=key.created_at, action="key.created", target=key.id, account_id=key.account_id, **facts)


def _rights_of(key: ApiKey) -> dict[str, str]:
    """Return what a key may do, as the audit log tells it."""
    rights = {"mode": "live" if key.live else "test", "scopes": " ".join(sorted(key.scopes))}
    return {**rights, "models": " ".join(sorted(key.models))} if key.models else rights
