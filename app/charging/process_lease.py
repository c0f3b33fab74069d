"""The lease of a process: what it holds (claims) is its own for as long as it gives signs of life."""

import asyncio
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from app.charging import store
from app.clock import Clock
from app.database import Database, DatabaseUnavailable
from app.ids import new_id
from app.telemetry import get_logger

_log = get_logger(__name__)


class ProcessLease:
    """Renewed three times in `lease_s`; once it has run out, others may take what a dead process held."""

    def __init__(self, database: Database, clock: Clock, *, lease_s: int) -> None:
        self._started_at = clock.now()
        self.id = new_id("proc", self._started_at)
        self._database = database
        self._lease = timedelta(seconds=lease_s)
        self._renewal: asyncio.Task[None] | None = None
        # Its own: other work fills the threads that are shared. And in one thread the end comes after every renewal.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lease")

    async def start(self) -> None:
        """Take the lease and keep it. Raises DatabaseUnavailable."""
        await self._in_thread(self._renew)
        self._renewal = asyncio.create_task(self._keep_renewing())

    async def stop(self) -> None:
        """Give the lease back: its claims are free at once; while the database is away it runs out by itself."""
        if self._renewal is not None:
            self._renewal.cancel()
        try:
            await self._in_thread(self._end)
        except DatabaseUnavailable:
            _log.warning("the process lease could not be given back")
        finally:
            self._thread.shutdown(wait=False)

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                await self._in_thread(self._renew)
            except DatabaseUnavailable:
                _log.warning("the process lease could not be renewed")
            except Exception:  # noqa: BLE001 - not even a bug may end it: others would take the claims of living calls
                _log.exception("the renewal of the process lease met a bug")

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _renew(self) -> None:
        with self._database.transaction(durable=False) as session:
            store.renew_lease(session, self.id, host=socket.gethostname(), pid=os.getpid(), started_at=self._started_at)

    def _end(self) -> None:
        with self._database.transaction(durable=False) as session:
            store.end_lease(session, self.id)
