"""One batch: what cannot be told as an answer is a failure of the model, whatever raised."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from app.clock import SystemClock
from app.inference.batch_execution import PendingJob, execute, fact_of, outcomes_of
from app.inference.engine import Job, ModelFailed
from app.inference.inputs import ModelInput
from app.inference.manifest import parse_manifest
from app.inference.runner import Runner

FOLDER = Path("models") / "vgg16-digits"


def digits_runner() -> Runner:
    predictor = SimpleNamespace(
        labels=tuple("0123456789"), predict_batch=lambda batch: np.full((len(batch), 10), 0.1, dtype=np.float32)
    )
    module: Any = SimpleNamespace(load=lambda _version_dir, _device: predictor)
    manifest = parse_manifest((FOLDER / "model.toml").read_text(encoding="utf-8"))
    return Runner(manifest, 1, "cpu", module, FOLDER / "1")


def pending_job() -> PendingJob:
    images = np.zeros((2, 32, 32, 3), dtype=np.uint8)
    job = Job("vgg16-digits", 1, "acct_1", ModelInput(2, images.nbytes, images), 2**62)
    return PendingJob(2, 0, 2**62, job, asyncio.get_running_loop().create_future())


async def test_outputs_that_cannot_be_told_fail_every_call_of_their_batch() -> None:
    runner, batch = digits_runner(), [pending_job(), pending_job()]
    execution = execute(runner, batch, SystemClock())
    runner.labels = ()
    outcomes = outcomes_of(runner, batch, execution)
    assert [(pending, type(outcome)) for pending, outcome in outcomes] == [(job, ModelFailed) for job in batch]
    fact = fact_of(runner, "inline", batch, execution, outcomes)
    assert (fact.items, fact.items_failed) == (4, 4)
