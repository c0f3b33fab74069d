"""All SQL of claims and process leases."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, Select, delete, select, tuple_
from sqlalchemy.orm import Session

from app.charging.claim import Claim, StoredAnswer
from app.charging.tables import ClaimRow, ProcessLeaseRow
from app.database import dialect_insert, dialect_of

_KEY = ["account_id", "idempotency_key"]

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
        for claim in sorted(claims, key=_key_of)
    ]
    return set(session.execute(_insert_claims_statement(dialect_of(session)), rows).scalars())


def find_claim(session: Session, claim: Claim) -> FoundClaim | None:
    """Return who holds the claim's key: the holder, its answer, whether its process lives, and when it was claimed."""
    return _found_claim(session, _holder_of(claim))


def lock_claim(session: Session, claim: Claim) -> FoundClaim | None:
    """Return the same, locked against other claims."""
    return _found_claim(session, _holder_of(claim).with_for_update(of=ClaimRow))


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
        for claim, answer in sorted(answers, key=lambda pair: _key_of(pair[0]))
    ]
    return set(session.execute(_complete_claims_statement(dialect_of(session)), rows).scalars())


def release_claims(session: Session, claims: Sequence[Claim]) -> None:
    """Give back claims whose call has failed: the key is free again."""
    for claim in sorted(claims, key=_key_of):
        session.execute(
            delete(ClaimRow).where(
                ClaimRow.account_id == claim.account_id,
                ClaimRow.idempotency_key == claim.idempotency_key,
                ClaimRow.event_id == claim.event_id,
                ClaimRow.state == "running",
            )
        )


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
    gone = session.execute(delete(ClaimRow).where(ClaimRow.claimed_at < claimed_before).returning(ClaimRow.event_id))
    return len(gone.all())


# Statements of the hot path are built once a dialect: building one takes longer than executing it.


@cache
def _insert_claims_statement(dialect: str) -> Executable:
    statement = dialect_insert(dialect, ClaimRow).on_conflict_do_nothing(index_elements=_KEY)
    returned: Executable = statement.returning(ClaimRow.__table__.c.event_id)
    return returned


@cache
def _complete_claims_statement(dialect: str) -> Executable:
    statement = dialect_insert(dialect, ClaimRow)
    done = {name: statement.excluded[name] for name in ("state", "status_code", "content_type", "body")}
    still_held = ClaimRow.event_id == statement.excluded.event_id
    upsert = statement.on_conflict_do_update(index_elements=_KEY, set_=done, where=still_held)
    returned: Executable = upsert.returning(ClaimRow.__table__.c.event_id)
    return returned


def _holder_of(claim: Claim) -> Select[ClaimRow, str]:
    return (
        select(ClaimRow, ProcessLeaseRow.id)
        .outerjoin(ProcessLeaseRow, ProcessLeaseRow.id == ClaimRow.lease_id)
        .where(tuple_(ClaimRow.account_id, ClaimRow.idempotency_key) == _key_of(claim))
    )


def _found_claim(session: Session, holder: Select[ClaimRow, str]) -> FoundClaim | None:
    row = session.execute(holder).first()
    if row is None:
        return None
    held, living_lease = row
    answer = None
    if held.status_code is not None and held.content_type is not None and held.body is not None:
        answer = StoredAnswer(held.status_code, held.content_type, held.body)
    claim = Claim(held.account_id, held.idempotency_key, held.request_digest, held.event_id)
    return claim, answer, living_lease is not None, held.claimed_at


def _key_of(claim: Claim) -> tuple[str, str]:
    return claim.account_id, claim.idempotency_key
