"""All SQL of accounts, keys and the change sequence."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    String,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app.accounts.account import Account, ApiKey, KeyPurpose, Scope
from app.accounts.tables import AccountRow, ApiKeyRow, ChangeSequenceRow
from app.database import dialect_of, insert_into
from app.errors import NotFound
from app.group_sql import among, ask_together, group_sql, listed, packed, unpacked

_TABLE = AccountRow.__table__
_ONE_ROW = 1
_IDS_OF_A_STATEMENT_MAX = 1_000  # both databases bound the parameters of a statement


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """What booking a call depends on: no usage before `closed_through`, and whether a gate counts it."""

    closed_through: datetime | None
    gated: bool


def insert_account(session: Session, account: Account, *, creation_id: str | None = None) -> None:
    session.add(
        AccountRow(
            id=account.id,
            name=account.name,
            currency=account.currency,
            zone=account.zone,
            anchor_day=account.anchor_day,
            created_at=account.created_at,
            creation_id=creation_id,
        )
    )
    session.flush()


def find_account_of_creation(session: Session, creation_id: str) -> Account | None:
    """Return the account that a request has opened."""
    row = session.scalar(select(AccountRow).where(AccountRow.creation_id == creation_id))
    return account_of(row) if row else None


def find_account(session: Session, account_id: str) -> Account | None:
    row = session.get(AccountRow, account_id)
    return account_of(row) if row else None


def list_accounts(session: Session, after: str = "", limit: int | None = None) -> list[Account]:
    """Return accounts in order of creation, those behind the id `after`."""
    rows = session.scalars(select(AccountRow).where(AccountRow.id > after).order_by(AccountRow.id).limit(limit))
    return [account_of(row) for row in rows]


def find_accounts(session: Session, account_ids: Collection[str]) -> dict[str, Account]:
    """Return those of the ids that are accounts."""
    return {
        row.id: account_of(row) for row in session.scalars(select(AccountRow).where(AccountRow.id.in_(account_ids)))
    }


def lock_account(session: Session, account_id: str) -> Account:
    """Lock the account's row against the recorder and other invoice runs. Raises NotFound."""
    _wait_for_turn(session, [account_id])
    row = session.scalar(select(AccountRow).where(AccountRow.id == account_id).with_for_update())
    if row is None:
        raise NotFound(f"there is no account {account_id}", where="account")
    return account_of(row)


def set_account_name(session: Session, account_id: str, name: str) -> None:
    session.execute(update(AccountRow).where(AccountRow.id == account_id).values(name=name))


def booking_facts(session: Session, account_ids: Collection[str]) -> dict[str, BookingFacts]:
    """Return the accounts' facts under a shared lock: neither an invoice run nor a new budget comes in between."""
    (locked,) = ask_together(session, (_locked_for_booking, {"accounts": listed(session, sorted(account_ids))}))
    accounts = [account_of(unpacked(AccountRow, text)) for (text,) in locked]
    return {each.id: BookingFacts(each.closed_through, each.gated) for each in accounts}


def _wait_for_turn(session: Session, account_ids: Sequence[str]) -> None:
    """Stand in line for the accounts' locks (PostgreSQL).

    A row lets those who share its lock pass whoever waits for all of it: recorders without a gap between them would
    keep an operator out for ever. Advisory locks are given out in turn.
    """
    if dialect_of(session) == "postgresql":
        _take_turn(session, {"accounts": listed(session, account_ids)})


@group_sql
def _take_turn(dialect: str) -> ClauseElement:  # noqa: ARG001 - PostgreSQL's alone
    return select(func.pg_advisory_xact_lock(_turn_of(_asked.c.id))).select_from(_asked)


@group_sql
def _locked_for_booking(dialect: str) -> ClauseElement:
    accounts = select(packed(dialect, AccountRow)).where(among(dialect, _TABLE.c.id, "accounts"))
    if dialect == "postgresql":  # the turn is taken before any row is locked: the condition is asked of each row
        taken = select(func.pg_advisory_xact_lock_shared(_turn_of(_asked.c.id)).label("taken")).select_from(_asked)
        accounts = accounts.where(select(func.count()).select_from(taken.cte("turn")).scalar_subquery() > _ZERO)
    return accounts.order_by(_TABLE.c.id).with_for_update(read=True, of=_TABLE)


