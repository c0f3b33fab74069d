"""Credit in advance: granted, refunded, written off when it expires; its balance and its history.

Whatever changes a grant holds the account's lock; what takes credit away holds its gate's lock as well, and no call is
admitted meanwhile.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from app.accounts.account import Account
from app.accounts.store import find_account, lock_account
from app.audit_log.actor import INSTALLATION, Actor
from app.charging.claim import IdempotencyKeyReused
from app.charging.credit_balance import Balance, Credit, read_credit
from app.charging.credit_booking import END_OF, SOURCE_OF, book, lock_credit, record_credit
from app.charging.gate_book import PlanVersionShelf
from app.clock import Clock
from app.database import Database, DatabaseUnavailable, Session
from app.errors import AppError, Conflict, InvariantViolation, NotFound
from app.ids import new_id
from app.ledger import history_store, store
from app.ledger.credit_grant import (
    DEFAULT_PRIORITY,
    CreditGrant,
    GrantKind,
    checked_credit_expiry,
    checked_credit_nanos,
    checked_note,
    checked_priority,
)
from app.ledger.credit_history import CreditMovement
from app.ledger.drawdown import expirable
from app.ledger.journal_entry import JournalEntry, LedgerAccount, SourceKind, transfer
from app.money import format_money
from app.telemetry import get_logger

_log = get_logger(__name__)


class GrantNotRefundable(Conflict):
    """Only credit that was paid for, and has not expired, is paid back."""

    code = "grant_not_refundable"


class RefundTooLarge(Conflict):
    """More is to be paid back than is left, or than running calls let go."""

    code = "refund_too_large"


@dataclass(frozen=True, slots=True)
class Refund:
    """Credit that was paid back, in nanos; `id` is that of its journal entry."""

    id: str
    grant_id: str
    currency: str
    amount_nanos: int
    refunded_at: datetime


class Credits:
    """Grants of credit and what becomes of them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._shelf = PlanVersionShelf()

    def grant(
        self,
        account_id: str,
        *,
        amount_nanos: int,
        kind: GrantKind = GrantKind.PAID,
        priority: int = DEFAULT_PRIORITY,
        expires_at: datetime | None = None,
        note: str = "",
        creation_id: str | None = None,
        by: Actor = INSTALLATION,
    ) -> CreditGrant:
        """Give credit, once for each `creation_id`: its repeat returns the grant as it was made.

        Raises CreditInvalid, CreditExpiryPast, NotFound, and IdempotencyKeyReused for another grant under that id.
        """
        with self._database.transaction() as session:
            account = lock_account(session, account_id)
            now = self._clock.now()  # behind the lock: entries of an account stand in the order of their instants
            grant = CreditGrant(
                id=new_id("grant", now),
                account_id=account_id,
                kind=kind,
                amount_nanos=checked_credit_nanos(amount_nanos),
                remaining_nanos=amount_nanos,
                refunded_nanos=0,
                expired_nanos=0,
                priority=checked_priority(priority),
                expires_at=expires_at,
                note=checked_note(note),
                created_at=now,
            )
            if creation_id is not None and (made := store.find_grant_of_creation(session, account_id, creation_id)):
                return _repeated(made, grant)
            checked_credit_expiry(expires_at, now)
            _give(session, account, grant, creation_id=creation_id, by=by)
        return grant

    def refund(
        self,
        account_id: str,
        grant_id: str,
        amount_nanos: int | None = None,
        *,
        creation_id: str | None = None,
        by: Actor = INSTALLATION,
    ) -> Refund:
        """Pay credit back, once for each `creation_id`: an amount, or all that no running call may need.

        Raises CreditInvalid, NotFound, GrantNotRefundable, RefundTooLarge, and IdempotencyKeyReused for another refund
        under that id.
        """
        if amount_nanos is not None:
            checked_credit_nanos(amount_nanos)
        with self._database.transaction() as session:
            account = lock_account(session, account_id)
            now = self._clock.now()
            if creation_id and (made := store.find_entry(session, account_id, SourceKind.REFUND, creation_id)):
                return _repeated_refund(made, grant_id, amount_nanos)
            credit = lock_credit(session, self._shelf, account, now)
            grant = store.find_grant(session, account_id, grant_id)
            if grant is None:
                raise NotFound(f"there is no credit grant {grant_id}", where="grant")
            amount_nanos = _refundable(credit, grant, amount_nanos, now)
            store.take_back(session, grant_id, refunded_nanos=amount_nanos)
            postings = transfer(LedgerAccount.CUSTOMER_CREDIT, LedgerAccount.CASH, amount_nanos, grant_id)
            entry = book(session, account, SourceKind.REFUND, creation_id, postings, now=now)
            record_credit(session, "credit.refunded", grant, amount_nanos, account, by=by, at=now)
        return _refund_of(entry)

    def expire_due(self) -> int:
        """Write off what is left of grants that have expired and no running call may need; return their number.

        May run at any time, twice, and in several processes. Raises DatabaseUnavailable.
        """
        with self._database.reading() as session:
            account_ids = store.accounts_with_expired_credit(session, self._clock.now())
        return sum(self._try_expire(account_id) for account_id in account_ids)

    def balance(self, account_id: str) -> Balance:
        """Return what the account has in advance now; zeros where it never had any. Raises NotFound."""
        with self._database.reading() as session:
            return read_credit(session, self._shelf, _found(session, account_id)).balance_at(self._clock.now())

    def grants(self, account_id: str, before: str | None = None, limit: int | None = None) -> list[CreditGrant]:
        """Return the account's newest grants first, used up ones included, those before the id `before`."""
        with self._database.reading() as session:
            return store.list_grants(session, account_id, before, limit)

    def account_of(self, grant_id: str) -> str:
        """Return the id of the account that a grant belongs to. Raises NotFound."""
        with self._database.reading() as session:
            account_id = store.owner_of(session, grant_id)
        if account_id is None:
            raise NotFound(f"there is no credit grant {grant_id}", where="grant")
        return account_id

    def history(self, account_id: str, before: str | None = None, limit: int = 50) -> list[CreditMovement]:
        """Return what came and went, the newest first, each with the balance after it; those before `before`."""
        with self._database.reading() as session:
            return history_store.credit_movements(session, account_id, before, limit)

    def _try_expire(self, account_id: str) -> int:
        try:
            with self._database.transaction() as session:
                return self._expire(session, lock_account(session, account_id))
        except DatabaseUnavailable:
            raise
        except AppError as error:  # one account's trouble must not hold back the others
            _log.error("credit of an account was not written off", account_id=account_id, reason=str(error))
            return 0

    def _expire(self, session: Session, account: Account) -> int:
        now = self._clock.now()
        credit = lock_credit(session, self._shelf, account, now)
        grants = {grant.id: grant for grant in credit.grants}
        gone = expirable(credit.grants, credit.held_nanos, now)
        for grant_id, nanos in gone.items():
            grant = grants[grant_id]
            store.take_back(session, grant_id, expired_nanos=nanos)
            postings = transfer(LedgerAccount.CUSTOMER_CREDIT, END_OF[grant.kind], nanos, grant_id)
            # What a running call held back goes later: how much went before tells the two apart.
            book(session, account, SourceKind.EXPIRY, f"{grant_id}:{grant.expired_nanos}", postings, now=now)
            record_credit(session, "credit.expired", grant, nanos, account, by=INSTALLATION, at=now)
        return len(gone)


