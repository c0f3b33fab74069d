"""Runners: the shipped linear model as the server runs it, and what a broken predictor leads to."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from app.inference.engine import ModelFailed
from app.inference.inputs import InputInvalid, read_rows
from app.inference.manifest import ClassesOutput, Manifest, TensorInput, parse_manifest
from app.inference.runner import DeviceInvalid, Runner, choose_device, load_module

LINEAR = Path("models") / "linear"


def manifest_of(folder: Path) -> Manifest:
    return parse_manifest((folder / "model.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def linear() -> Runner:
    return Runner(manifest_of(LINEAR), 1, "cpu", load_module(LINEAR / "predictor.py"), LINEAR / "1")


def rows(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(scale=0.05, size=(count, 10)).astype(np.float32)


def test_linear_answers_one_number_a_row(linear: Runner) -> None:
    linear.warm_up()
    outputs, bucket = linear.run(rows(5))
    assert outputs.shape == (5, 1)
    assert bucket == 5
    assert ((outputs > 0) & (outputs < 400)).all()


def test_chunks_answer_what_one_batch_would(linear: Runner) -> None:
    batch = rows(600)
    outputs, bucket = linear.run(batch)
    assert bucket == 256
    alone = np.concatenate([linear.run(batch[place : place + 1])[0] for place in range(0, 600, 50)])
    np.testing.assert_allclose(outputs[::50], alone, rtol=1e-5)


def test_no_row_that_linear_admits_overflows_it(linear: Runner) -> None:
    spec = linear.manifest.input
    assert isinstance(spec, TensorInput)
    corners = np.array(list(product((spec.minimum, spec.maximum), repeat=spec.features)), dtype=np.float32)
    outputs, _ = linear.run(corners)
    assert np.isfinite(outputs).all()
    huge = [[0.0, 0.0, 0.0, 3e38, -3e38, 0.0, 0.0, 0.0, 0.0, 0.0]]
    with pytest.raises(InputInvalid, match="above 1000") as refusal:
        read_rows(spec, huge, inputs_max=1)
    assert refusal.value.where == "inputs[0][3]"


def broken(answer: Any, **attributes: Any) -> Any:
    predictor = SimpleNamespace(predict_batch=lambda _batch: answer, **attributes)
    return SimpleNamespace(load=lambda _version_dir, _device: predictor)


@pytest.mark.parametrize("shape", [(1,), (1, 2), (2, 1)])
def test_an_answer_of_the_wrong_shape_is_a_failure_of_the_model(shape: tuple[int, ...]) -> None:
    runner = Runner(manifest_of(LINEAR), 1, "cpu", broken(np.zeros(shape, dtype=np.float32)), LINEAR / "1")
    with pytest.raises(ModelFailed, match="its manifest says"):
        runner.run(rows(1))


@pytest.mark.parametrize("answer", [None, "text", [["text"]]])
def test_an_answer_that_is_no_array_of_numbers_never_leaves_the_runner(answer: object) -> None:
    runner = Runner(manifest_of(LINEAR), 1, "cpu", broken(answer), LINEAR / "1")
    with pytest.raises((ModelFailed, ValueError)):
        runner.run(rows(1))


def test_labels_must_fit_the_classes() -> None:
    folder = Path("models") / "vgg16-digits"
    with pytest.raises(ModelFailed, match="2 labels for 10 classes"):
        Runner(manifest_of(folder), 1, "cpu", broken(None, labels=("a", "b")), folder / "1")


def test_one_class_needs_its_label_too() -> None:
    folder = Path("models") / "vgg16-digits"
    manifest = replace(manifest_of(folder), output=ClassesOutput(classes=1, top_k=1))
    with pytest.raises(ModelFailed, match="0 labels for 1 class"):
        Runner(manifest, 1, "cpu", broken(None), folder / "1")


def test_a_device_that_is_not_there_is_refused() -> None:
    assert choose_device("cpu") == "cpu"
    with pytest.raises(DeviceInvalid):
        choose_device("cuda:63")


@pytest.mark.gpu
@pytest.mark.parametrize("items", [1, 3, 8, 20])
def test_a_gpu_answers_what_a_cpu_answers(items: int) -> None:
    folder = Path("models") / "vgg16-digits"
    module = load_module(folder / "predictor.py")
    torch.manual_seed(0)
    network = module.build_network()
    loaded = {
        device: SimpleNamespace(load=lambda _dir, name: module.Predictor(network, name)) for device in ("cpu", "cuda:0")
    }
    batch = np.random.default_rng(2).integers(0, 256, size=(items, 32, 32, 3), dtype=np.uint8)
    answers = []
    for device, stand_in in loaded.items():
        runner = Runner(manifest_of(folder), 1, device, stand_in, folder)  # type: ignore[arg-type]  # stands for a module
        runner.warm_up()
        answers.append(runner.run(batch)[0])
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-3)