# The accounts of a statement's parameter, as rows (PostgreSQL).
_asked = func.unnest(bindparam("accounts", type_=ARRAY(String))).table_valued("id").render_derived(name="asked")


_ZERO: ColumnElement[int] = literal_column("0")


def _turn_of(account_id: ColumnElement[str]) -> ColumnElement[int]:
    return func.hashtextextended(account_id, _ZERO)


def set_gated(session: Session, account_id: str, *, gated: bool) -> None:
    """Let the account's calls pass a gate from now on, or no longer; the caller holds the account's lock."""
    session.execute(update(AccountRow).where(AccountRow.id == account_id).values(gated=gated))


def lock_accounts(session: Session, account_ids: Iterable[str]) -> None:
    """Lock the accounts' rows, in the order of their ids, as `lock_account` locks one."""
    wanted = sorted(account_ids)
    _wait_for_turn(session, wanted)
    for some in _parts_of(wanted):
        query = select(AccountRow.id).where(AccountRow.id.in_(some)).order_by(AccountRow.id)
        session.execute(query.with_for_update()).all()


def gate_accounts(session: Session, account_ids: Iterable[str]) -> None:
    """Let the calls of the accounts, whose locks the caller holds, pass a gate from now on."""
    for some in _parts_of(sorted(account_ids)):
        session.execute(update(AccountRow).where(AccountRow.id.in_(some), not_(AccountRow.gated)).values(gated=True))


def gated_among(session: Session, account_ids: Collection[str]) -> list[str]:
    """Return those of the accounts whose calls have to pass a gate, in the order of their ids."""
    if not account_ids:
        return []
    query = select(AccountRow.id).where(AccountRow.id.in_(account_ids), AccountRow.gated).order_by(AccountRow.id)
    return list(session.scalars(query))


def close_through(session: Session, account_id: str, instant: datetime) -> None:
    """Close the account's books up to the instant; never moves back."""
    session.execute(
        update(AccountRow)
        .where(AccountRow.id == account_id)
        .where(or_(AccountRow.closed_through.is_(None), AccountRow.closed_through < instant))
        .values(closed_through=instant)
    )


def insert_key(session: Session, key: ApiKey, *, digest: bytes, creation_id: str | None = None) -> None:
    session.add(
        ApiKeyRow(
            id=key.id,
            account_id=key.account_id,
            user_id=key.user_id,
            name=key.name,
            digest=digest,
            hint=key.hint,
            live=key.live,
            scopes=" ".join(sorted(key.scopes)),
            models=" ".join(sorted(key.models)),
            created_at=key.created_at,
            expires_at=key.expires_at,
            purpose=key.purpose,
            creation_id=creation_id,
            first_key_id=key.first_key_id,
        )
    )
    session.flush()


def key_of_creation(session: Session, account_id: str, creation_id: str) -> str | None:
    """Return the id of the account's key of that creation, working or not."""
    query = select(ApiKeyRow.id).where(ApiKeyRow.account_id == account_id, ApiKeyRow.creation_id == creation_id)
    return session.scalar(query)


def find_key(session: Session, account_id: str, key_id: str) -> ApiKey | None:
    row = session.scalar(select(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.account_id == account_id))
    return key_of(row) if row else None


def list_keys(session: Session, account_id: str, after: str = "", limit: int | None = None) -> list[ApiKey]:
    rows = session.scalars(
        select(ApiKeyRow)
        .where(ApiKeyRow.account_id == account_id, ApiKeyRow.id > after)
        .order_by(ApiKeyRow.id)
        .limit(limit)
    )
    return [key_of(row) for row in rows]


