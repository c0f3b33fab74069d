"""The queries of the usage checks. Each streams: what they group is grouped by the database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, literal, or_, select, text, type_coerce, union_all
from sqlalchemy.orm import Session

from app.accounts.tables import AccountRow
from app.database import Instant, dialect_of
from app.metering.tables import UsageEventRow, UsageRollupRow
from app.metering.usage_event import BUCKET, Outcome

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE_ROWS = 5_000
_STREAM = {"stream_results": True, "yield_per": _PAGE_ROWS}
ROLLUP_KEY = ("account_id", "bucket_start", "key_id", "live", "model", "version", "plan_version_id", "outcome")
SUMS = ("calls", "requests", "units", "results", "compute_ms", "compute_us", "queue_us", "input_bytes", "output_bytes")
_SUCCEEDED = UsageEventRow.outcome == Outcome.SUCCEEDED.value
_COMPUTE_MS = (UsageEventRow.compute_us + 999) // 1000


class BucketDifference(NamedTuple):
    """One row of the rollup, by its whole key, beside the sums of its events, in the order of SUMS."""

    key: tuple[Any, ...]
    events: tuple[int, ...]
    rollup: tuple[int, ...]


class AmountGroup(NamedTuple):
    """Events of one model and plan version that used the same and cost the same; `first_id` is one of them."""

    plan_version_id: str
    model: str
    live: bool
    units: int
    results: int
    compute_ms: int
    amount_nanos: int | None
    calls: int
    first_id: str


def count_rollup(session: Session) -> int:
    """Return the number of rows of the rollup."""
    return session.scalar(select(func.count()).select_from(UsageRollupRow)) or 0


def rollup_differences(session: Session) -> Iterator[BucketDifference]:
    """Yield the keys whose events do not sum to what the rollup says of them."""
    both = union_all(_events_as_rollup(session), _rollup()).subquery()
    sides = {
        (side, name): func.sum(case((both.c.side == side, both.c[name]), else_=0)).label(f"{side}_{name}")
        for side in ("events", "rollup")
        for name in SUMS
    }
    differs = or_(*(sides["events", name] != sides["rollup", name] for name in SUMS))
    key = [both.c[name] for name in ROLLUP_KEY]
    rows = session.execute(select(*key, *sides.values()).group_by(*key).having(differs), execution_options=_STREAM)
    for row in rows:
        values = tuple(row)
        events, rollup = (tuple(map(int, part)) for part in (values[8:17], values[17:26]))
        yield BucketDifference(values[:8], events, rollup)


def failed_with_quantity(session: Session) -> Iterator[str]:
    """Yield the ids of events that failed and have something billable, and the keys of such buckets."""
    event, rollup = UsageEventRow, UsageRollupRow
    of_event = or_(event.units != 0, event.results != 0, func.coalesce(event.amount_nanos, 0) != 0)
    yield from session.scalars(select(event.id).where(~_SUCCEEDED, of_event), execution_options=_STREAM)
    of_rollup = or_(rollup.requests != 0, rollup.units != 0, rollup.results != 0, rollup.compute_ms != 0)
    buckets = select(rollup.account_id, rollup.bucket_start, rollup.model)
    failed = and_(rollup.outcome == Outcome.FAILED.value, of_rollup)
    for row in session.execute(buckets.where(failed), execution_options=_STREAM):
        yield f"{row.account_id}, {row.model}, {row.bucket_start:%Y-%m-%dT%H:%M}Z"


def count_failed(session: Session) -> int:
    """Return the number of events that failed."""
    return session.scalar(select(func.count()).select_from(UsageEventRow).where(~_SUCCEEDED)) or 0


def amount_groups(session: Session) -> Iterator[AmountGroup]:
    """Yield the successes, those that used and cost the same as one."""
    event = UsageEventRow
    ms = _COMPUTE_MS.label("compute_ms")
    key = (event.plan_version_id, event.model, event.live, event.units, event.results, ms, event.amount_nanos)
    query = select(*key, func.count(), func.min(event.id)).where(_SUCCEEDED).group_by(*key)
    for row in session.execute(query, execution_options=_STREAM):
        yield AmountGroup(*row)


def plan_versions_of_usage(session: Session) -> list[str]:
    """Return the ids of the plan versions to which usage is pinned."""
    return list(session.scalars(select(UsageRollupRow.plan_version_id).distinct()))


def accounts_of_nobody(session: Session) -> list[str]:
    """Return the account ids that usage names and that are no accounts."""
    known = select(AccountRow.id)
    return list(
        session.scalars(select(UsageRollupRow.account_id).where(UsageRollupRow.account_id.not_in(known)).distinct())
    )


def _events_as_rollup(session: Session) -> Any:
    event = UsageEventRow
    billable = {
        "requests": literal(1),
        "units": event.units,
        "results": event.results,
        "compute_ms": _COMPUTE_MS,
    }
    sums: dict[str, ColumnElement[int]] = {
        "calls": literal(1),
        **{name: case((_SUCCEEDED, value), else_=0) for name, value in billable.items()},
        **{name: getattr(event, name) for name in SUMS[5:]},
    }
    key = {name: _bucket(session) if name == "bucket_start" else getattr(event, name) for name in ROLLUP_KEY}
    columns = [value.label(name) for name, value in (key | sums).items()]
    return select(literal("events").label("side"), *columns)


def _rollup() -> Any:
    columns = [getattr(UsageRollupRow, name) for name in (*ROLLUP_KEY, *SUMS)]
    return select(literal("rollup").label("side"), *columns)


def _bucket(session: Session) -> ColumnElement[Any]:
    """Return the start of an event's bucket, computed by the database."""
    if dialect_of(session) == "postgresql":
        return func.date_bin(
            text("interval '15 minutes'"), UsageEventRow.occurred_at, literal(_EPOCH, Instant), type_=Instant
        )
    since = type_coerce(UsageEventRow.occurred_at, BigInteger)
    return type_coerce(since - since % int(BUCKET.total_seconds() * 1_000_000), Instant)
