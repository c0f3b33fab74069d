"""All SQL of usage: writing events and their rollup, the sums that invoices and cost are made of."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ClauseElement,
    Executable,
    String,
    bindparam,
    column,
    func,
    literal_column,
    select,
    text,
    true,
    values,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from app.database import dialect_insert, dialect_of, insert_into
from app.group_sql import among, group_sql, json_rows, json_text, listed
from app.ids import id_bound, microseconds
from app.metering.meter import Quantities
from app.metering.tables import BatchRow, DeviceIntervalRow, UsageEventRow, UsageRollupRow
from app.metering.usage_event import (
    BatchRecord,
    DeviceInterval,
    Outcome,
    RecordedEvent,
    UsageEvent,
    bucket_start,
    compute_ms,
)
from app.period import Month, Period

_RollupKey = tuple[str, datetime, str, bool, str, int, str, str]
_ROLLUP_KEY = (
    "account_id",
    "bucket_start",
    "key_id",
    "live",
    "model",
    "version",
    "plan_version_id",
    "outcome",
)
_ROLLUP_SUMS = (
    "calls",
    "requests",
    "units",
    "results",
    "compute_ms",
    "compute_us",
    "queue_us",
    "input_bytes",
    "output_bytes",
)
_BATCH_FIELDS = tuple(field.name for field in fields(BatchRecord))
_WORDS = {outcome: outcome.value for outcome in Outcome}  # looked up twice as fast as asked for
_EVENT_FIELDS = tuple(field.name for field in fields(UsageEvent))


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """What one account used of one model under one plan version."""

    plan_version_id: str
    model: str
    quantities: Quantities


@dataclass(frozen=True, slots=True)
class ComputeTotal:
    """The measured work of one model: successful calls, their units and waiting time, device time of all batches.

    So `compute_us` holds what failed or was cancelled as well: successes pay for the waste.
    """

    requests: int
    units: int
    compute_us: int
    queue_us: int


def insert_events(session: Session, events: Sequence[UsageEvent], recorded_at: datetime) -> set[str]:
    """Insert the events that are not there yet and return the ids of those (an event is recorded once).

    Called once a transaction.
    """
    ids = {event.id for event in events}
    if dialect_of(session) == "postgresql":
        inserted = _insert_events_postgresql(session, {"rows": json_text(events), "recorded_at": recorded_at}).rowcount
        if inserted == len(ids):
            return ids
        return set(_inserted_now_postgresql(session, {"ids": listed(session, ids)}).scalars())
    # SQLite counts nothing of rows that are handed over in one go. This is its one writer: nobody comes in between.
    known = recorded_among(session, ids)
    recorded_us = microseconds(recorded_at)
    rows = [_sqlite_row(event, recorded_us) for event in events if event.id not in known]
    if rows:
        session.connection().exec_driver_sql(_insert_events_sqlite(), rows)
    return ids - known


def recorded_among(session: Session, event_ids: Collection[str]) -> set[str]:
    """Return those of the events that are in the books already."""
    return set(_recorded_among(session, {"ids": listed(session, event_ids)}).scalars())


def add_to_rollup(session: Session, events: Iterable[UsageEvent]) -> None:
    """Add the events to their 15-minute buckets, in key order so that two processes never deadlock."""
    by_key: dict[_RollupKey, list[tuple[int, ...]]] = defaultdict(list)
    for event in events:
        by_key[_rollup_key(event)].append(_rollup_values(event))
    if not by_key:
        return
    sums = {key: tuple(map(sum, zip(*values, strict=True))) for key, values in by_key.items()}
    if dialect_of(session) == "postgresql":
        rows = [dict(zip(_ROLLUP_KEY + _ROLLUP_SUMS, (*key, *added), strict=True)) for key, added in sums.items()]
        _add_to_rollup_postgresql(session, {"rows": json_text(rows)})
    else:
        plain = [(key[0], microseconds(key[1]), *key[2:], *added) for key, added in sums.items()]
        session.connection().exec_driver_sql(_add_to_rollup_sqlite(), plain)


def insert_batches(session: Session, batches: Sequence[BatchRecord]) -> None:
    """Insert the batch facts that are not there yet."""
    if batches:
        rows = [{name: getattr(batch, name) for name in _BATCH_FIELDS} for batch in batches]
        session.execute(_insert_batches_statement(dialect_of(session)), rows)


def extend_device_interval(session: Session, interval: DeviceInterval) -> None:
    """Insert the interval, or move its end on; an end never moves back."""
    statement = insert_into(session, DeviceIntervalRow).values(
        id=interval.id, device=interval.device, started_at=interval.started_at, ended_at=interval.ended_at
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={"ended_at": statement.excluded.ended_at},
            where=DeviceIntervalRow.ended_at < statement.excluded.ended_at,
        )
    )


def quantities(
    session: Session,
    account_id: str,
    period: Period,
    *,
    key_ids: Collection[str] | None = None,
    live: bool | None = True,
) -> list[UsageTotal]:
    """Return the billable quantities of a period by plan version and model: successes of live keys.

    Or of those keys alone, or of test keys (`live=False`), or of both (None).
    """
    rollup = UsageRollupRow
    rows = session.execute(
        select(
            rollup.plan_version_id,
            rollup.model,
            func.sum(rollup.requests),
            func.sum(rollup.units),
            func.sum(rollup.compute_ms),
            func.sum(rollup.results),
        )
        .where(rollup.account_id == account_id, rollup.outcome == Outcome.SUCCEEDED.value)
        .where(true() if live is None else rollup.live.is_(live))
        .where(true() if key_ids is None else rollup.key_id.in_(key_ids))
        .where(rollup.bucket_start >= period.start, rollup.bucket_start < period.end)
        .group_by(rollup.plan_version_id, rollup.model)
        .order_by(rollup.plan_version_id, rollup.model)
    )
    return [UsageTotal(row[0], row[1], Quantities(*map(int, row[2:]))) for row in rows]


def is_used(session: Session, account_id: str) -> bool:
    """Tell whether any key of the account was ever used, whatever became of the call."""
    rollup = UsageRollupRow
    return session.scalar(select(rollup.key_id).where(rollup.account_id == account_id).limit(1)) is not None


def last_used_by_key(session: Session, account_id: str, key_ids: Collection[str]) -> dict[str, datetime]:
    """Return the quarter of an hour in which each of the keys was last used, whatever became of the call.

    For each key the end of its stretch of the index is looked up: what was used long ago is not read.
    """
    if not key_ids:
        return {}
    wanted = values(column("key_id", String), name="wanted").data([(each,) for each in key_ids]).cte("wanted")
    rollup = UsageRollupRow
    latest = select(func.max(rollup.bucket_start)).where(
        rollup.account_id == account_id, rollup.key_id == wanted.c.key_id
    )
    rows = session.execute(select(wanted.c.key_id, latest.scalar_subquery()))
    return {row[0]: row[1] for row in rows if row[1] is not None}


def list_events(
    session: Session, account_id: str, period: Period, *, live: bool | None, after: str, limit: int
) -> list[RecordedEvent]:
    """Return events of a period in the order of their ids, which is that of `occurred_at` to the millisecond."""
    event = UsageEventRow
    first, last = id_bound("evt", period.start), id_bound("evt", period.end + timedelta(milliseconds=1))
    rows = session.scalars(
        select(event)
        .where(event.account_id == account_id, event.id > max(after, first), event.id < last)
        .where(event.occurred_at >= period.start, event.occurred_at < period.end)
        .where(true() if live is None else event.live == live)
        .order_by(event.id)
        .limit(limit)
    )
    return [_recorded_event(row) for row in rows]


def compute_by_model(session: Session, model: str, since: datetime) -> ComputeTotal:
    """Return the model's successful calls, test keys' included, and what they cost since the instant's bucket."""
    rollup, start = UsageRollupRow, bucket_start(since)
    succeeded = (rollup.model == model, rollup.bucket_start >= start, rollup.outcome == Outcome.SUCCEEDED.value)
    sums = [func.coalesce(func.sum(column), 0) for column in (rollup.requests, rollup.units, rollup.queue_us)]
    requests, units, queue_us = map(int, session.execute(select(*sums).where(*succeeded)).one())
    batches = select(func.coalesce(func.sum(BatchRow.compute_us), 0))
    compute_us = session.scalars(batches.where(BatchRow.model == model, BatchRow.started_at >= start)).one()
    return ComputeTotal(requests, units, int(compute_us), queue_us)


