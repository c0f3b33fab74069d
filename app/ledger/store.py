"""All SQL of credit grants, and of writing the journal. What changes a grant is called under the lock of its gate."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, Row, Select, bindparam, select, update
from sqlalchemy.orm import Session

from app.database import dialect_insert, dialect_of, insert_into
from app.errors import InvariantViolation
from app.ids import new_id
from app.ledger.credit_grant import CreditGrant, GrantKind
from app.ledger.drawdown import Draw, by_grant
from app.ledger.journal_entry import JournalEntry, LedgerAccount, Posting, SourceKind, usage_postings
from app.ledger.tables import CreditGrantRow, JournalEntryRow, PostingRow
from app.metering.usage_event import BUCKET

_GRANT_FIELDS = tuple(field.name for field in fields(CreditGrant))
_ENTRY_FIELDS = tuple(field.name for field in fields(JournalEntry) if field.name != "postings")
_SOURCE = ["account_id", "source_kind", "source_id"]
_GRANTS = CreditGrantRow.__table__
_ENTRY_OF_SOURCE = select(JournalEntryRow.id).where(
    JournalEntryRow.account_id == bindparam("account_id"),
    JournalEntryRow.source_kind == bindparam("source_kind"),
    JournalEntryRow.source_id == bindparam("source_id"),
)
_LIVE = (
    select(_GRANTS)
    .where(_GRANTS.c.account_id.in_(bindparam("ids", expanding=True)), _GRANTS.c.remaining_nanos > 0)
    .order_by(_GRANTS.c.id)
)
_DRAW = (
    update(CreditGrantRow)
    .where(_GRANTS.c.id == bindparam("grant"), _GRANTS.c.remaining_nanos >= bindparam("drawn"))
    .values(remaining_nanos=_GRANTS.c.remaining_nanos - bindparam("drawn"))
)


def insert_grant(session: Session, grant: CreditGrant, *, creation_id: str | None) -> bool:
    """Insert a grant; False where the account has one of that creation already."""
    values = {name: getattr(grant, name) for name in _GRANT_FIELDS} | {"creation_id": creation_id}
    statement = insert_into(session, CreditGrantRow).values(values)
    made = statement.on_conflict_do_nothing(index_elements=["account_id", "creation_id"]).returning(_GRANTS.c.id)
    return session.scalar(made) is not None


def find_grant(session: Session, account_id: str, grant_id: str) -> CreditGrant | None:
    """Return a grant of the account."""
    row = CreditGrantRow
    found = _grants_of(session, select(row).where(row.id == grant_id, row.account_id == account_id))
    return found[0] if found else None


def owner_of(session: Session, grant_id: str) -> str | None:
    """Return the account that a grant belongs to."""
    return session.scalar(select(CreditGrantRow.account_id).where(CreditGrantRow.id == grant_id))


def find_grant_of_creation(session: Session, account_id: str, creation_id: str) -> CreditGrant | None:
    """Return the grant that a creation has made."""
    row = CreditGrantRow
    found = _grants_of(session, select(row).where(row.account_id == account_id, row.creation_id == creation_id))
    return found[0] if found else None


def list_grants(session: Session, account_id: str, before: str | None, limit: int | None) -> list[CreditGrant]:
    """Return the newest grants first, used up ones included, those before the id `before`."""
    query = select(CreditGrantRow).where(CreditGrantRow.account_id == account_id)
    if before is not None:
        query = query.where(CreditGrantRow.id < before)
    return _grants_of(session, query.order_by(CreditGrantRow.id.desc()).limit(limit))


def live_grants(session: Session, account_ids: Collection[str]) -> dict[str, list[CreditGrant]]:
    """Return by account the grants of which something is left, expired ones included."""
    grants: dict[str, list[CreditGrant]] = {account_id: [] for account_id in account_ids}
    for row in session.connection().execute(_LIVE, {"ids": list(account_ids)}):  # rows: each call reads them
        grants[row.account_id].append(_grant_of(row))
    return grants


def accounts_with_expired_credit(session: Session, now: datetime) -> list[str]:
    """Return the accounts, in order, that have something left of a grant that has expired."""
    row = CreditGrantRow
    query = select(row.account_id).where(row.expires_at <= now, row.remaining_nanos > 0).distinct()
    return list(session.scalars(query.order_by(row.account_id)))


def apply_draws(session: Session, draws_by_grant: Mapping[str, int]) -> None:
    """Take the nanos from what is left of each grant. Raises InvariantViolation where a grant has less."""
    rows = [{"grant": grant_id, "drawn": nanos} for grant_id, nanos in sorted(draws_by_grant.items()) if nanos]
    if not rows:
        return
    changed = session.connection().execute(_DRAW, rows).rowcount
    if changed != len(rows):
        raise InvariantViolation(f"{len(rows) - changed} grants have less left than was to be drawn")


def take_back(session: Session, grant_id: str, *, refunded_nanos: int = 0, expired_nanos: int = 0) -> None:
    """Move nanos of what is left of a grant to what was refunded or has expired."""
    apply_draws(session, {grant_id: refunded_nanos + expired_nanos})
    row = CreditGrantRow
    gone = {
        "refunded_nanos": row.refunded_nanos + refunded_nanos,
        "expired_nanos": row.expired_nanos + expired_nanos,
    }
    session.execute(update(row).where(row.id == grant_id).values(gone))


def post(session: Session, entry: JournalEntry) -> bool:
    """Write an entry with its postings; False, and nothing changes, where its source stands in the books already."""
    if _insert_entry(session, {name: getattr(entry, name) for name in _ENTRY_FIELDS}) is None:
        return False
    _add_postings(session, entry.id, entry.postings)
    return True


def post_usage(
    session: Session, *, account_id: str, currency: str, bucket_start: datetime, draws: Iterable[Draw], now: datetime
) -> None:
    """Add draws to the one entry of what calls of a quarter of an hour took from the account's credit.

    The entry grows with each group of calls that is recorded. Its id lies where the quarter ends: in the order of ids,
    which the history of a balance is read in, it stands behind the credit that its calls may have drawn on.
    """
    drawn = {grant_id: nanos for grant_id, nanos in by_grant(draws).items() if nanos}
    if not drawn:
        return
    source = {"account_id": account_id, "source_kind": SourceKind.USAGE, "source_id": bucket_start.isoformat()}
    entry_id = _find_entry_id(session, source)
    if entry_id is None:
        first = {"id": new_id("entry", bucket_start + BUCKET), "occurred_at": bucket_start, "created_at": now}
        entry_id = _insert_entry(session, {**source, **first, "currency": currency})
    if entry_id is None:
        raise InvariantViolation(f"usage of {account_id} was posted without the lock of its gate")
    _add_postings(session, entry_id, usage_postings(drawn))


def find_entry(session: Session, account_id: str, kind: SourceKind, source_id: str) -> JournalEntry | None:
    """Return the entry of a source with its postings."""
    source = {"account_id": account_id, "source_kind": kind, "source_id": source_id}
    row = session.scalar(select(JournalEntryRow).filter_by(**source))
    if row is None:
        return None
    postings = session.scalars(select(PostingRow).where(PostingRow.entry_id == row.id))
    return JournalEntry(
        **{name: getattr(row, name) for name in _ENTRY_FIELDS},
        postings=tuple(
            Posting(LedgerAccount(each.ledger_account), each.amount_nanos, each.grant_id) for each in postings
        ),
    )


def _find_entry_id(session: Session, source: Mapping[str, str]) -> str | None:
    return session.scalar(_ENTRY_OF_SOURCE, source)


def _insert_entry(session: Session, values: Mapping[str, object]) -> str | None:
    """Insert an entry and return its id; None where its source has one already."""
    inserted: str | None = session.scalar(_insert_entry_statement(dialect_of(session)), values)
    return inserted


def _add_postings(session: Session, entry_id: str, postings: Sequence[Posting]) -> None:
    """Add to the postings of an entry, those of one place into one row."""
    rows = [
        {
            "entry_id": entry_id,
            "ledger_account": posting.ledger_account,
            "grant_id": posting.grant_id,
            "amount_nanos": posting.amount_nanos,
        }
        for posting in postings
    ]
    session.execute(_add_postings_statement(dialect_of(session)), rows)


# Statements of the hot path are built once a dialect: building one takes longer than executing it.


@cache
def _insert_entry_statement(dialect: str) -> Executable:
    statement = dialect_insert(dialect, JournalEntryRow).on_conflict_do_nothing(index_elements=_SOURCE)
    returned: Executable = statement.returning(JournalEntryRow.__table__.c.id)
    return returned


@cache
def _add_postings_statement(dialect: str) -> Executable:
    statement = dialect_insert(dialect, PostingRow)
    sums = {"amount_nanos": PostingRow.__table__.c.amount_nanos + statement.excluded.amount_nanos}
    added: Executable = statement.on_conflict_do_update(
        index_elements=["entry_id", "ledger_account", "grant_id"], set_=sums
    )
    return added


def _grants_of(session: Session, query: Select[CreditGrantRow]) -> list[CreditGrant]:
    """Return grants as the database has them now: what was drawn a moment ago did not pass the session's objects."""
    rows = session.scalars(query, execution_options={"populate_existing": True})
    return [_grant_of(row) for row in rows]


def _grant_of(row: CreditGrantRow | Row[Any]) -> CreditGrant:
    values = {name: getattr(row, name) for name in _GRANT_FIELDS}
    return CreditGrant(**values | {"kind": GrantKind(row.kind)})
