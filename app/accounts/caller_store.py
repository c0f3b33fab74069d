"""The SQL of who calls: a key, and in the same look-up all that its calls have to keep to."""

from dataclasses import replace

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from app.accounts.account import ApiKey, Principal
from app.accounts.rate_limit_store import limits_of
from app.accounts.store import key_of
from app.accounts.tables import AccountRow, ApiKeyRow, RateLimitRow

_OfKey = aliased(RateLimitRow)
_OfAccount = aliased(RateLimitRow)
_Facts = tuple[ApiKeyRow, bool, RateLimitRow | None, RateLimitRow | None]

Caller = tuple[ApiKey, Principal]

# Built while the module is imported, by one thread: an alias makes its columns when they are first asked for, and two
# threads that ask at once make two sets of them, after which results of the statement are not understood.
_CALLERS: Select[*_Facts] = (
    select(ApiKeyRow, AccountRow.gated, _OfKey, _OfAccount)
    .join(AccountRow, AccountRow.id == ApiKeyRow.account_id)
    .outerjoin(_OfKey, _OfKey.subject_id == func.coalesce(ApiKeyRow.first_key_id, ApiKeyRow.id))
    .outerjoin(_OfAccount, _OfAccount.subject_id == ApiKeyRow.account_id)
)


def find_caller(session: Session, digest: bytes) -> Caller | None:
    """Return the key of a secret's digest, working or not, and whom its requests act as."""
    return _found(session, ApiKeyRow.digest == digest)


def find_caller_of_key(session: Session, key_id: str) -> Caller | None:
    """Return the same by the key's id."""
    return _found(session, ApiKeyRow.id == key_id)


def _found(session: Session, this: ColumnElement[bool]) -> Caller | None:
    facts = session.execute(_CALLERS.where(this)).first()
    if facts is None:
        return None
    row, gated, of_key, of_account = facts
    key = key_of(row)
    return key, replace(key.principal, gated=gated, limits=limits_of(of_key), account_limits=limits_of(of_account))
