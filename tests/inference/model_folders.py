"""Small model folders for tests: real manifests, real predictors, real safetensors."""

import asyncio
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from safetensors.numpy import save_file

MANIFEST = """
name = "{name}"
title = "A model of the tests"
task = "regression"
description = "Answers twice the sum of a row."
unit = "row"
inputs_max = 1000
default_version = 1
[input]
kind = "tensor"
features = 2
[output]
kind = "number"
name = "double"
[batching]
items_max = {items_max}
"""

# A row that begins with 666 makes the model raise, 777 makes it answer NaN, 555 makes it wait for the gate: a FIFO, so
# that a test may hold a batch in any process without sleeping.
PREDICTOR = """
import numpy as np


class Doubler:
    def __init__(self, version_dir):
        self.gate = version_dir / "gate"

    def predict_batch(self, batch):
        if (batch[:, 0] == 555).any():
            self.gate.read_bytes()
        if (batch[:, 0] == 666).any():
            raise RuntimeError("poison")
        outputs = 2 * batch.sum(axis=1, keepdims=True)
        outputs[batch[:, 0] == 777] = np.nan
        return outputs


def load(version_dir, device):
    return Doubler(version_dir)
"""
HOLD, POISON, NOT_A_NUMBER = 555.0, 666.0, 777.0


class Gate:
    """Holds a batch that contains HOLD: `wait_until_held` returns once the model is inside it, `open` lets it go on."""

    def __init__(self, version_dir: Path) -> None:
        self._path = version_dir / "gate"
        os.mkfifo(self._path)
        self._writer: BinaryIO | None = None

    async def wait_until_held(self) -> None:
        self._writer = await asyncio.to_thread(self._path.open, "wb")

    def open(self) -> None:
        if self._writer is not None:
            self._writer.close()


def write_model(
    models_dir: Path, name: str, *, predictor: str = PREDICTOR, items_max: int = 8, manifest: str = MANIFEST
) -> Path:
    """Write `models/<name>/` without weights; return the folder of version 1."""
    folder = models_dir / name
    (folder / "1").mkdir(parents=True)
    (folder / "model.toml").write_text(manifest.format(name=name, items_max=items_max))
    (folder / "predictor.py").write_text(predictor)
    return folder / "1"


def write_weights(version_dir: Path) -> None:
    """Put weights in place by a rename, as training and fetching do."""
    version_dir.mkdir(parents=True, exist_ok=True)
    save_file({"weight": np.zeros(1, dtype=np.float32)}, version_dir / "weights.tmp")
    (version_dir / "weights.tmp").rename(version_dir / "weights.safetensors")