def ensure_partitions(session: Session, first: Month, months: int) -> None:
    """Make the monthly partitions of `usage_events` that are missing (PostgreSQL; SQLite has none)."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for offset in range(months):
        month = first.plus(offset)
        name = f"usage_events_{month.year:04d}_{month.month:02d}"
        if not _exists(session, name):
            # Nobody else makes partitions now, and nobody inserts where the month's events have gone so far.
            session.execute(text("LOCK TABLE usage_events_default IN ACCESS EXCLUSIVE MODE"))
            if not _exists(session, name):
                _make_partition(session, name, month)


def _exists(session: Session, table: str) -> bool:
    return session.scalar(text("SELECT to_regclass(:name)"), {"name": table}) is not None


def _make_partition(session: Session, name: str, month: Month) -> None:
    """Make a partition with what the default one holds of its month, and attach it: calls are recorded meanwhile."""
    start, end = (id_bound("evt", utc_month_start(each)) for each in (month, month.plus(1)))
    # Bounds are hexadecimal and names numeric: nothing here comes from outside. DDL takes no parameters.
    session.execute(text(f"CREATE TABLE {name} (LIKE usage_events INCLUDING ALL)"))
    late = f"DELETE FROM usage_events_default WHERE id >= '{start}' AND id < '{end}' RETURNING *"  # noqa: S608 - above
    session.execute(text(f"WITH late AS ({late}) INSERT INTO {name} SELECT * FROM late"))  # noqa: S608 - above
    bounds = f"FOR VALUES FROM ('{start}') TO ('{end}')"
    session.execute(text(f"ALTER TABLE usage_events ATTACH PARTITION {name} {bounds}"))


def utc_month_start(month: Month) -> datetime:
    """Return the first instant of a UTC month."""
    from_day = month.day(1)
    return datetime.fromisoformat(f"{from_day.isoformat()}T00:00:00+00:00")


# Statements of the hot path are built once a dialect: building one takes longer than executing it.


@group_sql
def _insert_events_postgresql(dialect: str) -> ClauseElement:
    given = json_rows(UsageEventRow, _EVENT_FIELDS)
    rows = select(*given.c, bindparam("recorded_at", type_=UsageEventRow.recorded_at.type))
    statement = dialect_insert(dialect, UsageEventRow).from_select([*_EVENT_FIELDS, "recorded_at"], rows)
    unknown: ClauseElement = statement.on_conflict_do_nothing(index_elements=["id"])
    return unknown


@group_sql
def _inserted_now_postgresql(dialect: str) -> ClauseElement:
    """Those of the events that this very transaction has inserted: seldom asked, where a group is tried again."""
    by_this = literal_column("usage_events.xmin = pg_current_xact_id()::xid", Boolean)
    return select(UsageEventRow.id).where(among(dialect, UsageEventRow.id, "ids"), by_this)


@group_sql
def _recorded_among(dialect: str) -> ClauseElement:
    return select(UsageEventRow.id).where(among(dialect, UsageEventRow.id, "ids"))


@cache
def _insert_events_sqlite() -> str:
    """The text that the driver takes: through SQLAlchemy's own handling of rows it takes three times as long."""
    statement = dialect_insert("sqlite", UsageEventRow).on_conflict_do_nothing(index_elements=["id"])
    return str(statement.compile(dialect=sqlite.dialect()))


