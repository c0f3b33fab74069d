"""All SQL of claims: they are locked in the order of their keys, by everybody."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Delete, Executable, Row, Select, bindparam, delete, select, tuple_
from sqlalchemy.orm import Session

from app.charging.claim import Claim, StoredAnswer
from app.charging.tables import ClaimRow, ProcessLeaseRow
from app.database import dialect_insert, dialect_of

_CLAIMS = ClaimRow.__table__
_KEY = (_CLAIMS.c.account_id, _CLAIMS.c.idempotency_key)
_RUNNING = _CLAIMS.c.state == "running"

FoundClaim = tuple[Claim, StoredAnswer | None, bool, datetime]


def insert_claims(session: Session, claims: Sequence[Claim], *, lease_id: str, now: datetime) -> set[str]:
    """Insert the claims whose key is free and return their event ids."""
    rows = [
        {
            "account_id": claim.account_id,
            "idempotency_key": claim.idempotency_key,
            "request_digest": claim.request_digest,
            "event_id": claim.event_id,
            "lease_id": lease_id,
            "state": "running",
            "claimed_at": now,
        }
        for claim in sorted(claims, key=key_of)
    ]
    return set(session.execute(_insert_claims_statement(dialect_of(session)), rows).scalars())


def find_claim(session: Session, claim: Claim) -> FoundClaim | None:
    """Return who holds the claim's key: the holder, its answer, whether its process lives, and when it was claimed."""
    return find_claims(session, [claim]).get(key_of(claim))


def find_claims(session: Session, claims: Sequence[Claim]) -> Mapping[tuple[str, str], FoundClaim]:
    """Return who holds the claims' keys, by key; a key that nobody holds is absent. It waits for nobody."""
    if not claims:
        return {}
    rows = session.connection().execute(_HOLDERS, {"keys": sorted(map(key_of, claims))})
    return {key_of(found[0]): found for found in map(_found_claim, rows)}


def lock_claim(session: Session, claim: Claim) -> FoundClaim | None:
    """Return who holds the claim's key, locked against other claims."""
    row = session.connection().execute(_LOCK_HOLDER, {"keys": [key_of(claim)]}).first()
    return _found_claim(row) if row is not None else None


def complete_claims(
    session: Session, answers: Sequence[tuple[Claim, StoredAnswer]], *, lease_id: str, now: datetime
) -> set[str]:
    """Store the answers and return the event ids of the claims that were still held.

    A claim that a crash of the database lost is taken again here; one that another process took is not returned.
    """
    rows = [
        {
            "account_id": claim.account_id,
            "idempotency_key": claim.idempotency_key,
            "request_digest": claim.request_digest,
            "event_id": claim.event_id,
            "lease_id": lease_id,
            "state": "done",
            "claimed_at": now,
            "status_code": answer.status_code,
            "content_type": answer.content_type,
            "body": answer.body,
        }
        for claim, answer in sorted(answers, key=lambda pair: key_of(pair[0]))
    ]
    return set(session.execute(_complete_claims_statement(dialect_of(session)), rows).scalars())


def release_claims(session: Session, claims: Sequence[Claim]) -> None:
    """Give back claims whose call has failed: the key is free again. One that is done, or another call's, stays."""
    if claims:
        given_back = [(*key_of(claim), claim.event_id) for claim in claims]
        session.connection().execute(_release_statement(dialect_of(session)), {"claims": given_back})


def delete_claim(session: Session, claim: Claim) -> None:
    """Delete whoever holds the claim's key: after its lease or its keeping time has run out."""
    session.execute(
        delete(ClaimRow).where(
            ClaimRow.account_id == claim.account_id,
            ClaimRow.idempotency_key == claim.idempotency_key,
            ClaimRow.event_id == claim.event_id,
        )
    )


def purge(session: Session, *, claimed_before: datetime) -> int:
    """Delete claims that nobody can ask for any more; return their number."""
    old = _deletion(dialect_of(session), _CLAIMS.c.claimed_at < claimed_before)
    return len(session.connection().execute(old.returning(_CLAIMS.c.event_id)).all())


def key_of(claim: Claim) -> tuple[str, str]:
    """Return what claims are told apart by. In its order they are locked, by everybody."""
    return claim.account_id, claim.idempotency_key


def in_order_of_keys(dialect: str) -> list[ColumnElement[str]]:
    """Return by which columns a statement locks claims in the order of `key_of`: byte by byte, as Python has it.

    The order of PostgreSQL's text is that of its locale, where `a` comes before `B`.
    """
    return [column.collate("C") if dialect == "postgresql" else column for column in _KEY]


# Statements of the hot path are built once a dialect: building one takes longer than executing it.


@cache
def _insert_claims_statement(dialect: str) -> Executable:
    statement = dialect_insert(dialect, ClaimRow).on_conflict_do_nothing(index_elements=list(_KEY))
    returned: Executable = statement.returning(ClaimRow.__table__.c.event_id)
    return returned


@cache
def _complete_claims_statement(dialect: str) -> Executable:
    statement = dialect_insert(dialect, ClaimRow)
    done = {name: statement.excluded[name] for name in ("state", "status_code", "content_type", "body")}
    still_held = ClaimRow.event_id == statement.excluded.event_id
    upsert = statement.on_conflict_do_update(index_elements=list(_KEY), set_=done, where=still_held)
    returned: Executable = upsert.returning(ClaimRow.__table__.c.event_id)
    return returned


@cache
def _release_statement(dialect: str) -> Delete:
    given_back = tuple_(*_KEY, _CLAIMS.c.event_id).in_(bindparam("claims", expanding=True))
    return _deletion(dialect, given_back, _RUNNING)


def _deletion(dialect: str, *which: ColumnElement[bool]) -> Delete:
    """Return the deletion of such claims, which locks them in the order of their keys before it deletes the first."""
    locked = select(*_KEY).where(*which).order_by(*in_order_of_keys(dialect)).with_for_update().cte("locked")
    return delete(ClaimRow).where(tuple_(*_KEY).in_(select(locked.c.account_id, locked.c.idempotency_key)))


_HOLDERS: Select[Any] = (
    select(_CLAIMS, ProcessLeaseRow.id.label("living_lease"))
    .outerjoin(ProcessLeaseRow, ProcessLeaseRow.id == _CLAIMS.c.lease_id)
    .where(tuple_(*_KEY).in_(bindparam("keys", expanding=True)))
)
_LOCK_HOLDER = _HOLDERS.with_for_update(of=_CLAIMS)


def _found_claim(row: Row[Any]) -> FoundClaim:
    answer = None
    if row.status_code is not None and row.content_type is not None and row.body is not None:
        answer = StoredAnswer(row.status_code, row.content_type, row.body)
    claim = Claim(row.account_id, row.idempotency_key, row.request_digest, row.event_id)
    return claim, answer, row.living_lease is not None, row.claimed_at
