"""The check of claims: a call that has ended under an idempotency key has an answer, and was booked."""

from datetime import datetime

from app.database import Session
from app.self_audit import claim_store
from app.self_audit.report import Tally


def claims_have_answers(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Look for ended calls without an answer, and for answers without a usage event."""
    tally.compared = claim_store.count_done(session)
    for event_id in claim_store.done_without_answer(session):
        tally.differ(event_id, "an answer for repeats", "none")
    for event_id in claim_store.answered_without_event(session):
        tally.differ(event_id, "a usage event of the answered call", "none")
