"""The SQL of reading the journal: the history of an account's credit, and the balances of the books.

Sums are exact beyond 64 bits: units and nanos are added up apart.
"""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.ledger.credit_history import CreditMovement, LedgerBalance
from app.ledger.journal_entry import LedgerAccount, SourceKind
from app.ledger.tables import JournalEntryRow, PostingRow
from app.money import NANOS_PER_UNIT

_AMOUNT = PostingRow.amount_nanos
# Both databases cut a quotient towards zero, and give the remainder the sign of the amount.
_SUM: tuple[Any, ...] = (
    func.coalesce(func.sum(_AMOUNT.op("/")(NANOS_PER_UNIT)), 0).label("units"),
    func.coalesce(func.sum(_AMOUNT % NANOS_PER_UNIT), 0).label("nanos"),
)
_OF_CREDIT = PostingRow.ledger_account == LedgerAccount.CUSTOMER_CREDIT.value


def credit_movements(session: Session, account_id: str, before: str | None, limit: int) -> list[CreditMovement]:
    """Return the newest movements of an account's credit first, those before the entry `before`."""
    entry = JournalEntryRow
    mine = [entry.account_id == account_id, _OF_CREDIT]
    if before is not None:
        mine.append(entry.id < before)
    joined = select(*_SUM).join(entry, entry.id == PostingRow.entry_id).where(*mine)
    movements = joined.add_columns(
        entry.id, entry.source_kind, entry.occurred_at, func.min(PostingRow.grant_id).label("grant_id")
    )
    newest = movements.group_by(entry.id, entry.source_kind, entry.occurred_at).order_by(entry.id.desc()).limit(limit)
    balance_nanos = -_nanos_of(session.execute(joined).one())
    found = []
    for row in session.execute(newest):
        found.append(_movement_of(row, balance_nanos))
        balance_nanos -= found[-1].amount_nanos
    return found


def trial_balance(session: Session) -> list[LedgerBalance]:
    """Return what each account of the books sums to, by currency: all of a currency sum to zero."""
    entry, posting = JournalEntryRow, PostingRow
    rows = session.execute(
        select(*_SUM, entry.currency, posting.ledger_account)
        .join(entry, entry.id == posting.entry_id)
        .group_by(entry.currency, posting.ledger_account)
        .order_by(entry.currency, posting.ledger_account)
    )
    return [LedgerBalance(row.currency, LedgerAccount(row.ledger_account), _nanos_of(row)) for row in rows]


def _movement_of(row: Any, balance_nanos: int) -> CreditMovement:
    kind = SourceKind(row.source_kind)
    return CreditMovement(
        id=row.id,
        kind=kind,
        grant_id=None if kind is SourceKind.USAGE else row.grant_id,
        occurred_at=row.occurred_at,
        amount_nanos=-_nanos_of(row),
        balance_nanos=balance_nanos,
    )


def _nanos_of(row: Any) -> int:
    return int(row.units) * NANOS_PER_UNIT + int(row.nanos)
