"""All SQL of credit grants, and of writing the journal. What changes a grant is called under the lock of its gate."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ClauseElement, Select, String, bindparam, literal_column, select, update
from sqlalchemy.orm import Session

from app.database import dialect_insert, insert_into
from app.group_sql import group_sql
from app.ids import new_id
from app.ledger.credit_grant import CreditGrant, GrantKind
from app.ledger.drawdown import Draw, by_grant
from app.ledger.journal_entry import JournalEntry, LedgerAccount, Posting, SourceKind, usage_postings
from app.ledger.tables import CreditGrantRow, JournalEntryRow, PostingRow
from app.metering.usage_event import BUCKET

_GRANT_FIELDS = tuple(field.name for field in fields(CreditGrant))
_ENTRY_FIELDS = tuple(field.name for field in fields(JournalEntry) if field.name != "postings")
_SOURCE = ["account_id", "source_kind", "source_id"]
_GRANTS, _ENTRIES, _POSTINGS = CreditGrantRow.__table__, JournalEntryRow.__table__, PostingRow.__table__
_LIVE = (
    select(_GRANTS)
    .where(_GRANTS.c.account_id.in_(bindparam("ids", expanding=True)), _GRANTS.c.remaining_nanos > 0)
    .order_by(_GRANTS.c.id)
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
    for row in session.connection().execute(_LIVE, {"ids": list(account_ids)}):
        grants[row.account_id].append(grant_of(row))
    return grants


def accounts_with_expired_credit(session: Session, now: datetime) -> list[str]:
    """Return the accounts, in order, that have something left of a grant that has expired."""
    row = CreditGrantRow
    query = select(row.account_id).where(row.expires_at <= now, row.remaining_nanos > 0).distinct()
    return list(session.scalars(query.order_by(row.account_id)))


def apply_draws(session: Session, draws_by_grant: Mapping[str, int]) -> None:
    """Take the nanos from what is left of each grant. Raises ConstraintViolated where a grant has less."""
    rows = [{"grant": grant_id, "drawn": nanos} for grant_id, nanos in sorted(draws_by_grant.items()) if nanos]
    if rows:
        _draw(session, rows)


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
    values = {name: getattr(entry, name) for name in _ENTRY_FIELDS}
    statement = insert_into(session, JournalEntryRow).on_conflict_do_nothing(index_elements=_SOURCE)
    if session.scalar(statement.returning(_ENTRIES.c.id), values) is None:
        return False
    _add_postings(session, entry.id, entry.postings)
    return True


@dataclass(frozen=True, slots=True)
class UsageDraws:
    """What calls of a quarter of an hour drew from an account's credit."""

    account_id: str
    currency: str
    bucket_start: datetime
    draws: tuple[Draw, ...]


def post_usage(session: Session, used: Iterable[UsageDraws], now: datetime) -> None:
    """Add draws to the one entry of what the calls of a quarter of an hour took from an account's credit.

    The entry grows with each group of calls that is recorded. Its id lies where the quarter ends: in the order of ids,
    which the history of a balance is read in, it stands behind the credit that its calls may have drawn on. Raises
    ConstraintViolated where an account has no such entry after all.
    """
    sums = [(each, {grant: nanos for grant, nanos in by_grant(each.draws).items() if nanos}) for each in used]
    drawn = sorted((each for each in sums if each[1]), key=lambda each: (each[0].account_id, each[0].bucket_start))
    if drawn:
        _insert_usage_entries(session, [_usage_entry(each, now) for each, _ in drawn])
        _add_usage_postings(session, [row for each, by_id in drawn for row in _posting_rows(each, by_id)])


def _usage_entry(used: UsageDraws, now: datetime) -> dict[str, object]:
    return {
        "id": new_id("entry", used.bucket_start + BUCKET),
        "account_id": used.account_id,
        "currency": used.currency,
        "source_kind": SourceKind.USAGE.value,
        "source_id": used.bucket_start.isoformat(),
        "occurred_at": used.bucket_start,
        "created_at": now,
    }


def _posting_rows(used: UsageDraws, drawn: Mapping[str, int]) -> list[dict[str, object]]:
    source = {"account": used.account_id, "source": used.bucket_start.isoformat()}
    return [source | _posting_values(posting) for posting in usage_postings(drawn)]


def _posting_values(posting: Posting) -> dict[str, object]:
    return {
        "ledger_account": posting.ledger_account.value,
        "grant_id": posting.grant_id,
        "amount_nanos": posting.amount_nanos,
    }


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


def _add_postings(session: Session, entry_id: str, postings: Sequence[Posting]) -> None:
    """Write the postings of an entry, those of one place into one row."""
    statement = _adding(insert_into(session, PostingRow))
    session.execute(statement, [{"entry_id": entry_id} | _posting_values(posting) for posting in postings])


def _adding(insert: Any) -> Any:
    sums = {"amount_nanos": _POSTINGS.c.amount_nanos + insert.excluded.amount_nanos}
    return insert.on_conflict_do_update(index_elements=["entry_id", "ledger_account", "grant_id"], set_=sums)


@group_sql
def _draw(dialect: str) -> ClauseElement:  # noqa: ARG001 - the same in both
    left = _GRANTS.c.remaining_nanos - bindparam("drawn", type_=BigInteger)
    grant = bindparam("grant", type_=String)
    return update(CreditGrantRow).where(_GRANTS.c.id == grant).values(remaining_nanos=left)


@group_sql
def _insert_usage_entries(dialect: str) -> ClauseElement:
    statement: ClauseElement = dialect_insert(dialect, JournalEntryRow).on_conflict_do_nothing(index_elements=_SOURCE)
    return statement


@group_sql
def _add_usage_postings(dialect: str) -> ClauseElement:
    entry = select(_ENTRIES.c.id).where(
        _ENTRIES.c.account_id == bindparam("account", type_=String),
        _ENTRIES.c.source_kind == literal_column(f"'{SourceKind.USAGE.value}'"),
        _ENTRIES.c.source_id == bindparam("source", type_=String),
    )
    given = {
        name: bindparam(name, type_=_POSTINGS.c[name].type) for name in ("ledger_account", "grant_id", "amount_nanos")
    }
    added: ClauseElement = _adding(
        dialect_insert(dialect, PostingRow).values(entry_id=entry.scalar_subquery(), **given)
    )
    return added


def _grants_of(session: Session, query: Select[CreditGrantRow]) -> list[CreditGrant]:
    """Return grants as the database has them now: what was drawn a moment ago did not pass the session's objects."""
    rows = session.scalars(query, execution_options={"populate_existing": True})
    return [grant_of(row) for row in rows]


def grant_of(row: Any) -> CreditGrant:
    """Return the noun of a row, or of what has its columns."""
    values = {name: getattr(row, name) for name in _GRANT_FIELDS}
    return CreditGrant(**values | {"kind": GrantKind(row.kind)})