def newest_keys(session: Session, account_id: str, now: datetime, *, usable: bool, limit: int) -> list[ApiKey]:
    """Return the account's newest keys first: those that work now, or those that have ended."""
    works = _works_at(now)
    query = select(ApiKeyRow).where(ApiKeyRow.account_id == account_id, works if usable else not_(works))
    return [key_of(row) for row in session.scalars(query.order_by(ApiKeyRow.id.desc()).limit(limit))]


def count_usable_keys(
    session: Session, account_id: str, now: datetime, *, purposes: Collection[KeyPurpose] = tuple(KeyPurpose)
) -> int:
    query = select(func.count()).select_from(ApiKeyRow).where(ApiKeyRow.purpose.in_(purposes))
    return session.scalar(query.where(ApiKeyRow.account_id == account_id, _works_at(now))) or 0


def keys_of_budget(session: Session, account_id: str, budget_key_id: str) -> list[str]:
    """Return the ids of the keys whose calls count against the budgets kept under that key: it and its successors."""
    query = select(ApiKeyRow.id).where(ApiKeyRow.account_id == account_id)
    mine = query.where(or_(ApiKeyRow.id == budget_key_id, ApiKeyRow.first_key_id == budget_key_id))
    return list(session.scalars(mine.order_by(ApiKeyRow.id)))


def find_keys(session: Session, account_id: str, key_ids: Collection[str]) -> dict[str, ApiKey]:
    """Return those of the ids that are keys of the account."""
    rows = session.scalars(select(ApiKeyRow).where(ApiKeyRow.account_id == account_id, ApiKeyRow.id.in_(key_ids)))
    return {row.id: key_of(row) for row in rows}


def has_api_key(session: Session, account_id: str) -> bool:
    """Tell whether the account ever had a key whose secret somebody knows."""
    query = select(ApiKeyRow.id).where(ApiKeyRow.account_id == account_id, ApiKeyRow.purpose == KeyPurpose.API)
    return session.scalar(query.limit(1)) is not None


def find_playground_key(session: Session, account_id: str, *, live: bool) -> ApiKey | None:
    """Return the account's key for the playground that is not revoked: there is one of each mode at most."""
    query = select(ApiKeyRow).where(
        ApiKeyRow.account_id == account_id,
        ApiKeyRow.live.is_(live),
        ApiKeyRow.purpose == KeyPurpose.PLAYGROUND,
        ApiKeyRow.revoked_at.is_(None),
    )
    row = session.scalar(query)
    return key_of(row) if row else None


def end_key(session: Session, key_id: str, *, expires_at: datetime | None, revoked_at: datetime | None) -> None:
    """Set when a key stops working; a revocation is never taken back."""
    session.execute(
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None))
        .values(expires_at=expires_at, revoked_at=revoked_at)
    )


def record_change(session: Session) -> None:
    """Let every process notice, within its polling interval, that cached facts have changed."""
    statement = insert_into(session, ChangeSequenceRow).values(id=_ONE_ROW, value=1)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"value": ChangeSequenceRow.value + 1}))


def latest_change(session: Session) -> int:
    return session.scalar(select(ChangeSequenceRow.value).where(ChangeSequenceRow.id == _ONE_ROW)) or 0


def account_of(row: Any) -> Account:
    """Return the noun of a row, or of what has its columns."""
    return Account(
        row.id, row.name, row.currency, row.zone, row.anchor_day, row.created_at, row.closed_through, row.gated
    )


def _parts_of(account_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(account_ids), _IDS_OF_A_STATEMENT_MAX):
        yield account_ids[first : first + _IDS_OF_A_STATEMENT_MAX]


def _works_at(instant: datetime) -> ColumnElement[bool]:
    return and_(ApiKeyRow.revoked_at.is_(None), or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > instant))


def key_of(row: ApiKeyRow) -> ApiKey:
    """Return the noun of a row."""
    return ApiKey(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        hint=row.hint,
        live=row.live,
        scopes=frozenset(Scope(name) for name in row.scopes.split()),
        models=frozenset(row.models.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        user_id=row.user_id,
        purpose=KeyPurpose(row.purpose),
        first_key_id=row.first_key_id,
    )
