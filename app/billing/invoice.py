"""Invoices: what an account owes for a period, each line with the calculation that explains it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.errors import AppError, InvariantViolation
from app.metering.meter import Meter
from app.money import AMOUNT_NANOS_MAX, format_nanos, round_to_minor
from app.period import Period
from app.rating.rated_part import RatedPart

QUANTITY_MAX = 2**63 - 1


class InvoiceTooLarge(AppError):
    """The usage is beyond what one invoice can carry: 1e9 currency units, or 63 bits of quantity."""

    code = "invoice_too_large"


class InvoiceStatus(StrEnum):
    """A draft is computed anew by each run; an issued invoice has a number and is never changed."""

    DRAFT = "draft"
    ISSUED = "issued"


class InvoiceKind(StrEnum):
    """`usage` is the one regular invoice of a period."""

    USAGE = "usage"


class LineKind(StrEnum):
    """What a line charges for."""

    BASE_FEE = "base_fee"
    USAGE = "usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One charge under one plan version, with what is needed to compute it again by hand.

    `period` is when the plan version was in effect. A usage line has `quantity` of `meter`, and `parts` that split it
    by unit price; a base fee has neither model nor parts, its quantity is 1 and `exact_nanos` its share of the period.
    `amount_nanos` is `exact_nanos` rounded once, half-even, to the currency's minor unit.
    """

    kind: LineKind
    period: Period
    plan_version_id: str
    plan_key: str
    plan_version: int
    model: str | None
    meter: Meter | None
    quantity: int
    parts: tuple[RatedPart, ...]
    exact_nanos: int
    amount_nanos: int

    def __post_init__(self) -> None:
        is_usage = self.kind is LineKind.USAGE
        if is_usage != (self.model is not None) or is_usage != (self.meter is not None):
            raise InvariantViolation("a usage line, and no other, names a model and a meter")
        if is_usage and self.quantity != sum(part.quantity for part in self.parts):
            raise InvariantViolation(f"the parts of a line are not its quantity {self.quantity}")
        if is_usage and self.exact_nanos != sum(part.amount_nanos for part in self.parts):
            raise InvariantViolation(f"the parts of a line are not its amount {self.exact_nanos}")

    @property
    def description(self) -> str:
        """What the line charges for, in words: `linear, 1,500 units: 1,000 at 0, 500 at 0.002`."""
        if self.kind is LineKind.BASE_FEE:
            return f"Base fee of plan {self.plan_key}, version {self.plan_version}"
        steps = ", ".join(f"{part.quantity:,} at {format_nanos(part.unit_price_nanos)}" for part in self.parts)
        return f"{self.model}, {self.quantity:,} {self.meter}: {steps}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What an account owes for a period. `computed_at` is when its lines were, `issued_at` when it became final.

    The unique key is (account, period start, kind, sequence). Raises InvariantViolation where its sums do not agree.
    """

    id: str
    account_id: str
    kind: InvoiceKind = InvoiceKind.USAGE
    sequence: int = 0
    number: str | None = None
    status: InvoiceStatus = InvoiceStatus.DRAFT
    currency: str
    period: Period
    lines: tuple[InvoiceLine, ...]
    subtotal_nanos: int
    tax_nanos: int
    total_nanos: int
    computed_at: datetime
    issued_at: datetime | None = None

    def __post_init__(self) -> None:
        for line in self.lines:
            if line.amount_nanos != round_to_minor(line.exact_nanos, self.currency):
                raise InvariantViolation(f"{self.id}: {line.amount_nanos} is not {line.exact_nanos} rounded once")
        if self.subtotal_nanos != sum(line.amount_nanos for line in self.lines):
            raise InvariantViolation(f"{self.id}: the lines do not sum to the subtotal")
        if self.total_nanos != self.subtotal_nanos + self.tax_nanos:
            raise InvariantViolation(f"{self.id}: subtotal and tax do not sum to the total")
        if not 0 <= self.total_nanos <= AMOUNT_NANOS_MAX:
            raise InvariantViolation(f"{self.id}: the total is not between 0 and 1e9 {self.currency}")
        self._check_status()

    def issue(self, number: str, issued_at: datetime) -> "Invoice":
        """Return the draft as the final invoice of that number."""
        if self.status is not InvoiceStatus.DRAFT:
            raise InvariantViolation(f"{self.id} is issued already, as {self.number}")
        return replace(self, number=number, status=InvoiceStatus.ISSUED, issued_at=issued_at)

    def _check_status(self) -> None:
        if self.status is InvoiceStatus.DRAFT:
            if self.number is not None or self.issued_at is not None:
                raise InvariantViolation(f"{self.id}: a draft has neither number nor date of issue")
        elif self.number is None or self.issued_at is None or self.issued_at < self.period.end:
            raise InvariantViolation(f"{self.id}: an issued invoice has a number and was issued after its period")
