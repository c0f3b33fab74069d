"""What time makes superfluous: answers kept long enough."""

from datetime import timedelta

from app.charging import claim_store
from app.clock import Clock
from app.database import Database

_LONGEST_CALL = timedelta(hours=1)


class Housekeeping:
    """May run at any time, twice, and in several processes."""

    def __init__(self, database: Database, clock: Clock, *, answer_ttl: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._answer_ttl = answer_ttl

    def purge(self) -> int:
        """Delete stored answers beyond their keeping time; return the number of answers."""
        now = self._clock.now()
        with self._database.transaction() as session:
            return claim_store.purge(session, claimed_before=now - self._answer_ttl - _LONGEST_CALL)
