"""All SQL of invoices, their lines and their numbers, and the reading of what they are made of."""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from app.billing.invoice import Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, LineKind
from app.billing.period_usage import PeriodUsage
from app.billing.tables import InvoiceLineRow, InvoiceNumberRow, InvoiceRow
from app.database import insert_into
from app.metering.meter import Meter
from app.metering.store import quantities
from app.period import Period
from app.pricing.store import find_versions, plan_segments
from app.rating.rated_part import RatedPart


def read_usage(session: Session, account_id: str, period: Period) -> PeriodUsage:
    """Read what an invoice of the period is made of."""
    totals = quantities(session, account_id, period)
    return PeriodUsage(
        segments=plan_segments(session, account_id, period),
        totals=totals,
        versions=find_versions(session, (total.plan_version_id for total in totals)),
    )


def find_usage_invoice(session: Session, account_id: str, period: Period) -> Invoice | None:
    """Return the one usage invoice of a period, draft or issued."""
    rows = session.scalars(
        select(InvoiceRow).where(
            InvoiceRow.account_id == account_id,
            InvoiceRow.period_start == period.start,
            InvoiceRow.kind == InvoiceKind.USAGE.value,
            InvoiceRow.sequence == 0,
        )
    )
    return next(iter(_invoices_of(session, rows.all())), None)


def find_invoice(session: Session, id_or_number: str) -> Invoice | None:
    rows = session.scalars(
        select(InvoiceRow).where(or_(InvoiceRow.id == id_or_number, InvoiceRow.number == id_or_number))
    )
    return next(iter(_invoices_of(session, rows.all())), None)


def list_invoices(session: Session, account_id: str, *, after: Invoice | None, limit: int) -> list[Invoice]:
    """Return an account's invoices, the latest period first, those behind `after`."""
    invoices = select(InvoiceRow).where(InvoiceRow.account_id == account_id)
    if after is not None:
        start = after.period.start
        same_start = and_(InvoiceRow.period_start == start, InvoiceRow.id < after.id)
        invoices = invoices.where(or_(InvoiceRow.period_start < start, same_start))
    latest_first = invoices.order_by(InvoiceRow.period_start.desc(), InvoiceRow.id.desc()).limit(limit)
    return _invoices_of(session, session.scalars(latest_first).all())


def draw_number(session: Session) -> str:
    """Draw the next number, such as `INV-000042`.

    The counter's row stays locked until the transaction ends, and an undone transaction undoes the draw: so numbers
    have no gap, and two runs never draw the same.
    """
    first = insert_into(session, InvoiceNumberRow).values(series="INV", last_number=1)
    draw = first.on_conflict_do_update(
        index_elements=["series"], set_={"last_number": InvoiceNumberRow.last_number + 1}
    ).returning(InvoiceNumberRow.series, InvoiceNumberRow.last_number)
    series, number = session.execute(draw).one()
    return f"{series}-{number:06d}"


def save_invoice(session: Session, invoice: Invoice) -> None:
    """Write an invoice in place of its draft. The schema refuses one where an issued invoice stands already."""
    delete_draft(session, invoice.id)
    session.add(_row_of(invoice))
    session.flush()
    session.add_all(_line_row_of(invoice.id, position, line) for position, line in enumerate(invoice.lines))
    session.flush()


def delete_draft(session: Session, invoice_id: str) -> None:
    """Delete a draft with its lines; an issued invoice stays."""
    draft = select(InvoiceRow.id).where(InvoiceRow.id == invoice_id, InvoiceRow.status == InvoiceStatus.DRAFT.value)
    session.execute(delete(InvoiceLineRow).where(InvoiceLineRow.invoice_id.in_(draft)))
    session.execute(delete(InvoiceRow).where(InvoiceRow.id.in_(draft)))


def _row_of(invoice: Invoice) -> InvoiceRow:
    return InvoiceRow(
        id=invoice.id,
        account_id=invoice.account_id,
        kind=invoice.kind.value,
        sequence=invoice.sequence,
        number=invoice.number,
        status=invoice.status.value,
        currency=invoice.currency,
        period_start=invoice.period.start,
        period_end=invoice.period.end,
        subtotal_nanos=invoice.subtotal_nanos,
        tax_nanos=invoice.tax_nanos,
        total_nanos=invoice.total_nanos,
        computed_at=invoice.computed_at,
        issued_at=invoice.issued_at,
    )


def _line_row_of(invoice_id: str, position: int, line: InvoiceLine) -> InvoiceLineRow:
    return InvoiceLineRow(
        invoice_id=invoice_id,
        position=position,
        kind=line.kind.value,
        period_start=line.period.start,
        period_end=line.period.end,
        plan_version_id=line.plan_version_id,
        plan_key=line.plan_key,
        plan_version=line.plan_version,
        model=line.model,
        meter=line.meter.value if line.meter else None,
        quantity=line.quantity,
        parts=json.dumps([[part.quantity, part.unit_price_nanos] for part in line.parts]),
        exact_nanos=line.exact_nanos,
        amount_nanos=line.amount_nanos,
    )


def _invoices_of(session: Session, rows: Sequence[InvoiceRow]) -> list[Invoice]:
    """Return the invoices of the rows, in their order, with all lines read at once."""
    lines = select(InvoiceLineRow).where(InvoiceLineRow.invoice_id.in_([row.id for row in rows]))
    by_invoice: dict[str, list[InvoiceLineRow]] = {row.id: [] for row in rows}
    for line in session.scalars(lines.order_by(InvoiceLineRow.invoice_id, InvoiceLineRow.position)):
        by_invoice[line.invoice_id].append(line)
    return [_invoice_of(row, by_invoice[row.id]) for row in rows]


def _invoice_of(row: InvoiceRow, lines: Iterable[InvoiceLineRow]) -> Invoice:
    return Invoice(
        id=row.id,
        account_id=row.account_id,
        kind=InvoiceKind(row.kind),
        sequence=row.sequence,
        number=row.number,
        status=InvoiceStatus(row.status),
        currency=row.currency,
        period=Period(row.period_start, row.period_end),
        lines=tuple(_line_of(line) for line in lines),
        subtotal_nanos=row.subtotal_nanos,
        tax_nanos=row.tax_nanos,
        total_nanos=row.total_nanos,
        computed_at=row.computed_at,
        issued_at=row.issued_at,
    )


def _line_of(row: InvoiceLineRow) -> InvoiceLine:
    return InvoiceLine(
        kind=LineKind(row.kind),
        period=Period(row.period_start, row.period_end),
        plan_version_id=row.plan_version_id,
        plan_key=row.plan_key,
        plan_version=row.plan_version,
        model=row.model,
        meter=Meter(row.meter) if row.meter else None,
        quantity=row.quantity,
        parts=tuple(RatedPart(quantity, unit_price_nanos) for quantity, unit_price_nanos in json.loads(row.parts)),
        exact_nanos=row.exact_nanos,
        amount_nanos=row.amount_nanos,
    )
