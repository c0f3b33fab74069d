"""What invoices would say now: computed as the invoice run computes them, and nothing is written."""

from app.accounts.account import Account
from app.accounts.store import find_account, list_accounts
from app.billing import store
from app.billing.account_charges import AccountCharges
from app.billing.assemble import invoice_lines
from app.clock import Clock
from app.database import Database, Session
from app.errors import NotFound
from app.period import Month, Period, parse_zone, period_at, period_starting_in


class InvoicePreview:
    """The charges of periods that have begun, whether their invoices were issued or not."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of_month(self, month: Month) -> list[AccountCharges]:
        """Return each account's charges for its period that starts in a month; what owes nothing is left out.

        Raises InvariantViolation for usage that no plan version prices.
        """
        with self._database.reading() as session:
            accounts = list_accounts(session)
        return [charges for account in accounts if (charges := self._charges_in(account, month))]

    def so_far(self, account_id: str) -> AccountCharges:
        """Return an account's charges for its period that runs now. Raises NotFound, InvariantViolation."""
        with self._database.reading() as session:
            account = find_account(session, account_id)
            if account is None:
                raise NotFound(f"there is no account {account_id}", where="account")
            period = period_at(self._clock.now(), account.anchor_day, parse_zone(account.zone))
            return _charges_of(session, account, period)

    def _charges_in(self, account: Account, month: Month) -> AccountCharges | None:
        period = period_starting_in(month, account.anchor_day, parse_zone(account.zone))
        if self._clock.now() < period.start:
            return None
        with self._database.reading() as session:  # for each account its own: none is open for long
            charges = _charges_of(session, account, period)
        return charges if charges.lines or charges.totals else None


def _charges_of(session: Session, account: Account, period: Period) -> AccountCharges:
    usage = store.read_usage(session, account.id, period)
    return AccountCharges(account, period, invoice_lines(usage, period), usage.totals)
