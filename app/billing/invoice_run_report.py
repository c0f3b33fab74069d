"""What an invoice run did, account by account."""

from dataclasses import dataclass
from enum import StrEnum

from app.billing.invoice import Invoice
from app.period import Month


class RunResult(StrEnum):
    """What became of one account in a run."""

    ISSUED = "issued"
    ALREADY_ISSUED = "already_issued"
    DRAFT = "draft"
    NOTHING_OWED = "nothing_owed"
    NOT_BEGUN = "not_begun"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AccountOutcome:
    """What a run did for one account: an invoice, or the reason why there is none."""

    account_id: str
    result: RunResult
    invoice: Invoice | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class InvoiceRunReport:
    """The outcomes of a run, in the order of the accounts' creation."""

    month: Month
    outcomes: tuple[AccountOutcome, ...]

    def of(self, result: RunResult) -> tuple[AccountOutcome, ...]:
        """Return the outcomes with that result."""
        return tuple(outcome for outcome in self.outcomes if outcome.result is result)

    @property
    def failed(self) -> tuple[AccountOutcome, ...]:
        """The accounts that a repeated run has to try again."""
        return self.of(RunResult.FAILED)

    def most_urgent(self, limit: int) -> tuple[AccountOutcome, ...]:
        """Return so many outcomes: what failed first, then what has an invoice, then the rest."""
        urgency = sorted(self.outcomes, key=lambda each: (each.result is not RunResult.FAILED, each.invoice is None))
        return tuple(urgency[:limit])

    def totals_nanos(self) -> dict[tuple[str, RunResult], int]:
        """Return the sums of the invoices by currency and result."""
        totals: dict[tuple[str, RunResult], int] = {}
        for outcome in self.outcomes:
            if outcome.invoice is not None:
                key = outcome.invoice.currency, outcome.result
                totals[key] = totals.get(key, 0) + outcome.invoice.total_nanos
        return totals
