"""Settlement: in the recorder's transaction holds become use, credit is drawn, and budgets tell what they have seen.

A call whose hold is gone (a crash of the database lost it, its process was taken for dead, a budget was set while it
ran) is held again here, or refused: then it is unbilled.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.charging import hold_store, metrics
from app.charging.gate_book import GateBook, PlanVersionShelf, open_book
from app.charging.hold import HoldRequest
from app.database import Session
from app.errors import AppError, Unavailable
from app.ledger.drawdown import Draw, by_grant
from app.ledger.store import UsageDraws, apply_draws, post_usage
from app.metering.store import recorded_among
from app.metering.usage_event import UsageEvent


class HoldLost(Unavailable):
    """What was set aside for the call is gone, and there is no room for it any more: it ran, and is not charged."""

    code = "hold_lost"


@dataclass(slots=True)
class OpenSettlement:
    """The gates of a group of records, locked. `refused` says, by event id, why a record must not be charged."""

    book: GateBook
    refused: dict[str, AppError] = field(default_factory=dict)


def open_settlement(session: Session, shelf: PlanVersionShelf, requests: Sequence[HoldRequest]) -> OpenSettlement:
    """Lock the gates of the calls and find their holds; what holds nothing any more is held again or refused."""
    opened = OpenSettlement(open_book(session, shelf, requests, {}))
    lost = [request for request in requests if request.event_id not in opened.book.holds]
    booked = recorded_among(session, [request.event_id for request in lost]) if lost else set()
    for request in lost:
        if request.event_id in booked:
            continue  # by an earlier try of this very group, which has settled it
        try:
            opened.book.take(request)
        except AppError as refusal:
            opened.refused[request.event_id] = _hold_lost(refusal)
    return opened


def settle(
    session: Session, opened: OpenSettlement, events: Sequence[UsageEvent], *, lease_id: str, now: datetime
) -> None:
    """Settle the events that were booked just now, and write back what has moved."""
    held = [event for event in events if event.id in opened.book.holds]
    drawn: dict[tuple[str, datetime], list[Draw]] = defaultdict(list)
    for event in held:
        settlement = opened.book.settle(event.id, event.quantities)
        drawn[event.account_id, event.bucket_start] += settlement.draws
        hold_store.insert_alerts(session, event.account_id, settlement.passed, now)
    opened.book.save(session, lease_id=lease_id)
    _book_draws(session, opened.book, {key: draws for key, draws in drawn.items() if draws}, now)
    metrics.holds_settled.inc(len(held))


def _book_draws(
    session: Session, book: GateBook, drawn: Mapping[tuple[str, datetime], Sequence[Draw]], now: datetime
) -> None:
    """Take from the grants what was drawn, and post it by account and quarter of an hour."""
    apply_draws(session, by_grant(draw for draws in drawn.values() for draw in draws))
    post_usage(
        session,
        (
            UsageDraws(account_id, book.gates[account_id].account.currency, bucket_start, tuple(draws))
            for (account_id, bucket_start), draws in drawn.items()
        ),
        now,
    )


def _hold_lost(refusal: AppError) -> HoldLost:
    return HoldLost(
        f"the call lost what was set aside for it, and there is no room for it any more: {refusal.detail};"
        " nothing was charged",
        hint="repeat it",
        retry_after_s=1,
        limit=refusal.facts.get("limit"),
    )
