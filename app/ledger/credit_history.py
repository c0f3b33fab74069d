"""The history of an account's credit: what came, what went, and what was left after each."""

from dataclasses import dataclass
from datetime import datetime

from app.ledger.journal_entry import LedgerAccount, SourceKind
from app.metering.usage_event import BUCKET
from app.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditMovement:
    """One journal entry as the customer sees it; amounts are nanos, above zero where credit came.

    `balance_nanos` is what was left of all grants after it, what running calls hold included. The calls of a quarter of
    an hour are one movement, which grows until the quarter is over: it occurred at the quarter's start, and stands
    where the quarter ends. `grant_id` is None for calls, which may draw on several grants.
    """

    id: str
    kind: SourceKind
    grant_id: str | None
    occurred_at: datetime
    amount_nanos: int
    balance_nanos: int

    @property
    def period(self) -> Period | None:
        """The quarter of an hour in which the calls were made; None for what happened at one instant."""
        return Period(self.occurred_at, self.occurred_at + BUCKET) if self.kind is SourceKind.USAGE else None


@dataclass(frozen=True, slots=True)
class LedgerBalance:
    """What the postings to an account of the books sum to in a currency: debits above zero, credits below."""

    currency: str
    ledger_account: LedgerAccount
    amount_nanos: int
