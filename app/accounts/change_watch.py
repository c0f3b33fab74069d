"""Learning of changes: a poll of the change sequence, and everything cached is forgotten when it has moved."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from app.accounts import store
from app.database import Database, DatabaseUnavailable
from app.telemetry import get_logger

_POLL_S = 0.25
_log = get_logger(__name__)


class ChangeWatch:
    """Polls every 250 ms; a revocation is effective within a second on every host that reaches the database."""

    def __init__(self, database: Database, on_change: Sequence[Callable[[], None]]) -> None:
        self._database = database
        self._on_change = on_change
        self._seen = -1
        self._task: asyncio.Task[None] | None = None
        # Its own: look-ups of keys, which anybody may cause, fill the threads that others share.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="changes")

    async def start(self) -> None:
        """Begin to poll."""
        self._task = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """Stop polling."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._thread.shutdown)

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                self.notice(await loop.run_in_executor(self._thread, self._latest))
            except DatabaseUnavailable:
                _log.warning("changes cannot be polled")
            except Exception:  # noqa: BLE001 - not even a bug may end the watch: revoked keys would work for ever
                _log.exception("the poll of changes met a bug")
            await asyncio.sleep(_POLL_S)

    def notice(self, latest: int) -> None:
        """Forget what is cached where the sequence has moved since it was last seen."""
        if latest != self._seen:
            for forget in self._on_change:
                forget()
            self._seen = latest  # last: where one of them failed, the next poll tells all of them again

    def _latest(self) -> int:
        with self._database.reading() as session:
            return store.latest_change(session)