@group_sql
def _add_to_rollup_postgresql(dialect: str) -> ClauseElement:
    given = json_rows(UsageRollupRow, _ROLLUP_KEY + _ROLLUP_SUMS)
    in_order = select(*given.c).order_by(*(given.c[name] for name in _ROLLUP_KEY))
    upsert: ClauseElement = _adding(dialect_insert(dialect, UsageRollupRow).from_select(given.c.keys(), in_order))
    return upsert


@cache
def _add_to_rollup_sqlite() -> str:
    return str(_adding(dialect_insert("sqlite", UsageRollupRow)).compile(dialect=sqlite.dialect()))


def _adding(insert: Any) -> Any:
    """Return the INSERT that adds to the rows that are there."""
    added = {name: UsageRollupRow.__table__.c[name] + insert.excluded[name] for name in _ROLLUP_SUMS}
    return insert.on_conflict_do_update(index_elements=list(_ROLLUP_KEY), set_=added)


@cache
def _insert_batches_statement(dialect: str) -> Executable:
    statement: Executable = dialect_insert(dialect, BatchRow).on_conflict_do_nothing(index_elements=["id"])
    return statement


def _recorded_event(row: UsageEventRow) -> RecordedEvent:
    values = {name: getattr(row, name) for name in _EVENT_FIELDS}
    values["outcome"] = Outcome(row.outcome)
    return RecordedEvent(UsageEvent(**values), row.recorded_at)


def _sqlite_row(event: UsageEvent, recorded_us: int) -> tuple[object, ...]:
    """Return the event's columns in the order of the table, as SQLite stores them."""
    return (
        event.id,
        event.account_id,
        event.key_id,
        event.live,
        event.model,
        event.version,
        event.plan_version_id,
        microseconds(event.occurred_at),
        recorded_us,
        _WORDS[event.outcome],
        event.delivered,
        event.units,
        event.results,
        event.compute_us,
        event.queue_us,
        event.input_bytes,
        event.output_bytes,
        event.batch_id,
        event.amount_nanos,
    )


def _rollup_key(event: UsageEvent) -> _RollupKey:
    return (
        event.account_id,
        event.bucket_start,
        event.key_id,
        event.live,
        event.model,
        event.version,
        event.plan_version_id,
        _WORDS[event.outcome],
    )


def _rollup_values(event: UsageEvent) -> tuple[int, ...]:
    succeeded = event.outcome is Outcome.SUCCEEDED
    return (
        1,
        1 if succeeded else 0,
        event.units,  # none of a failure
        event.results,
        compute_ms(event.compute_us) if succeeded else 0,
        event.compute_us,
        event.queue_us,
        event.input_bytes,
        event.output_bytes,
    )
