"""The inline engine keeps the contract, and what only it does."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

from app.clock import Clock, SystemClock
from app.errors import InvariantViolation
from app.inference.engine import Job, ModelFailed, ModelUnavailable, OnBatch, Overloaded, ServedVersion, VersionStatus
from app.inference.inline_engine import InlineEngine
from app.inference.inputs import InputInvalid, ModelInput
from app.inference.manifest import parse_manifest
from app.inference.model_repository import ModelRepository
from app.inference.prediction import BatchFact, Prediction
from app.inference.runner import load_module
from tests.inference.engine_contract import FAR_NS, ITEMS_MAX, QUEUE_ITEMS_MAX, EngineContract, Rig
from tests.inference.model_folders import PREDICTOR, Gate, write_model, write_weights

IMAGE_MANIFEST = (Path("models") / "vgg16-digits" / "model.toml").read_text(encoding="utf-8")


@asynccontextmanager
async def running(
    repository: ModelRepository,
    *,
    on_batch: OnBatch,
    device: str = "cpu",
    clock: Clock | None = None,
    fetch_weights: bool = True,
) -> AsyncIterator[InlineEngine]:
    engine = InlineEngine(
        repository,
        device=device,
        clock=clock or SystemClock(),
        on_batch=on_batch,
        queue_items_max=QUEUE_ITEMS_MAX,
        decode_threads=1,
        fetch_weights=fetch_weights,
    )
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


@asynccontextmanager
async def engine_over(
    folder: Path, *, clock: Clock | None = None, on_batch: OnBatch | None = None
) -> AsyncIterator[Rig]:
    """Serve the model `double` from a folder until the block ends."""
    models_dir, data_dir = folder / "models", folder / "data"
    version_dir = write_model(models_dir, "double", items_max=ITEMS_MAX)
    write_weights(version_dir)
    facts: list[BatchFact] = []
    repository = ModelRepository(models_dir, data_dir)
    async with running(repository, on_batch=on_batch or facts.append, clock=clock) as engine:
        rig = Rig(engine, models_dir, data_dir, Gate(version_dir), facts)
        try:
            await rig.wait_until_ready()
            yield rig
        finally:
            rig.gate.open()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with engine_over(tmp_path) as rig:
        yield rig


class TestInlineEngine(EngineContract):
    """The contract, against the inline engine."""


def png() -> bytes:
    file = BytesIO()
    Image.new("L", (8, 8), 128).save(file, "PNG")
    return file.getvalue()


async def test_images_are_decoded_before_they_are_submitted(rig: Rig) -> None:
    served = ServedVersion(parse_manifest(IMAGE_MANIFEST), 1)
    prepared = await rig.engine.prepare(served, ModelInput(2, 0, files=(png(), png())))
    assert prepared.array is not None
    assert prepared.array.shape == (2, 32, 32, 3)
    assert prepared.files == ()


async def test_the_first_image_that_is_cut_short_is_named(rig: Rig) -> None:
    manifest = parse_manifest(IMAGE_MANIFEST)
    files = ModelInput(3, 0, files=(png(), png()[:-30], png()[:-40]))
    with pytest.raises(InputInvalid) as refusal:
        await rig.engine.prepare(ServedVersion(manifest, 1), files)
    assert refusal.value.where == "inputs[1]"


async def test_more_images_than_may_wait_are_refused(rig: Rig) -> None:
    manifest = parse_manifest(IMAGE_MANIFEST)
    files = ModelInput(QUEUE_ITEMS_MAX + 1, 0, files=(png(),) * (QUEUE_ITEMS_MAX + 1))
    with pytest.raises(Overloaded):
        await rig.engine.prepare(ServedVersion(manifest, 1), files)


async def test_images_that_were_not_decoded_are_not_queued(rig: Rig) -> None:
    with pytest.raises(InvariantViolation):
        rig.engine.submit(Job("double", 1, "acct_1", ModelInput(1, 0, files=(png(),)), 2**62))


async def test_a_listener_that_raises_fails_no_call(tmp_path: Path) -> None:
    def refuse(_fact: BatchFact) -> None:
        raise RuntimeError("the listener is broken")

    async with engine_over(tmp_path, on_batch=refuse) as rig:
        assert (await rig.submit(1.0).result).items == 1


class FailingClock(SystemClock):
    """Raises once, when it is next asked after `fails` was set."""

    fails = False

    def now(self) -> datetime:
        if self.fails:
            self.fails = False
            raise SystemExit("the clock is broken")
        return super().now()


async def test_whatever_raises_beside_the_model_fails_its_batch_and_the_device_goes_on(tmp_path: Path) -> None:
    clock = FailingClock()
    async with engine_over(tmp_path, clock=clock) as rig:
        clock.fails = True
        with pytest.raises(ModelFailed):
            await asyncio.wait_for(rig.submit(1.0).result, timeout=10)
        assert (await rig.submit(1.0).result).items == 1


FETCHES = (
    PREDICTOR
    + """

