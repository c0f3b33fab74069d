"""The queries of the claims' check."""

from collections.abc import Iterator

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.charging.tables import ClaimRow
from app.metering.tables import UsageEventRow
from app.metering.usage_event import Outcome

_STREAM = {"stream_results": True, "yield_per": 1_000}


def count_done(session: Session) -> int:
    """Return how many calls have ended under an idempotency key."""
    return session.scalar(select(func.count()).select_from(ClaimRow).where(ClaimRow.state == "done")) or 0


def done_without_answer(session: Session) -> Iterator[str]:
    """Yield the event ids of ended calls whose repeats would get no answer."""
    claim = ClaimRow
    incomplete = or_(claim.status_code.is_(None), claim.content_type.is_(None), claim.body.is_(None))
    query = select(claim.event_id).where(claim.state == "done", incomplete)
    yield from session.scalars(query, execution_options=_STREAM)


def answered_without_event(session: Session) -> Iterator[str]:
    """Yield the event ids of answered calls that were not booked: each answer of a model is.

    What changed something else under an idempotency key has an id of another kind.
    """
    claim, event = ClaimRow, UsageEventRow
    booked = select(event.id).where(event.id == claim.event_id, event.outcome == Outcome.SUCCEEDED.value).exists()
    query = (
        select(claim.event_id)
        .where(claim.state == "done", claim.status_code == 200, ~booked)
        .where(claim.event_id.startswith("evt_", autoescape=True))
    )
    yield from session.scalars(query, execution_options=_STREAM)