def _found(session: Session, account_id: str) -> Account:
    account = find_account(session, account_id)
    if account is None:
        raise NotFound(f"there is no account {account_id}", where="account")
    return account


def _give(session: Session, account: Account, grant: CreditGrant, *, creation_id: str | None, by: Actor) -> None:
    """Write a grant with its entry in the books. Raises InvariantViolation where that creation has made one already:
    the caller has looked, and holds the account's lock.
    """
    if not store.insert_grant(session, grant, creation_id=creation_id):
        raise InvariantViolation(f"the creation {creation_id} of {account.id} has made a grant already")
    postings = transfer(SOURCE_OF[grant.kind], LedgerAccount.CUSTOMER_CREDIT, grant.amount_nanos, grant.id)
    book(session, account, SourceKind.GRANT, grant.id, postings, now=grant.created_at)
    record_credit(session, "credit.granted", grant, grant.amount_nanos, account, by=by, at=grant.created_at)


def _repeated(made: CreditGrant, asked: CreditGrant) -> CreditGrant:
    """Return a grant as it was made, to whoever asks for the same again. Raises IdempotencyKeyReused."""
    as_made = replace(made, remaining_nanos=made.amount_nanos, refunded_nanos=0, expired_nanos=0)
    if replace(asked, id=made.id, created_at=made.created_at) != as_made:
        raise IdempotencyKeyReused("this Idempotency-Key made another grant", hint="use a new key for a new grant")
    return as_made


def _repeated_refund(entry: JournalEntry, grant_id: str, amount_nanos: int | None) -> Refund:
    """Return a refund to whoever asks for the same again. Raises IdempotencyKeyReused."""
    refund = _refund_of(entry)
    if refund.grant_id != grant_id or amount_nanos not in (None, refund.amount_nanos):
        raise IdempotencyKeyReused("this Idempotency-Key made another refund", hint="use a new key for a new refund")
    return refund


def _refund_of(entry: JournalEntry) -> Refund:
    (paid,) = (each for each in entry.postings if each.ledger_account is LedgerAccount.CUSTOMER_CREDIT)
    return Refund(entry.id, paid.grant_id, entry.currency, paid.amount_nanos, entry.occurred_at)


def _refundable(credit: Credit, grant: CreditGrant, amount_nanos: int | None, now: datetime) -> int:
    """Return what is paid back of a grant: an amount, or all that may be."""
    if grant.kind is not GrantKind.PAID or not grant.valid_at(now):
        raise GrantNotRefundable(
            f"{grant.id} was not paid for, or has expired", hint="only paid credit that is still valid is paid back"
        )
    refundable_nanos = credit.refundable_nanos(grant, now)
    wanted_nanos = refundable_nanos if amount_nanos is None else amount_nanos
    if not 0 < wanted_nanos <= refundable_nanos:
        refundable = format_money(refundable_nanos, credit.account.currency)
        raise RefundTooLarge(
            f"{refundable} {credit.account.currency} of {grant.id} may be paid back now, and no more",
            where="amount",
            hint="leave the amount out for all of it; what running calls hold may be paid back once they have ended",
            refundable=refundable,
            currency=credit.account.currency,
        )
    return wanted_nanos
