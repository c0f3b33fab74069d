"""Group commit: entries of all requests that wait go into one transaction, on one thread; each request awaits its own.

Bounded queue, take what waits, write once, resolve the futures: the shape of the batch queue, on the database's side.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from app.charging.metrics import group_meter
from app.database import CommitUncertain, DatabaseUnavailable
from app.errors import AppError, InvariantViolation, Unavailable
from app.telemetry import get_logger

Entry = TypeVar("Entry")
Result = TypeVar("Result")

_WAITING_MAX = 20_000
_FACTS_WAIT_S = 0.5
_BACKOFF_S_FIRST, _BACKOFF_S_MAX = 0.05, 1.0
_log = get_logger(__name__)


class CommitQueueFull(Unavailable):
    """More records wait for the database than it can take; nothing was charged."""

    code = "commit_queue_full"


@dataclass(slots=True)
class _Waiting(Generic[Entry, Result]):
    entry: Entry
    future: "asyncio.Future[Result] | None"
    since_s: float = field(default_factory=time.monotonic)


class GroupCommit(Generic[Entry, Result]):
    """Writes entries in groups of up to `group_max`, in their order of arrival.

    Awaited entries go first, and leave a quarter of a group to facts that wait: those move on under any load. Beyond
    `facts_max` that wait a fact is dropped; with None none ever is.

    `write` gets a group and returns one result or AppError an entry; it is idempotent, by the entries' ids. When it
    raises DatabaseUnavailable the same group is written again until its oldest entry has waited `patience_s`, and then
    the group fails with that error. When it raises anything else the group is halved until the bad entry stands alone.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Sequence[Entry]], Sequence[Result | AppError]],
        *,
        group_max: int,
        patience_s: float,
        facts_max: int | None = _WAITING_MAX,
    ) -> None:
        self._write = write
        self._group_max = group_max
        self._facts_share = max(1, group_max // 4)
        self._patience_s = patience_s
        self._facts_max = facts_max
        self._queue: SimpleQueue[_Waiting[Entry, Result] | None] = SimpleQueue()  # None: the end
        self._facts: SimpleQueue[_Waiting[Entry, Result]] = SimpleQueue()
        self._meter = group_meter(name)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the writing thread; called on the event loop that will await the results."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Write what waits, then end the thread."""
        self._stopping = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def submit(self, entry: Entry) -> "asyncio.Future[Result]":
        """Queue an entry; the future ends when its transaction is over. Raises CommitQueueFull."""
        if self._loop is None or self._stopping or self._queue.qsize() >= _WAITING_MAX:
            raise CommitQueueFull("the database does not keep up; nothing was charged", retry_after_s=1)
        future: asyncio.Future[Result] = self._loop.create_future()
        self._queue.put(_Waiting(entry, future))
        return future

    def submit_behind(self, entry: Entry) -> None:
        """Queue an entry that nobody waits for behind all that wait now; it is neither refused nor dropped.

        A caller that gives up while its own entry waits undoes it so: whatever went another way might overtake it.
        """
        self._queue.put(_Waiting(entry, None))

    def submit_fact(self, entry: Entry) -> None:
        """Queue an entry that nobody waits for; callable from any thread.

        It rides along with the next awaited entry, or goes half a second later: a commit of its own would delay one.
        """
        if self._facts_max is None or self._facts.qsize() < self._facts_max:
            self._facts.put(_Waiting(entry, None))
        else:
            _log.error("a fact was dropped: the database has been away for too long")

    @property
    def waiting(self) -> int:
        """How many entries wait to be written."""
        return self._queue.qsize() + self._facts.qsize()

    def _run(self) -> None:
        ended = False
        while not ended or self.waiting:
            group, met_end = self._next_group()
            ended = ended or met_end
            if group:
                self._meter.waiting.set(self.waiting)
                self._write_group(group)
                self._meter.waiting.set(self.waiting)

    def _next_group(self) -> tuple[list[_Waiting[Entry, Result]], bool]:
        """Wait for an entry; return what waits with it, awaited entries first, and whether the end was among them."""
        facts_min = min(self._facts.qsize(), self._facts_share)
        awaited, met_end = self._take_awaited(max(1, self._group_max - facts_min))
        return awaited + self._take_facts(max(facts_min, self._group_max - len(awaited))), met_end

    def _take_awaited(self, count_max: int) -> tuple[list[_Waiting[Entry, Result]], bool]:
        awaited: list[_Waiting[Entry, Result]] = []
        with contextlib.suppress(Empty):
            item = self._queue.get(timeout=0 if self._stopping else _FACTS_WAIT_S)
            while item is not None:
                awaited.append(item)
                if len(awaited) == count_max:
                    return awaited, False
                item = self._queue.get_nowait()
            return awaited, True
        return awaited, False

    def _take_facts(self, count_max: int) -> list[_Waiting[Entry, Result]]:
        return [self._facts.get_nowait() for _ in range(min(count_max, self._facts.qsize()))]

    def _write_group(self, group: Sequence[_Waiting[Entry, Result]]) -> None:
        results: Sequence[Result | AppError]
        try:
            results = self._write_patiently(group)
        except DatabaseUnavailable as error:
            _log.warning("records could not be written", entries=len(group), cause=str(error.__cause__))
            self._meter.failures.inc(len(group))
            results = [error] * len(group)
            self._keep_facts(group)
        except Exception as error:  # noqa: BLE001 - not even a bug may end the thread that every request waits for
            if len(group) > 1:
                middle = len(group) // 2
                self._write_group(group[:middle])
                self._write_group(group[middle:])
                return
            _log.exception("a record was refused")
            self._meter.failures.inc()
            results = [error if isinstance(error, AppError) else _not_recorded()]
        self._resolve(group, results)

    def _write_patiently(self, group: Sequence[_Waiting[Entry, Result]]) -> Sequence[Result | AppError]:
        backoff_s, uncertain = _BACKOFF_S_FIRST, None
        since_s = next((waiting.since_s for waiting in group if waiting.future is not None), None)  # of the oldest
        while True:
            started_s = time.monotonic()
            try:
                results = self._write([waiting.entry for waiting in group])
            except DatabaseUnavailable as error:
                uncertain = uncertain or (error if isinstance(error, CommitUncertain) else None)
                if since_s is None or self._stopping or time.monotonic() - since_s >= self._patience_s:
                    raise uncertain or error from error.__cause__  # one try that may have worked is enough to say so
                self._meter.retries.inc()
                time.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, _BACKOFF_S_MAX)
                continue
            if len(results) != len(group):
                raise InvariantViolation(f"{len(group)} entries were written with {len(results)} results")
            self._meter.wrote(len(group), time.monotonic() - started_s)
            return results

    def _keep_facts(self, group: Sequence[_Waiting[Entry, Result]]) -> None:
        """Queue again what nobody waits for, so that an outage of the database loses no fact about the hardware."""
        if not self._stopping:
            for waiting in group:
                if waiting.future is None:
                    self.submit_fact(waiting.entry)

    def _resolve(self, group: Sequence[_Waiting[Entry, Result]], results: Sequence[Result | AppError]) -> None:
        pairs = [(w.future, result) for w, result in zip(group, results, strict=True) if w.future is not None]
        if pairs and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve_all, pairs)


def _not_recorded() -> Unavailable:
    return Unavailable("the call could not be recorded; nothing was charged")


def _resolve_all(pairs: "Sequence[tuple[asyncio.Future[Result], Result | AppError]]") -> None:
    for future, result in pairs:
        if future.done():
            continue
        if isinstance(result, AppError):
            future.set_exception(result)
        else:
            future.set_result(result)
