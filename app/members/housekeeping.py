"""What time makes superfluous: links and sessions that ended, mails that went out long ago."""

from datetime import timedelta

from app.clock import Clock
from app.database import Database
from app.members import link_store, session_store
from app.members.session import IDLE_MAX
from app.outbox.store import purge_mails

_LINKS_KEPT = timedelta(days=7)
_MAILS_KEPT = timedelta(days=30)


class MemberHousekeeping:
    """May run at any time, twice, and in several processes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def purge(self) -> None:
        """Delete expired links and sessions, and what remains of mails."""
        now = self._clock.now()
        with self._database.transaction() as session:
            link_store.purge_links(session, expired_before=now - _LINKS_KEPT)
            session_store.purge_sessions(session, now, seen_before=now - IDLE_MAX)
            purge_mails(session, created_before=now - _MAILS_KEPT)
