"""What time makes superfluous: links and sessions that ended, mails that went out, addresses in the audit log."""

from datetime import timedelta

from app.audit_log.store import forget_addresses
from app.clock import Clock
from app.database import Database
from app.members import link_store, session_store
from app.members.session import IDLE_MAX
from app.outbox.store import purge_mails

_LINKS_KEPT = timedelta(days=7)
_MAILS_KEPT = timedelta(days=30)
_ADDRESSES_KEPT = timedelta(days=180)


class MemberHousekeeping:
    """May run at any time, twice, and in several processes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def purge(self) -> None:
        """Delete expired links and sessions, what remains of mails, and network addresses of half a year ago."""
        now = self._clock.now()
        with self._database.transaction() as session:
            link_store.purge_links(session, expired_before=now - _LINKS_KEPT)
            session_store.purge_sessions(session, now, seen_before=now - IDLE_MAX)
            purge_mails(session, created_before=now - _MAILS_KEPT)
            forget_addresses(session, before=now - _ADDRESSES_KEPT)
