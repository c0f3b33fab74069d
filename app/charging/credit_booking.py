"""Each change of credit, in the caller's transaction: under the lock of its gate, in the books, in the audit log."""

from collections.abc import Mapping
from datetime import datetime

from app.accounts.account import Account
from app.audit_log.actor import Actor
from app.audit_log.store import record
from app.charging.credit_balance import Credit, read_credit
from app.charging.gate_book import PlanVersionShelf
from app.charging.hold_store import lock_gates
from app.charging.open_gate import stand_gate
from app.database import Session
from app.errors import InvariantViolation
from app.ids import new_id
from app.ledger.credit_grant import CreditGrant, GrantKind
from app.ledger.journal_entry import JournalEntry, LedgerAccount, Posting, SourceKind
from app.ledger.store import post
from app.money import format_money

# Where credit comes from in the books, and where it goes when nobody has used it.
SOURCE_OF: Mapping[GrantKind, LedgerAccount] = {
    GrantKind.PAID: LedgerAccount.CASH,
    GrantKind.PROMOTIONAL: LedgerAccount.PROMOTIONAL_EXPENSE,
}
END_OF: Mapping[GrantKind, LedgerAccount] = {
    GrantKind.PAID: LedgerAccount.BREAKAGE,
    GrantKind.PROMOTIONAL: LedgerAccount.PROMOTIONAL_EXPENSE,
}


def lock_credit(session: Session, shelf: PlanVersionShelf, account: Account, now: datetime) -> Credit:
    """Return the account's credit, which no call and no settlement moves until the transaction ends.

    The caller holds the account's lock: an account without a gate gets none meanwhile.
    """
    if not lock_gates(session, [account.id]) and account.gated:
        stand_gate(session, account.id, now)
    return read_credit(session, shelf, account)


def book(
    session: Session,
    account: Account,
    source_kind: SourceKind,
    source_id: str | None,
    postings: tuple[Posting, ...],
    *,
    now: datetime,
) -> JournalEntry:
    """Write an entry; without a source of its own it is its own source.

    Raises InvariantViolation where the source is booked already: the caller has looked, and holds the account's lock.
    """
    entry_id = new_id("entry", now)
    entry = JournalEntry(
        id=entry_id,
        account_id=account.id,
        currency=account.currency,
        source_kind=source_kind,
        source_id=source_id or entry_id,
        occurred_at=now,
        created_at=now,
        postings=postings,
    )
    if not post(session, entry):
        raise InvariantViolation(f"the {source_kind} {entry.source_id} is in the books already")
    return entry


def record_credit(
    session: Session, action: str, grant: CreditGrant, amount_nanos: int, account: Account, *, by: Actor, at: datetime
) -> None:
    """Tell the audit log what became of how much of a grant."""
    facts = {"amount": format_money(amount_nanos, account.currency), "currency": account.currency, "kind": grant.kind}
    record(session, by=by, at=at, action=action, target=grant.id, account_id=account.id, **facts)
