"""Holds of processes that are dead: given back under the locks of their gates."""

from datetime import datetime

from app.charging import hold_store
from app.charging.gate_book import PlanVersionShelf, open_book
from app.database import Session

HOLDS_MAX = 500


def has_holds_of_dead(session: Session) -> bool:
    """Tell whether a hold belongs to no living process."""
    return bool(hold_store.holds_of_dead(session, limit=1))


def release_holds_of_dead(session: Session, shelf: PlanVersionShelf, *, now: datetime) -> int:
    """Give back up to 500 holds of dead processes; return how many. Claims are locked before this, never after."""
    dead = hold_store.holds_of_dead(session, limit=HOLDS_MAX)
    if not dead:
        return 0
    book = open_book(session, shelf, [], dead, now=now)
    released = [event_id for event_id in dead if book.release(event_id)]
    gone = dead.keys() - set(released)  # of accounts that have no gate any more
    book.save(session, lease_id="")
    hold_store.delete_holds(session, [event_id for event_id in gone if dead[event_id] not in book.gates])
    return len(released)
