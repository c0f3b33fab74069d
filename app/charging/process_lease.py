"""The lease of a process: what it holds (claims) is its own for as long as it gives signs of life."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from app.charging import lease_store
from app.charging.local_process import this_host
from app.clock import Clock
from app.database import Database, DatabaseUnavailable
from app.ids import new_id
from app.telemetry import get_logger

_log = get_logger(__name__)


class ProcessLease:
    """Renewed three times in `lease_s`, on a thread of its own: its row's number grows, whatever any clock says.

    An event loop that is kept busy for that long is no reason to lose what living calls hold.
    Whoever sees it stand still for that long ends it, and frees what its process held (`sweeper.py`). A process that
    was stopped and goes on finds its row gone, takes it anew under the same id, and goes on.
    """

    def __init__(self, database: Database, clock: Clock, *, lease_s: int) -> None:
        self._started_at = clock.now()
        self.id = new_id("proc", self._started_at)
        self._database = database
        self._lease_s = lease_s
        self._ending = threading.Event()
        self._renewal = threading.Thread(target=self._keep_renewing, name="lease", daemon=True)
        self._thread = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="lease"
        )  # others fill those that are shared

    @property
    def renewed_every_s(self) -> float:
        """How long it takes from one sign of life to the next."""
        return self._lease_s / 3

    async def start(self) -> None:
        """Take the lease and keep it. Raises DatabaseUnavailable."""
        await self._in_thread(self._renew)
        self._renewal.start()

    async def stop(self) -> None:
        """Give the lease back: its claims are free at once; while the database is away, others end it."""
        self._ending.set()
        try:
            await self._in_thread(self._end)
        except DatabaseUnavailable:
            _log.warning("the process lease could not be given back")
        finally:
            self._thread.shutdown(wait=False)

    def _keep_renewing(self) -> None:
        while not self._ending.wait(self.renewed_every_s):
            try:
                self._renew()
            except DatabaseUnavailable:
                _log.warning("the process lease could not be renewed")
            except Exception:  # noqa: BLE001 - not even a bug may end it: others would take the claims of living calls
                _log.exception("the renewal of the process lease met a bug")

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _renew(self) -> None:
        with self._database.transaction(durable=False) as session:
            lease_store.renew_lease(session, self.id, host=this_host(), pid=os.getpid(), started_at=self._started_at)

    def _end(self) -> None:
        if self._renewal.is_alive():
            self._renewal.join()  # a renewal behind the end would take the lease anew
        with self._database.transaction(durable=False) as session:
            lease_store.end_lease(session, self.id)
