"""The sweeper: ends the leases of dead processes, and frees what they held."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.charging import hold_store, lease_store, metrics
from app.charging.gate_book import PlanVersionShelf, open_book
from app.charging.lease_watch import LeaseWatch
from app.charging.local_process import this_host
from app.database import Database, DatabaseUnavailable, Session
from app.telemetry import get_logger

_LOOK_EVERY_S = 1.0
_HOLDS_AT_ONCE = 500  # the gates of their accounts are locked for so long
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one look has ended and freed."""

    leases: int = 0
    claims: int = 0
    holds: int = 0

    def __bool__(self) -> bool:
        return bool(self.leases or self.claims or self.holds)


class Sweeper:
    """Looks at all leases once a second, on a thread of its own. Any number may do so at once.

    Whatever belongs to no lease is freed, and not only what belonged to the lease that just ended: a process that was
    stopped and goes on may have taken a claim or a hold before it has noticed that it was taken for dead.
    """

    def __init__(
        self,
        database: Database,
        shelf: PlanVersionShelf,
        *,
        lease_s: float,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a process for dead after `lease_s` by `monotonic_s`: no wall clock says anything about that."""
        self._database = database
        self._shelf = shelf
        self._watch = LeaseWatch(host=this_host(), lease_s=lease_s)
        self._monotonic_s = monotonic_s
        self._own_lease_id: str | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._is_away = False

    def start(self, own_lease_id: str | None = None) -> None:
        """Look on from now, at all leases but the process's own: nobody declares himself dead."""
        self._own_lease_id = own_lease_id
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits for the look that it takes."""
        self._ending.set()
        self._thread.join()

    def sweep(self) -> Swept:
        """Look once. Raises DatabaseUnavailable."""
        with self._database.reading() as session:
            others = [lease for lease in lease_store.all_leases(session) if lease.id != self._own_lease_id]
            is_left = lease_store.has_claims_of_dead(session) or bool(hold_store.holds_of_dead(session, 1))
        dead = self._watch.dead(others, self._monotonic_s())
        if not dead and not is_left:
            return Swept()
        with self._database.transaction(durable=False) as session:
            swept = Swept(
                leases=lease_store.end_leases_that_stand(session, dead),
                claims=lease_store.release_claims_of_dead(session),
                holds=self._release_holds_of_dead(session),
            )
        _tell(swept)
        return swept

    def _release_holds_of_dead(self, session: Session) -> int:
        """Give back what calls of the dead hold; return the number of holds. What is left is for the next look."""
        dead = hold_store.holds_of_dead(session, _HOLDS_AT_ONCE)
        if not dead:
            return 0
        book = open_book(session, self._shelf, [], dead)
        released = sum(book.release(event_id) for event_id in sorted(dead))
        book.save(session, lease_id="")  # it takes nothing
        return released

    def _run(self) -> None:
        while not self._ending.wait(_LOOK_EVERY_S):
            try:
                self.sweep()
                self._is_away = False
            except DatabaseUnavailable:
                if not self._is_away:
                    _log.warning("the leases of other processes cannot be watched: the database is away")
                self._is_away = True
            except Exception:  # noqa: BLE001 - not even a bug may end it: holds of the dead would stand for ever
                _log.exception("the sweeper met a bug")


def _tell(swept: Swept) -> None:
    metrics.leases_swept.inc(swept.leases)
    metrics.claims_swept.inc(swept.claims)
    metrics.holds_released.labels("swept").inc(swept.holds)
    if swept:
        _log.warning("swept after dead processes", leases=swept.leases, claims=swept.claims, holds=swept.holds)
