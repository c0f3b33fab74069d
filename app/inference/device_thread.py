"""The owner thread of one device: it takes batches, runs them, and hands each result back to the event loop.

Invariants: nothing but this thread runs the device for a call; one wake-up of the loop a batch; the state of an entry
changes only under the lock, so that a cancellation and a start cannot both win; whatever a batch raises ends that
batch alone.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.clock import Clock
from app.errors import AppError
from app.inference.batch_execution import Outcome, PendingJob, execute, fact_of, outcomes_of
from app.inference.batch_queue import BatchQueue, EntryState
from app.inference.engine import Cancelled, DeadlineExceeded, Job, ModelFailed, ModelUnavailable, OnBatch
from app.inference.prediction import BatchFact, Prediction
from app.inference.runner import Runner
from app.telemetry import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lane:
    """One loaded version with the calls that wait for it."""

    runner: Runner
    queue: BatchQueue[PendingJob]


class DeviceThread:
    """Runs the versions of one device, the one whose oldest call waits longest first."""

    def __init__(
        self,
        *,
        device: str,
        engine: str,
        clock: Clock,
        on_batch: OnBatch,
        loop: asyncio.AbstractEventLoop,
        queue_items_max: int,
    ) -> None:
        self.device = device
        self._engine = engine
        self._clock = clock
        self._on_batch = on_batch
        self._loop = loop
        self._queue_items_max = queue_items_max
        self._lanes: list[Lane] = []
        self._stopping = False
        self._wake = threading.Condition(threading.Lock())
        self._thread = threading.Thread(target=self._run, name=f"device-{device}", daemon=True)
        self._thread.start()

    def add(self, runner: Runner) -> Lane:
        """Begin to serve a version that is loaded and warm."""
        items_max = runner.manifest.batching.items_max
        lane = Lane(runner, BatchQueue(items_max=items_max, waiting_items_max=self._queue_items_max))
        with self._wake:
            self._lanes.append(lane)
        return lane

    def submit(self, lane: Lane, job: Job) -> PendingJob:
        """Queue a job, on the event loop. Raises Overloaded, ModelUnavailable."""
        submitted_ns = time.perf_counter_ns()
        pending = PendingJob(job.input.items, submitted_ns, job.deadline_ns, job, self._loop.create_future())
        with self._wake:
            if self._stopping:
                raise ModelUnavailable("the server is stopping", hint="try again shortly", retry_after_s=5)
            lane.queue.offer(pending)
            self._wake.notify()
        return pending

    def withdraw(self, lane: Lane, pending: PendingJob) -> bool:
        """Take a job back, on the event loop. True where it had not started."""
        with self._wake:
            left = lane.queue.withdraw(pending)
            pending.abandoned = pending.state is EntryState.STARTED
        if left:
            _settle(pending, Cancelled("the call was given up before it started; nothing was charged"))
        return left

    def stop(self) -> None:
        """Refuse what waits, finish what runs, and end the thread; blocks until then."""
        with self._wake:
            self._stopping = True
            waiting = [pending for lane in self._lanes for pending in lane.queue.drain()]
            self._wake.notify()
        self._refuse(waiting, ModelUnavailable("the server is stopping; nothing was charged", retry_after_s=5))
        self._thread.join()

    def _run(self) -> None:
        while lane := self._next_lane():
            with self._wake:
                take = lane.queue.take(time.perf_counter_ns())
            self._refuse(take.expired, DeadlineExceeded("the deadline passed while the call waited for its model"))
            if batch := [pending for pending in take.batch if not pending.result.cancelled()]:
                self._execute_or_fail(lane.runner, batch)

    def _next_lane(self) -> Lane | None:
        """Wait for work; return the lane whose head has waited longest, or None once the thread is to end."""
        with self._wake:
            while not self._stopping:
                waiting = [(oldest, lane) for lane in self._lanes if (oldest := lane.queue.oldest_ns()) is not None]
                if waiting:
                    return min(waiting, key=lambda pair: pair[0])[1]
                self._wake.wait()
        return None

    def _execute_or_fail(self, runner: Runner, batch: list[PendingJob]) -> None:
        try:
            self._execute(runner, batch)
        except BaseException:  # noqa: BLE001 - a dead thread would hang every model of its device for good
            _log.exception("batch_not_executed", model=runner.manifest.name, version=runner.number)
            self._refuse(batch, ModelFailed("the call could not be run; nothing was charged"))

    def _execute(self, runner: Runner, batch: list[PendingJob]) -> None:
        """Run one batch and settle its jobs.

        Where the model raises, it is not known which call's inputs did it: the jobs run again one by one, each as a
        batch of its own, so that one poisonous call fails alone. The batch that raised is reported with all its items
        failed; its time is charged to nobody.
        """
        execution = execute(runner, batch, self._clock)
        one_by_one = execution.outputs is None and len(batch) > 1
        outcomes = [] if one_by_one else outcomes_of(runner, batch, execution)
        self._report(fact_of(runner, self._engine, batch, execution, outcomes))
        if one_by_one:
            for pending in batch:
                self._execute(runner, [pending])
        else:
            self._deliver(outcomes)

    def _report(self, fact: BatchFact) -> None:
        try:
            self._on_batch(fact)
        except Exception:  # noqa: BLE001 - the listener's failure must not fail the calls, nor end this thread
            _log.exception("batch_not_reported", batch=fact.id)

    def _refuse(self, pending_jobs: Sequence[PendingJob], error: AppError) -> None:
        if pending_jobs:
            self._deliver([(pending, error) for pending in pending_jobs])

    def _deliver(self, outcomes: Sequence[Outcome]) -> None:
        self._loop.call_soon_threadsafe(_settle_all, outcomes)


def _settle_all(outcomes: Sequence[Outcome]) -> None:
    for pending, outcome in outcomes:
        _settle(pending, outcome)


def _settle(pending: PendingJob, outcome: Prediction | AppError) -> None:
    """Set the result on the event loop, unless whoever awaited it cancelled the future."""
    if pending.result.done():
        return
    if isinstance(outcome, Prediction):
        pending.result.set_result(outcome)
    else:
        pending.result.set_exception(outcome)
        if pending.abandoned or isinstance(outcome, Cancelled):
            pending.result.exception()  # marks it as read: whoever gave up has often left, and that is no warning
