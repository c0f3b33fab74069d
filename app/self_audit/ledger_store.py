"""The queries of the ledger's checks. Sums are exact beyond 64 bits: units and nanos are added up apart."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.ledger.journal_entry import LedgerAccount, SourceKind
from app.ledger.tables import CreditGrantRow, JournalEntryRow, PostingRow
from app.metering.tables import UsageRollupRow
from app.money import NANOS_PER_UNIT
from app.period import Period

_PAGE_ROWS = 5_000
_STREAM = {"stream_results": True, "yield_per": _PAGE_ROWS}
_AMOUNT = PostingRow.amount_nanos
# Both databases cut a quotient towards zero, and give the remainder the sign of the amount.
_UNITS = func.coalesce(func.sum(_AMOUNT.op("/")(NANOS_PER_UNIT)), 0).label("sum_units")
_NANOS = func.coalesce(func.sum(_AMOUNT % NANOS_PER_UNIT), 0).label("sum_nanos")


class GrantSums(NamedTuple):
    """A grant as its row tells it, and as its postings to the customer's credit do; all in nanos."""

    id: str
    row: dict[str, int]
    postings: dict[str, int]


def entry_sums(session: Session) -> Iterator[tuple[str, int, int]]:
    """Yield each journal entry's id, the number of its postings and their sum in nanos."""
    entry = JournalEntryRow
    query = select(entry.id, func.count(PostingRow.entry_id).label("postings"), _UNITS, _NANOS)
    joined = query.outerjoin(PostingRow, PostingRow.entry_id == entry.id).group_by(entry.id)
    for row in session.execute(joined, execution_options=_STREAM):
        yield row.id, row.postings, _sum_of(row)


def grant_sums(session: Session) -> Iterator[GrantSums]:
    """Yield what is told of each grant twice."""
    after = ""
    query = select(CreditGrantRow).order_by(CreditGrantRow.id).limit(_PAGE_ROWS)
    while page := session.scalars(query.where(CreditGrantRow.id > after)).all():
        moved = _moved_by_source(session, page[0].id, page[-1].id)
        yield from (_grant_sums(row, moved) for row in page)
        after = page[-1].id


def accounts_with_prepaid_usage(session: Session, version_ids: list[str]) -> dict[str, tuple[datetime, datetime]]:
    """Return by account when prepaid usage began and ended: what was used under those versions, or was posted."""
    rollup, entry = UsageRollupRow, JournalEntryRow
    used = select(rollup.account_id, func.min(rollup.bucket_start), func.max(rollup.bucket_start))
    posted = select(entry.account_id, func.min(entry.occurred_at), func.max(entry.occurred_at))
    queries = (
        used.where(rollup.plan_version_id.in_(version_ids)).group_by(rollup.account_id),
        posted.where(entry.source_kind == SourceKind.USAGE.value).group_by(entry.account_id),
    )
    found: dict[str, tuple[datetime, datetime]] = {}
    for account_id, first, last in (row for query in queries for row in session.execute(query)):
        known = found.get(account_id, (first, last))
        found[account_id] = min(first, known[0]), max(last, known[1])
    return found


def revenue_nanos(session: Session, account_id: str, period: Period) -> int:
    """Return what an account's calls of a period took from its credit, as the books say."""
    entry = JournalEntryRow
    query = select(_UNITS, _NANOS).join(entry, entry.id == PostingRow.entry_id)
    mine = query.where(entry.account_id == account_id, entry.source_kind == SourceKind.USAGE.value)
    within = mine.where(entry.occurred_at >= period.start, entry.occurred_at < period.end)
    revenue = within.where(PostingRow.ledger_account == LedgerAccount.USAGE_REVENUE.value)
    return -_sum_of(session.execute(revenue).one())


def _moved_by_source(session: Session, first: str, last: str) -> dict[tuple[str, str], int]:
    """Return what was posted to the credit of grants, by grant and kind of source."""
    entry, posting = JournalEntryRow, PostingRow
    query = select(posting.grant_id, entry.source_kind, _UNITS, _NANOS).join(entry, entry.id == posting.entry_id)
    of_credit = query.where(posting.ledger_account == LedgerAccount.CUSTOMER_CREDIT.value)
    page = of_credit.where(posting.grant_id >= first, posting.grant_id <= last)
    rows = session.execute(page.group_by(posting.grant_id, entry.source_kind))
    return {(row.grant_id, row.source_kind): _sum_of(row) for row in rows}


def _grant_sums(row: CreditGrantRow, moved: dict[tuple[str, str], int]) -> GrantSums:
    posted = {kind: moved.get((row.id, kind.value), 0) for kind in SourceKind}
    return GrantSums(
        row.id,
        {
            "amount": row.amount_nanos,
            "refunded": row.refunded_nanos,
            "expired": row.expired_nanos,
            "remaining": row.remaining_nanos,
        },
        {
            "amount": -posted[SourceKind.GRANT],
            "refunded": posted[SourceKind.REFUND],
            "expired": posted[SourceKind.EXPIRY],
            "remaining": -sum(posted.values()),
        },
    )


def _sum_of(row: Any) -> int:
    return int(row.sum_units) * NANOS_PER_UNIT + int(row.sum_nanos)
