"""A runner: one loaded version on one device. The only module of this package that knows torch."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from app.errors import Invalid
from app.inference.engine import ModelFailed
from app.inference.manifest import ClassesOutput, ImageInput, Manifest
from app.inference.outputs import output_width


class Predictor(Protocol):
    """What `load` of a `predictor.py` returns. It may also have `labels`, one text a class."""

    def predict_batch(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """Turn items x … (float32 rows, or uint8 height x width x 3) into items x width."""
        ...


class DeviceInvalid(Invalid):
    """The device that the operator named is not in this machine."""

    code = "device_invalid"


def choose_device(name: str) -> str:
    """Return the torch name of a device: `auto` is the first GPU where there is one. Raises DeviceInvalid."""
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return "cpu"
    index = int(name.partition(":")[2] or 0)
    if index >= torch.cuda.device_count():
        raise DeviceInvalid(f"{name!r} is not in this machine", where="FAREMETER_DEVICE", hint="use auto or cpu")
    return f"cuda:{index}"


def load_module(predictor: Path) -> ModuleType:
    """Import a `predictor.py` afresh; raises whatever it raises."""
    spec = importlib.util.spec_from_file_location(f"faremeter_model_{predictor.parent.name}", predictor)
    if spec is None or spec.loader is None:
        raise ImportError(f"{predictor} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fetch_of(module: ModuleType) -> Callable[[Path], None] | None:
    """Return the predictor's `fetch(version_dir)`, which gets its weights from elsewhere, if it has one."""
    fetch: Callable[[Path], None] | None = getattr(module, "fetch", None)
    return fetch


class Runner:
    """One loaded version; used by one thread at a time."""

    def __init__(self, manifest: Manifest, number: int, device: str, module: ModuleType, version_dir: Path) -> None:
        """Load the weights. Raises whatever the predictor raises, and ModelFailed where its labels do not fit."""
        self.manifest = manifest
        self.number = number
        self.device = device
        self._predictor: Predictor = module.load(version_dir, device)
        self._width = output_width(manifest.output)
        self._buckets = manifest.batching.buckets if device != "cpu" else ()
        self.labels = tuple(getattr(self._predictor, "labels", ()))
        if isinstance(manifest.output, ClassesOutput) and len(self.labels) != self._width:
            raise ModelFailed(f"the model has {len(self.labels)} labels for {self._width} classes")

    def run(self, batch: NDArray[Any]) -> tuple[NDArray[np.float32], int]:
        """Return items x width and the largest size that went through the network at once.

        More than `items_max` inputs run in chunks. Raises ModelFailed for a wrong shape, and whatever the model raises.
        """
        items_max = self.manifest.batching.items_max
        with torch.inference_mode():
            if len(batch) <= items_max:
                return self._run_chunk(batch)
            chunks = [self._run_chunk(batch[start : start + items_max]) for start in range(0, len(batch), items_max)]
        return np.concatenate([outputs for outputs, _ in chunks]), max(bucket for _, bucket in chunks)

    def warm_up(self) -> None:
        """Run every bucket once, or one input: what is lazy in the libraries is paid before the version is ready."""
        spec = self.manifest.input
        for bucket in self._buckets or (1,):
            if isinstance(spec, ImageInput):
                self.run(np.zeros((bucket, spec.crop, spec.crop, 3), dtype=np.uint8))
            else:
                self.run(np.zeros((bucket, spec.features), dtype=np.float32))

    def _run_chunk(self, chunk: NDArray[Any]) -> tuple[NDArray[np.float32], int]:
        items = len(chunk)
        bucket = next((bucket for bucket in self._buckets if bucket >= items), items)
        if bucket > items:  # a GPU chooses and keeps its kernels by shape: few shapes, each warm
            chunk = np.concatenate([chunk, np.zeros((bucket - items, *chunk.shape[1:]), dtype=chunk.dtype)])
        outputs = np.asarray(self._predictor.predict_batch(chunk), dtype=np.float32)
        if outputs.shape != (bucket, self._width):
            raise ModelFailed(f"the model answered {outputs.shape}, its manifest says {(bucket, self._width)}")
        return outputs[:items], bucket
