"""A new key becomes valid, in the caller's transaction: stored by its digest, noticed by every process, and logged."""

from app.accounts import store
from app.accounts.account import ApiKey
from app.accounts.key_secret import digest_of
from app.audit_log.actor import Actor
from app.audit_log.store import record
from app.database import Session
from app.errors import Conflict


class KeyMadeAlready(Conflict):
    """The form that asks for a key was sent before, and has made its key."""

    code = "key_made_already"


def refuse_repeat(session: Session, account_id: str, creation_id: str | None) -> None:
    """Lock the account, so that two of a kind come one behind the other. Raises KeyMadeAlready, NotFound."""
    store.lock_account(session, account_id)
    if creation_id is None:
        return
    if made := store.key_of_creation(session, account_id, creation_id):
        raise KeyMadeAlready(
            f"this request has made the key {made} before, and its secret was shown then",
            hint="use that key; where its secret is lost, revoke it, and ask again under another Idempotency-Key",
            key=made,
        )


def issue_key(session: Session, key: ApiKey, secret: str, *, by: Actor, creation_id: str | None = None) -> None:
    """Store a key that was just made; the secret itself is stored nowhere."""
    store.insert_key(session, key, digest=digest_of(secret), creation_id=creation_id)
    store.record_change(session)
    facts = {"name": key.name, **_rights_of(key)}
    record(session, by=by, at=key.created_at, action="key.created", target=key.id, account_id=key.account_id, **facts)


def _rights_of(key: ApiKey) -> dict[str, str]:
    """Return what a key may do, as the audit log tells it."""
    rights = {"mode": "live" if key.live else "test", "scopes": " ".join(sorted(key.scopes))}
    return {**rights, "models": " ".join(sorted(key.models))} if key.models else rights
