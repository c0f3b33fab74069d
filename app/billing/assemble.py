"""From quantities and plan versions to an invoice: pure, so that any period can be computed again.

Every plan version is rated on its own: its usage of each model starts at the first tier. Base fees are shared by exact
duration, each share the difference of two cumulative ones, so that the shares of one fee sum to it to the nano.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.accounts.account import Account
from app.billing.invoice import QUANTITY_MAX, Invoice, InvoiceLine, InvoiceTooLarge, LineKind
from app.billing.period_usage import PeriodUsage
from app.errors import InvariantViolation
from app.ids import microseconds
from app.metering.store import UsageTotal
from app.money import AMOUNT_NANOS_MAX, round_to_minor, share_nanos
from app.period import Period
from app.pricing.plan import Billing, PlanSegment, PlanVersion, Price
from app.rating.rate import rate_parts


def assemble(
    usage: PeriodUsage, *, invoice_id: str, account: Account, period: Period, computed_at: datetime
) -> Invoice | None:
    """Return the draft of a period's invoice, or None where there was neither a base fee nor usage that is owed.

    Raises InvoiceTooLarge, and InvariantViolation for usage that no plan version prices.
    """
    lines = invoice_lines(usage, period)
    if not lines:
        return None
    subtotal_nanos = sum(line.amount_nanos for line in lines)
    if subtotal_nanos > AMOUNT_NANOS_MAX or any(line.quantity > QUANTITY_MAX for line in lines):
        raise InvoiceTooLarge(f"the usage of {account.id} is more than one invoice can carry", where=account.id)
    return Invoice(
        id=invoice_id,
        account_id=account.id,
        currency=account.currency,
        period=period,
        lines=lines,
        subtotal_nanos=subtotal_nanos,
        tax_nanos=0,
        total_nanos=subtotal_nanos,
        computed_at=computed_at,
    )


def invoice_lines(usage: PeriodUsage, period: Period) -> tuple[InvoiceLine, ...]:
    """Return the lines of a period's invoice: fees, and usage that is owed.

    Raises InvariantViolation for usage that no plan version prices.
    """
    return (*_base_fee_lines(usage.segments, period), *_usage_lines(usage, period, Billing.POSTPAID))


def credit_lines(usage: PeriodUsage, period: Period) -> tuple[InvoiceLine, ...]:
    """Return lines of the usage under prepaid plan versions: it was paid from credit, to the nano, and is owed no more.

    No invoice has them, so what is true of them is their `exact_nanos`. Raises what `invoice_lines` raises.
    """
    return tuple(_usage_lines(usage, period, Billing.PREPAID))


def _base_fee_lines(segments: Sequence[PlanSegment], period: Period) -> Iterator[InvoiceLine]:
    for segment in segments:
        version = segment.plan_version
        if version.base_fee_nanos:
            until_end, until_start = (
                _fee_until(instant, version.base_fee_nanos, period)
                for instant in (segment.period.end, segment.period.start)
            )
            exact_nanos = until_end - until_start
            yield InvoiceLine(
                kind=LineKind.BASE_FEE,
                period=segment.period,
                plan_version_id=version.id,
                plan_key=version.plan_key,
                plan_version=version.version,
                model=None,
                meter=None,
                quantity=1,
                parts=(),
                exact_nanos=exact_nanos,
                amount_nanos=round_to_minor(exact_nanos, version.currency),
            )


def _fee_until(instant: datetime, base_fee_nanos: int, period: Period) -> int:
    """Return the fee from the period's start to the instant: fee x time passed / length, rounded once to a nano."""
    start, now, end = (microseconds(moment) for moment in (period.start, instant, period.end))
    return share_nanos(base_fee_nanos, now - start, end - start)


def _usage_lines(usage: PeriodUsage, period: Period, billing: Billing) -> Iterator[InvoiceLine]:
    unknown = {total.plan_version_id for total in usage.totals} - usage.versions.keys()
    if unknown:
        raise InvariantViolation(f"usage is pinned to plan versions that do not exist: {', '.join(sorted(unknown))}")
    in_effect = {version_id: _in_effect(version_id, usage.segments, period) for version_id in usage.versions}
    for total in sorted(usage.totals, key=lambda total: (in_effect[total.plan_version_id], total.model)):
        version = usage.versions[total.plan_version_id]
        prices = version.prices_for(total.model)
        if not prices:
            raise InvariantViolation(
                f"plan {version.plan_key}, version {version.version}, has no price of {total.model}"
            )
        for price in prices if version.billing is billing else ():
            if total.quantities.of(price.meter):
                yield _usage_line(total, price, version, in_effect[version.id])


def _in_effect(version_id: str, segments: Sequence[PlanSegment], period: Period) -> Period:
    """Return the time from the version's first segment to its last; the whole period where it has none in it.

    A call that was admitted in the second before a change became known everywhere may carry the version before.
    """
    own = [segment.period for segment in segments if segment.plan_version.id == version_id]
    return Period(own[0].start, own[-1].end) if own else period


def _usage_line(total: UsageTotal, price: Price, version: PlanVersion, in_effect: Period) -> InvoiceLine:
    quantity = total.quantities.of(price.meter)
    parts = rate_parts(price.scheme, quantity)
    exact_nanos = sum(part.amount_nanos for part in parts)
    return InvoiceLine(
        kind=LineKind.USAGE,
        period=in_effect,
        plan_version_id=version.id,
        plan_key=version.plan_key,
        plan_version=version.version,
        model=total.model,
        meter=price.meter,
        quantity=quantity,
        parts=parts,
        exact_nanos=exact_nanos,
        amount_nanos=round_to_minor(exact_nanos, version.currency),
    )
