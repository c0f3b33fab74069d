"""Grants and entries with sensible defaults: a test names only what it is about."""

from datetime import datetime

from app.ids import new_id
from app.ledger.credit_grant import DEFAULT_PRIORITY, CreditGrant, GrantKind
from app.ledger.journal_entry import JournalEntry, LedgerAccount, SourceKind, transfer
from tests.builders import ACCOUNT, NOON


def make_grant(
    id: str = "grant_1",  # noqa: A002 - the noun's own field
    amount_nanos: int = 10,
    *,
    account_id: str = ACCOUNT,
    kind: GrantKind = GrantKind.PAID,
    remaining_nanos: int | None = None,
    priority: int = DEFAULT_PRIORITY,
    expires_at: datetime | None = None,
    note: str = "",
    created_at: datetime = NOON,
) -> CreditGrant:
    return CreditGrant(
        id=id,
        account_id=account_id,
        kind=kind,
        amount_nanos=amount_nanos,
        remaining_nanos=amount_nanos if remaining_nanos is None else remaining_nanos,
        refunded_nanos=0,
        expired_nanos=0,
        priority=priority,
        expires_at=expires_at,
        note=note,
        created_at=created_at,
    )


def make_grant_entry(grant: CreditGrant) -> JournalEntry:
    return JournalEntry(
        id=new_id("entry", grant.created_at),
        account_id=grant.account_id,
        currency="USD",
        source_kind=SourceKind.GRANT,
        source_id=grant.id,
        occurred_at=grant.created_at,
        created_at=grant.created_at,
        postings=transfer(LedgerAccount.CASH, LedgerAccount.CUSTOMER_CREDIT, grant.amount_nanos, grant.id),
    )
