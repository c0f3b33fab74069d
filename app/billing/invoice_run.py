"""The invoice run: what an account used in a period becomes what it owes.

Each account is invoiced in one durable transaction of its own. So a run may be repeated, run twice at once or be killed
anywhere: what it issued stands, what it did not is issued by the next run, and the numbers have no gap.
"""

from datetime import timedelta

from app.accounts.store import close_through, find_account, list_accounts, lock_account
from app.billing import store
from app.billing.assemble import assemble
from app.billing.invoice import InvoiceStatus
from app.billing.invoice_run_report import AccountOutcome, InvoiceRunReport, RunResult
from app.clock import Clock
from app.database import Database
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

    def run(self, month: Month, account_id: str | None = None) -> InvoiceRunReport:
        """Invoice the periods that start in a month, each in its account's own zone: of one account, or of all.

        One account's failure is reported and leaves the others alone. Raises NotFound for an unknown account.
        """
        account_ids = self._account_ids(account_id)
        return InvoiceRunReport(month, tuple(self._try_account(each, month) for each in account_ids))

    def _invoice_account(self, account_id: str, month: Month) -> AccountOutcome:
        with self._database.transaction(durable=True) as session:
            account = lock_account(session, account_id)  # the recorder and other runs wait here
            period = period_starting_in(month, account.anchor_day, parse_zone(account.zone))
            found = store.find_usage_invoice(session, account_id, period)
            now = self._clock.now()

            if found and found.status is InvoiceStatus.ISSUED:
                return AccountOutcome(account_id, RunResult.ALREADY_ISSUED, found)
            if now < period.start:
                return AccountOutcome(account_id, RunResult.NOT_BEGUN)

            usage = store.read_usage(session, account_id, period)
            invoice_id = found.id if found else new_id("inv", now)
            draft = assemble(usage, invoice_id=invoice_id, account=account, period=period, computed_at=now)
            if draft is None:
                store.delete_draft(session, invoice_id)
                return AccountOutcome(account_id, RunResult.NOTHING_OWED)
            if now < period.end + self._issue_grace:
                store.save_invoice(session, draft)
                return AccountOutcome(account_id, RunResult.DRAFT, draft)

            invoice = draft.issue(store.draw_number(session), now)
            store.save_invoice(session, invoice)
            close_through(session, account_id, period.end)  # usage that is recorded from now on is late
            return AccountOutcome(account_id, RunResult.ISSUED, invoice)

    def _account_ids(self, account_id: str | None) -> list[str]:
        with self._database.reading() as session:
            if account_id is None:
                return [account.id for account in list_accounts(session)]
            if find_account(session, account_id) is None:
                raise NotFound(f"there is no account {account_id}", where="account")
            return [account_id]

    def _try_account(self, account_id: str, month: Month) -> AccountOutcome:
        try:
            return self._invoice_account(account_id, month)
        except AppError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - one account's trouble, even a bug, must not hold back the others
            _log.exception("the invoice run met a bug", account_id=account_id, month=str(month))
            reason = f"a bug: {type(error).__name__}"
        _log.error("an account was not invoiced", account_id=account_id, month=str(month), reason=reason)
        return AccountOutcome(account_id, RunResult.FAILED, error=reason)
