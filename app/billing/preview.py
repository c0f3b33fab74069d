"""What invoices would say now: computed as the invoice run computes them, and nothing is written."""

from app.accounts.account import Account
from app.accounts.store import find_account, list_accounts
from app.billing import store
from app.billing.account_charges import AccountCharges
from app.billing.assemble import credit_lines, invoice_lines
from app.billing.month_preview import MonthPreview, UncountedAccount
from app.clock import Clock
from app.database import Database, DatabaseUnavailable, Session
from app.errors import AppError, NotFound
from app.period import Month, Period, parse_zone, period_at, period_starting_in
from app.telemetry import get_logger

_log = get_logger(__name__)


class InvoicePreview:
    """The charges of periods that have begun, whether their invoices were issued or not."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of_month(self, month: Month) -> MonthPreview:
        """Return the charges of the accounts' periods that start in a month.

        An account whose usage cannot be priced stands apart, as in an invoice run, and holds back no other.
        """
        with self._database.reading() as session:
            accounts = list_accounts(session)
        found = [self._try_account(account, month) for account in accounts]
        return MonthPreview(
            charges=tuple(each for each in found if isinstance(each, AccountCharges)),
            uncounted=tuple(each for each in found if isinstance(each, UncountedAccount)),
        )

    def so_far(self, account_id: str) -> AccountCharges:
        """Return an account's charges for its period that runs now. Raises NotFound, InvariantViolation."""
        with self._database.reading() as session:
            account = find_account(session, account_id)
            if account is None:
                raise NotFound(f"there is no account {account_id}", where="account")
            period = period_at(self._clock.now(), account.anchor_day, parse_zone(account.zone))
            return _charges_of(session, account, period)

    def _try_account(self, account: Account, month: Month) -> AccountCharges | UncountedAccount | None:
        try:
            return self._charges_in(account, month)
        except DatabaseUnavailable:
            raise
        except AppError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - one account's trouble, even a bug, must not hide the others
            _log.exception("the preview met a bug", account_id=account.id, month=str(month))
            reason = f"a bug: {type(error).__name__}"
        return UncountedAccount(account, reason)

    def _charges_in(self, account: Account, month: Month) -> AccountCharges | None:
        period = period_starting_in(month, account.anchor_day, parse_zone(account.zone))
        if self._clock.now() < period.start:
            return None
        with self._database.reading() as session:  # for each account its own: none is open for long
            charges = _charges_of(session, account, period)
        return charges if charges.lines or charges.totals else None


def _charges_of(session: Session, account: Account, period: Period) -> AccountCharges:
    usage = store.read_usage(session, account.id, period)
    return AccountCharges(
        account=account,
        period=period,
        lines=invoice_lines(usage, period),
        credit_lines=credit_lines(usage, period),
        totals=usage.totals,
    )
