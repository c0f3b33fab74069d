"""What an account has in advance: the credit that is valid, less what its running calls hold of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.accounts.account import Account
from app.charging.gate_account import GateAccount
from app.charging.gate_book import PlanVersionShelf
from app.charging.hold_store import find_positions
from app.database import Session
from app.ledger.credit_grant import CreditGrant, GrantKind, valid_nanos
from app.ledger.store import live_grants
from app.pricing.plan import Billing


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """An account's credit at an instant, in nanos: what calls may still take, what running calls hold, and both."""

    currency: str
    available_nanos: int
    held_nanos: int
    total_nanos: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Credit:
    """The grants of an account of which something is left, and what its running calls hold of them in nanos."""

    account: Account
    grants: Sequence[CreditGrant]
    held_nanos: int

    def balance_at(self, now: datetime) -> Balance:
        """Return the balance; credit that has expired counts no more, even where a running call still holds it."""
        total_nanos = valid_nanos(self.grants, now)
        return Balance(
            currency=self.account.currency,
            available_nanos=max(0, total_nanos - self.held_nanos),
            held_nanos=self.held_nanos,
            total_nanos=total_nanos,
            as_of=now,
        )

    def refundable_nanos(self, grant: CreditGrant, now: datetime) -> int:
        """Return how much of a grant may be paid back: what is left of a paid one, less what no other covers."""
        if grant.kind is not GrantKind.PAID or not grant.valid_at(now):
            return 0
        return min(grant.remaining_nanos, self.balance_at(now).available_nanos)


def read_credit(session: Session, shelf: PlanVersionShelf, account: Account) -> Credit:
    """Return an account's credit as it stands; who wants it to stand still holds the lock of the account's gate."""
    positions = find_positions(session, [account.id], [])[account.id]
    grants = live_grants(session, [account.id])[account.id]
    versions = shelf.versions(session, {key.plan_version_id for key in positions})
    gate = GateAccount(account=account, budgets=(), versions=versions, positions=positions, counters={}, grants=grants)
    return Credit(account, grants, gate.held_nanos(Billing.PREPAID))
