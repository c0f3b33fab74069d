"""What an account is charged for one period: the lines of its invoice, drafted, issued or still to be made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.accounts.account import Account
from app.billing.invoice import Invoice, InvoiceLine, InvoiceStatus
from app.metering.store import UsageTotal
from app.period import Period


@dataclass(frozen=True, slots=True)
class AccountCharges:
    """The lines of the account's invoice of a period as they stand now, and the usage that they are made of.

    A base fee is in it for the whole period from its first day on, as it is in the draft of the invoice. The usage of
    `credit_lines` was paid from credit when it was made: no invoice owes it again, and it was earned all the same.
    """

    account: Account
    period: Period
    lines: tuple[InvoiceLine, ...]
    credit_lines: tuple[InvoiceLine, ...]
    totals: Sequence[UsageTotal]

    @property
    def total_nanos(self) -> int:
        """What the invoice would come to now: the sum of its rounded lines."""
        return sum(line.amount_nanos for line in self.lines)

    @property
    def from_credit_nanos(self) -> int:
        """What was paid from credit, exactly: credit is drawn to the nano."""
        return sum(line.exact_nanos for line in self.credit_lines)

    @property
    def earning_lines(self) -> tuple[InvoiceLine, ...]:
        """Everything that was earned: what is owed, and what was paid from credit."""
        return self.lines + self.credit_lines

    def without_draft(self, invoices: Iterable[Invoice]) -> list[Invoice]:
        """Return the invoices but for the draft of this very period: it was computed a while ago, these are now's."""
        return [each for each in invoices if each.status is not InvoiceStatus.DRAFT or each.period != self.period]
