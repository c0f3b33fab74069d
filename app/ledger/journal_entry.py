"""Journal entries: one business fact, booked twice, in postings that sum to zero."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.errors import InvariantViolation


class LedgerAccount(StrEnum):
    """The accounts of the books. What customers have in advance is owed to them: its balance is a credit."""

    CUSTOMER_CREDIT = "customer_credit"
    USAGE_REVENUE = "usage_revenue"
    CASH = "cash"
    PROMOTIONAL_EXPENSE = "promotional_expense"
    BREAKAGE = "breakage"


class SourceKind(StrEnum):
    """What a journal entry tells of; with the id of its source it is unique in an account."""

    GRANT = "grant"
    USAGE = "usage"
    REFUND = "refund"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class Posting:
    """One leg of an entry in nanos: debits above zero, credits below; `grant_id` is empty where none is concerned."""

    ledger_account: LedgerAccount
    amount_nanos: int
    grant_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One fact in the books of an account, in its currency. Raises InvariantViolation where it does not balance."""

    id: str
    account_id: str
    currency: str
    source_kind: SourceKind
    source_id: str
    occurred_at: datetime
    created_at: datetime
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        places = {(posting.ledger_account, posting.grant_id) for posting in self.postings}
        if (
            not self.postings
            or len(places) < len(self.postings)
            or any(not each.amount_nanos for each in self.postings)
        ):
            raise InvariantViolation(f"entry {self.id} posts nothing, or twice to one place")
        if difference := sum(posting.amount_nanos for posting in self.postings):
            raise InvariantViolation(f"entry {self.id} does not balance: {difference} nanos are left")


def usage_postings(drawn_nanos: Mapping[str, int]) -> tuple[Posting, ...]:
    """Return the postings of calls that were paid from credit: nanos by grant, out of credit and into revenue."""
    debits = [Posting(LedgerAccount.CUSTOMER_CREDIT, nanos, grant) for grant, nanos in sorted(drawn_nanos.items())]
    return (*debits, Posting(LedgerAccount.USAGE_REVENUE, -sum(drawn_nanos.values())))


def transfer(debit: LedgerAccount, credit: LedgerAccount, amount_nanos: int, grant_id: str) -> tuple[Posting, ...]:
    """Return the postings that move an amount of one grant from one account of the books to another."""
    return (Posting(debit, amount_nanos, grant_id), Posting(credit, -amount_nanos, grant_id))
