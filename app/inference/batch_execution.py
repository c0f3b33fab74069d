"""One batch on a device: the forward pass, and what it means for each job in it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.clock import Clock
from app.errors import AppError, InvariantViolation
from app.ids import new_id
from app.inference.batch_queue import Entry
from app.inference.engine import Job, ModelFailed
from app.inference.outputs import to_outputs
from app.inference.prediction import BatchFact, Prediction, compute_shares
from app.inference.runner import Runner
from app.telemetry import get_logger

_log = get_logger(__name__)


@dataclass(slots=True, eq=False)
class PendingJob(Entry):
    """A submitted job with the future that its caller awaits; `abandoned` once the caller gave up while it ran."""

    job: Job
    result: "asyncio.Future[Prediction]"
    abandoned: bool = False


# A job and its end: the prediction, or the error that its caller gets.
Outcome: TypeAlias = tuple[PendingJob, Prediction | AppError]


@dataclass(frozen=True, slots=True)
class Execution:
    """What a device did with a batch; `outputs` has one row an input, or is None where the model raised."""

    id: str
    started_at: datetime
    ended_at: datetime
    started_ns: int
    compute_us: int
    bucket: int
    outputs: NDArray[np.float32] | None


def execute(runner: Runner, batch: Sequence[PendingJob], clock: Clock) -> Execution:
    """Run the inputs of all jobs through the model at once. Never raises for a fault of the model: it is logged."""
    outputs, bucket = None, sum(pending.items for pending in batch)
    started_at, started_ns = clock.now(), time.perf_counter_ns()
    batch_id = new_id("bat", started_at)
    try:
        outputs, bucket = runner.run(_inputs_of(batch))
    except Exception:  # noqa: BLE001 - foreign code may raise anything; it must not end the thread of its device
        _log.exception("model_raised", model=runner.manifest.name, version=runner.number, batch=batch_id)
    compute_us = -((started_ns - time.perf_counter_ns()) // 1000)
    return Execution(batch_id, started_at, clock.now(), started_ns, compute_us, bucket, outputs)


def outcomes_of(runner: Runner, batch: Sequence[PendingJob], execution: Execution) -> list[Outcome]:
    """Return the end of each job. Where the model raised, or its outputs cannot be told, every job fails."""
    if execution.outputs is not None:
        try:
            return _answers(runner, batch, execution, execution.outputs)
        except Exception:  # noqa: BLE001 - labels and outputs come from foreign code; the device must go on
            _log.exception("outputs_not_told", model=runner.manifest.name, version=runner.number, batch=execution.id)
    return [(pending, ModelFailed("the model failed on this input; nothing was charged")) for pending in batch]


def fact_of(
    runner: Runner, engine: str, batch: Sequence[PendingJob], execution: Execution, outcomes: Sequence[Outcome]
) -> BatchFact:
    """Return the record of a batch; every item without a prediction among `outcomes` failed in it."""
    items = sum(pending.items for pending in batch)
    predicted = sum(pending.items for pending, outcome in outcomes if isinstance(outcome, Prediction))
    return BatchFact(
        id=execution.id,
        model=runner.manifest.name,
        version=runner.number,
        device=runner.device,
        engine=engine,
        started_at=execution.started_at,
        ended_at=execution.ended_at,
        compute_us=execution.compute_us,
        calls=len(batch),
        items=items,
        bucket=execution.bucket,
        items_failed=items - predicted,
        items_cancelled=sum(pending.items for pending in batch if pending.abandoned),
    )


def _answers(
    runner: Runner, batch: Sequence[PendingJob], execution: Execution, values: NDArray[np.float32]
) -> list[Outcome]:
    """Answer each job. One whose outputs are not all finite fails alone; its share is charged to nobody."""
    all_finite = bool(np.isfinite(values).all())
    outputs = to_outputs(runner.manifest.output, runner.labels, values)
    outcomes: list[Outcome] = []
    first = 0
    for pending, share in zip(batch, compute_shares(execution.compute_us, [job.items for job in batch]), strict=True):
        end = first + pending.items
        if all_finite or np.isfinite(values[first:end]).all():
            queue_us = (execution.started_ns - pending.submitted_ns) // 1000
            manifest, number = runner.manifest, runner.number
            answer = Prediction(outputs[first:end], pending.items, queue_us, share, execution.id, manifest.name, number)
            outcomes.append((pending, answer))
        else:
            error = ModelFailed("the model answered with numbers that are not finite; nothing was charged")
            outcomes.append((pending, error))
        first = end
    return outcomes


def _inputs_of(batch: Sequence[PendingJob]) -> NDArray[np.generic]:
    arrays = [array for pending in batch if (array := pending.job.input.array) is not None]
    if len(arrays) != len(batch):
        raise InvariantViolation("a job was submitted before its images were decoded")
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