def fetch(version_dir):
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(1, dtype=np.float32)}, version_dir / "weights.tmp")
    (version_dir / "weights.tmp").rename(version_dir / "weights.safetensors")
"""
)


async def test_weights_are_fetched_in_a_child_process_and_then_served(rig: Rig) -> None:
    write_model(rig.models_dir, "fetched", predictor=FETCHES)
    await rig.wait_until_ready("fetched")
    assert (rig.data_dir / "models" / "fetched" / "1" / "weights.safetensors").exists()


async def test_a_version_is_loading_while_its_weights_are_fetched(rig: Rig) -> None:
    version_dir = rig.data_dir / "models" / "slow" / "1"
    version_dir.mkdir(parents=True)
    gate = Gate(version_dir)
    waits = FETCHES.replace("    save_file(", "    (version_dir / 'gate').read_bytes()\n    save_file(")
    write_model(rig.models_dir, "slow", predictor=waits)
    await gate.wait_until_held()
    await rig.wait_for(lambda: rig.reason("slow") == "its weights are being fetched")
    assert rig.status("slow") is VersionStatus.LOADING
    with pytest.raises(ModelUnavailable, match="being fetched") as refusal:
        rig.engine.resolve("slow", None)
    assert refusal.value.retry_after_s
    gate.open()
    await rig.wait_until_ready("slow")


async def test_weights_that_cannot_be_fetched_leave_a_plain_reason(rig: Rig) -> None:
    failing = PREDICTOR + "\n\ndef fetch(version_dir):\n    raise OSError('no route to host')\n"
    write_model(rig.models_dir, "remote", predictor=failing)
    await rig.wait_for(lambda: "no route to host" in (rig.reason("remote") or ""))
    with pytest.raises(ModelUnavailable, match="could not be fetched"):
        rig.engine.resolve("remote", None)


MODELS = Path("models")
# cuDNN convolves in TensorFloat-32: rounding to its ten bits moves these probabilities by 2e-6. Two pictures differ by
# 1e-4, so a mixed-up batch would be seen.
PROBABILITY_TOLERANCE = 2e-5
_random = np.random.default_rng(2)
SHIPPED_INPUTS: dict[str, NDArray[Any]] = {
    "linear": _random.normal(scale=0.05, size=(3, 10)).astype(np.float32),
    "vgg16-digits": _random.integers(0, 256, size=(3, 32, 32, 3), dtype=np.uint8),
}


def draw_digits_weights(data_dir: Path) -> None:
    """Write weights of the real shapes, drawn at random; those of `linear` are committed."""
    version_dir = data_dir / "models" / "vgg16-digits" / "1"
    version_dir.mkdir(parents=True)
    torch.manual_seed(0)
    network = load_module(MODELS / "vgg16-digits" / "predictor.py").build_network()
    save_file(network.state_dict(), version_dir / "weights.safetensors")


async def run_shipped(device: str, data_dir: Path) -> tuple[dict[str, Prediction], dict[str, BatchFact]]:
    """Run the inputs of both models on an engine of their own; return the predictions and the batches, by model."""
    facts: list[BatchFact] = []
    predictions: dict[str, Prediction] = {}
    repository = ModelRepository(MODELS, data_dir)
    async with running(repository, device=device, on_batch=facts.append, fetch_weights=False) as engine:
        rig = Rig(engine, MODELS, data_dir, Gate(data_dir))
        for model, array in SHIPPED_INPUTS.items():
            await rig.wait_until_ready(model)
            model_input = ModelInput(len(array), array.nbytes, array)
            job = Job(model, 1, "acct_1", model_input, time.perf_counter_ns() + FAR_NS)
            predictions[model] = await engine.submit(job).result
    return predictions, {fact.model: fact for fact in facts}


def probabilities_of(prediction: Prediction) -> list[dict[str, float]]:
    return [{guess["label"]: guess["probability"] for guess in output["top"]} for output in prediction.outputs]


@pytest.mark.gpu
async def test_the_shipped_models_answer_on_a_gpu_as_on_a_cpu(tmp_path: Path) -> None:
    for device in ("cpu", "auto"):
        (tmp_path / device).mkdir()
        draw_digits_weights(tmp_path / device)
    on_cpu, _ = await run_shipped("cpu", tmp_path / "cpu")
    on_gpu, facts = await run_shipped("auto", tmp_path / "auto")
    assert (facts["vgg16-digits"].device, facts["vgg16-digits"].items, facts["vgg16-digits"].bucket) == ("cuda:0", 3, 4)
    assert facts["linear"].device == "cpu"  # as its manifest asks
    assert on_gpu["linear"].outputs == on_cpu["linear"].outputs
    for expected, found in zip(*map(probabilities_of, (on_cpu["vgg16-digits"], on_gpu["vgg16-digits"])), strict=True):
        assert found == pytest.approx(expected, abs=PROBABILITY_TOLERANCE)
