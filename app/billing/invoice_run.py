"""The invoice run: what an account used in a period becomes what it owes.

Each account is invoiced in one durable transaction of its own. So a run may be repeated, run twice at once or be killed
anywhere: what it issued stands, what it did not is issued by the next run, and the numbers have no gap. Where
the books of an account stay as they are, they are only read, and nobody waits for that.
"""

from dataclasses import replace
from datetime import timedelta

from app.accounts.account import Account
from app.accounts.store import close_through, find_account, list_accounts, lock_account
from app.audit_log.actor import INSTALLATION, Actor
from app.audit_log.store import record
from app.billing import store
from app.billing.assemble import assemble
from app.billing.invoice import Invoice, InvoiceStatus
from app.billing.invoice_run_report import AccountOutcome, InvoiceRunReport, RunResult
from app.clock import Clock
from app.database import Database, Session
from app.errors import AppError, NotFound
from app.ids import new_id
from app.period import Month, parse_zone, period_starting_in
from app.telemetry import get_logger

_log = get_logger(__name__)


class InvoiceRun:
    """Issues the invoices of periods that are over, and drafts those of periods that are not."""

    def __init__(self, database: Database, clock: Clock, issue_grace_s: int) -> None:
        self._database = database
        self._clock = clock
        self._issue_grace = timedelta(seconds=issue_grace_s)

    def run(self, month: Month, account_id: str | None = None, *, by: Actor = INSTALLATION) -> InvoiceRunReport:
        """Invoice the periods that start in a month, each in its account's own zone: of one account, or of all.

        One account's failure is reported and leaves the others alone. Raises NotFound for an unknown account.
        """
        accounts = self._accounts(account_id)
        self._record_run(month, account_id, by)
        return InvoiceRunReport(month, tuple(self._try_account(each, month, by) for each in accounts))

    def _invoice_account(self, account: Account, month: Month, by: Actor) -> AccountOutcome:
        with self._database.reading() as session:
            standing, due = self._assess(session, account, month)
        if due.result is not RunResult.ISSUED and due.invoice == standing:
            return due  # as nearly always: no lock, no commit

        with self._database.transaction(durable=True) as session:
            account = lock_account(session, account.id)  # the recorder and other runs wait here
            standing, due = self._assess(session, account, month)  # again: from here on nothing changes but by us

            if due.result is RunResult.NOTHING_OWED and standing:
                store.delete_draft(session, standing.id)
            if due.result is RunResult.DRAFT and due.invoice:
                store.save_invoice(session, due.invoice)
            if due.result is RunResult.ISSUED and due.invoice:
                invoice = due.invoice.issue(store.draw_number(session), self._clock.now())
                store.save_invoice(session, invoice)
                close_through(session, account.id, invoice.period.end)  # usage that is recorded from now on is late
                self._record_issue(session, invoice, by)
                return AccountOutcome(account.id, RunResult.ISSUED, invoice)
            return due

    def _assess(self, session: Session, account: Account, month: Month) -> tuple[Invoice | None, AccountOutcome]:
        """Return the invoice that stands, and what is due: as ISSUED, the draft that is to be issued now."""
        period = period_starting_in(month, account.anchor_day, parse_zone(account.zone))
        standing = store.find_usage_invoice(session, account.id, period)
        now = self._clock.now()
        if standing and standing.status is InvoiceStatus.ISSUED:
            return standing, AccountOutcome(account.id, RunResult.ALREADY_ISSUED, standing)
        if now < period.start:
            return standing, AccountOutcome(account.id, RunResult.NOT_BEGUN, standing)

        usage = store.read_usage(session, account.id, period)
        invoice_id = standing.id if standing else new_id("inv", now)
        draft = assemble(usage, invoice_id=invoice_id, account=account, period=period, computed_at=now)
        if draft is None:
            return standing, AccountOutcome(account.id, RunResult.NOTHING_OWED)
        if now >= period.end + self._issue_grace:
            return standing, AccountOutcome(account.id, RunResult.ISSUED, draft)
        if standing and replace(draft, computed_at=standing.computed_at) == standing:
            draft = standing
        return standing, AccountOutcome(account.id, RunResult.DRAFT, draft)

    def _accounts(self, account_id: str | None) -> list[Account]:
        with self._database.reading() as session:
            if account_id is None:
                return list_accounts(session)
            account = find_account(session, account_id)
        if account is None:
            raise NotFound(f"there is no account {account_id}", where="account")
        return [account]

    def _record_run(self, month: Month, account_id: str | None, by: Actor) -> None:
        """Tell who asked for this run, before it begins; the installation's own come every five minutes."""
        if by == INSTALLATION:
            return
        with self._database.transaction() as session:
            now = self._clock.now()
            record(session, by=by, at=now, action="invoices.run", target=str(month), account_id=account_id)

    def _record_issue(self, session: Session, invoice: Invoice, by: Actor) -> None:
        record(
            session,
            by=by,
            at=self._clock.now(),
            action="invoice.issued",
            target=invoice.id,
            account_id=invoice.account_id,
            number=invoice.number or "",
        )

    def _try_account(self, account: Account, month: Month, by: Actor) -> AccountOutcome:
        try:
            return self._invoice_account(account, month, by)
        except AppError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - one account's trouble, even a bug, must not hold back the others
            _log.exception("the invoice run met a bug", account_id=account.id, month=str(month))
            reason = f"a bug: {type(error).__name__}"
        _log.error("an account was not invoiced", account_id=account.id, month=str(month), reason=reason)
        return AccountOutcome(account.id, RunResult.FAILED, error=reason)
