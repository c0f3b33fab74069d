"""Checking a model outside a server: load it, run one input, look at the answer."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.inference.engine import ModelNotFound, ModelUnavailable, VersionNotFound
from app.inference.image import decode_image
from app.inference.inputs import InputInvalid, read_images
from app.inference.manifest import ImageInput, Manifest, TensorInput
from app.inference.model_repository import WEIGHTS_FILE, ModelFolder, ModelRepository
from app.inference.outputs import to_outputs
from app.inference.prediction import Output
from app.inference.runner import Runner, choose_device, load_module
from app.inference.weights_fetch import fetch_now


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What a model answered to one input, and how long loading and (once warm) running it took."""

    model: str
    version: int
    device: str
    load_ms: int
    run_us: int
    output: Output


def find_model(repository: ModelRepository, name: str) -> ModelFolder:
    """Return the model's folder. Raises ModelNotFound."""
    found = next((folder for folder in repository.scan() if folder.name == name), None)
    if found is None:
        raise ModelNotFound(f"there is no model {name!r}", where="model", hint="`faremeter model list` lists them")
    return found


def check_model(
    repository: ModelRepository, name: str, *, version: int | None, device: str, photo: Path | None
) -> ModelCheck:
    """Load a version and run the photo, or zeros without one.

    Raises ModelNotFound, VersionNotFound, ModelUnavailable with the reason, InputInvalid, and what the model raises.
    """
    folder = find_model(repository, name)
    if folder.manifest is None:
        raise ModelUnavailable(f"{name}: {folder.reason}")
    batch = _one_input(folder.manifest.input, photo)
    started_ns = time.perf_counter_ns()
    runner = _load(folder, folder.manifest, version or folder.manifest.default_version, device)
    runner.warm_up()
    loaded_ns = time.perf_counter_ns()
    outputs, _ = runner.run(batch)
    run_us = (time.perf_counter_ns() - loaded_ns) // 1000
    (output,) = to_outputs(folder.manifest.output, runner.labels, outputs)
    load_ms = (loaded_ns - started_ns) // 1_000_000
    return ModelCheck(name, runner.number, runner.device, load_ms, run_us, output)


def _load(folder: ModelFolder, manifest: Manifest, number: int, device: str) -> Runner:
    version = folder.versions.get(number)
    if version is None:
        raise VersionNotFound(f"{folder.name} has no version {number}", where="version")
    weights, refusal = version.weights, version.refusal()
    if refusal or weights is None:
        raise ModelUnavailable(f"{folder.name} {number}: {refusal}", hint=f"`faremeter model fetch {folder.name}`")
    chosen = "cpu" if manifest.device == "cpu" else choose_device(device)
    return Runner(manifest, number, chosen, load_module(folder.predictor), weights.parent)


def _one_input(spec: TensorInput | ImageInput, photo: Path | None) -> NDArray[Any]:
    if isinstance(spec, ImageInput):
        if photo is None:
            return np.zeros((1, spec.crop, spec.crop, 3), dtype=np.uint8)
        (file,) = read_images(spec, [photo.read_bytes()], inputs_max=1).files
        return decode_image(spec, file, str(photo))[np.newaxis]
    if photo is not None:
        raise InputInvalid("this model takes rows of numbers, not pictures", where="--photo")
    return np.zeros((1, spec.features), dtype=np.float32)


def fetch_model(repository: ModelRepository, name: str, *, version: int | None) -> Path:
    """Fetch the weights of a version and return their file. Raises ModelNotFound, ModelUnavailable, FetchFailed."""
    folder = find_model(repository, name)
    if folder.manifest is None:
        raise ModelUnavailable(f"{name}: {folder.reason}")
    target = repository.version(name, version or folder.manifest.default_version)
    if target.weights is None:
        fetch_now(folder.predictor, target.data_folder)
    return target.weights or target.data_folder / WEIGHTS_FILE
