"""All SQL of rate limits."""

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.accounts.rate_limits import MODEL_PREFIX, UNLIMITED, RateLimits
from app.accounts.tables import RateLimitRow
from app.database import insert_into

_COLUMNS = ("requests_per_minute", "units_per_minute", "concurrency_max")


def find_limits(session: Session, subject_id: str) -> RateLimits:
    """Return the limits of a key, an account or a model; UNLIMITED where none are set."""
    row = session.get(RateLimitRow, subject_id)
    return UNLIMITED if row is None else limits_of(row)


def find_many(session: Session, subject_ids: Collection[str]) -> dict[str, RateLimits]:
    """Return the limits of those subjects that have any."""
    rows = session.scalars(select(RateLimitRow).where(RateLimitRow.subject_id.in_(subject_ids)))
    return {row.subject_id: limits_of(row) for row in rows}


def limits_of_models(session: Session) -> dict[str, RateLimits]:
    """Return the limits of all models that have any, by the model's name."""
    named = RateLimitRow.subject_id.startswith(MODEL_PREFIX, autoescape=True)
    rows = session.scalars(select(RateLimitRow).where(named))
    return {row.subject_id.removeprefix(MODEL_PREFIX): limits_of(row) for row in rows}


def list_limits(session: Session) -> list[tuple[str, RateLimits]]:
    """Return all limits, by their subjects in order."""
    return [(row.subject_id, limits_of(row)) for row in session.scalars(select(RateLimitRow).order_by("subject_id"))]


def set_limits(session: Session, subject_id: str, limits: RateLimits) -> None:
    """Set the limits of a key, an account or a model; UNLIMITED removes them."""
    if limits.none:
        session.execute(delete(RateLimitRow).where(RateLimitRow.subject_id == subject_id))
        return
    values = {name: getattr(limits, name) for name in _COLUMNS}
    statement = insert_into(session, RateLimitRow).values(subject_id=subject_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["subject_id"], set_=values))


def limits_of(row: RateLimitRow | None) -> RateLimits:
    """Return the noun of a row."""
    if row is None:
        return UNLIMITED
    return RateLimits(row.requests_per_minute, row.units_per_minute, row.concurrency_max)
