"""Credit grants: money that an account has in advance, bought or given, until it is used, refunded or expires."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.accounts.key_secret import refuse_secret
from app.errors import Invalid
from app.money import AMOUNT_NANOS_MAX

PRIORITY_MAX = 100
DEFAULT_PRIORITY = 50
NOTE_CHARS_MAX = 200


class GrantKind(StrEnum):
    """Where credit comes from: the customer paid for it, or the operator gave it."""

    PAID = "paid"
    PROMOTIONAL = "promotional"


class CreditInvalid(Invalid):
    """A grant's amount, priority or note, or an amount to refund, makes no sense."""

    code = "credit_invalid"


class CreditExpiryPast(Invalid):
    """Credit is to expire in the past, or at an instant without a zone."""

    code = "credit_expiry_past"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditGrant:
    """One grant of credit; amounts are nanos of its account's currency.

    `remaining_nanos` is what is left of `amount_nanos` after what was drawn, refunded and written off at expiry. Of
    several grants the one with the lowest `priority` is drawn first.
    """

    id: str
    account_id: str
    kind: GrantKind
    amount_nanos: int
    remaining_nanos: int
    refunded_nanos: int
    expired_nanos: int
    priority: int
    expires_at: datetime | None
    note: str
    created_at: datetime

    @property
    def drawn_nanos(self) -> int:
        """What calls have used of it."""
        return self.amount_nanos - self.remaining_nanos - self.refunded_nanos - self.expired_nanos

    def valid_at(self, instant: datetime) -> bool:
        """Tell whether a call that was admitted at the instant may draw on it."""
        return self.expires_at is None or instant < self.expires_at


def valid_nanos(grants: Iterable[CreditGrant], instant: datetime) -> int:
    """Return what is left at an instant of grants that have not expired by then."""
    return sum(grant.remaining_nanos for grant in grants if grant.valid_at(instant))


def checked_credit_nanos(amount_nanos: int, *, where: str = "amount") -> int:
    """Return an amount of credit. Raises CreditInvalid for one that is not above zero, or above 1e9 currency units."""
    if not 0 < amount_nanos <= AMOUNT_NANOS_MAX:
        raise CreditInvalid(
            "an amount of credit is above zero and at most 1,000,000,000", where=where, hint='write e.g. "10.00"'
        )
    return amount_nanos


def checked_priority(priority: int, *, where: str = "priority") -> int:
    """Return a grant's priority. Raises CreditInvalid outside 0 to 100."""
    if not 0 <= priority <= PRIORITY_MAX:
        raise CreditInvalid(f"a priority is 0 to {PRIORITY_MAX}", where=where, hint="0 is drawn first")
    return priority


def checked_note(note: str, *, where: str = "note") -> str:
    """Return a note without surrounding blanks. Raises CreditInvalid for one that is long or has control characters."""
    note = note.strip()
    if len(note) > NOTE_CHARS_MAX or (note and not note.isprintable()):
        raise CreditInvalid(f"a note is one line of up to {NOTE_CHARS_MAX} characters", where=where, hint="shorten it")
    refuse_secret(note, where=where)
    return note


def checked_credit_expiry(expires_at: datetime | None, now: datetime) -> datetime | None:
    """Return the expiry. Raises CreditExpiryPast for one that is not in the future or lacks a zone."""
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now + timedelta(seconds=1)):
        raise CreditExpiryPast(
            "expires_at lies in the past or has no zone", where="expires_at", hint="write e.g. 2027-01-31T00:00:00Z"
        )
    return expires_at
