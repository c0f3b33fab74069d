"""Training the digits: one epoch in the short form; all of them, to the promised accuracy, in the full one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.inference.manifest import parse_manifest
from app.inference.runner import Runner, load_module
from app.training.held_out import split_digits
from app.training.vgg16_digits import EPOCHS, TrainingProgress, to_images, train_vgg16_digits

FOLDER = Path("models") / "vgg16-digits"


@pytest.mark.timeout(1800)
def test_training_learns_and_what_it_wrote_is_served(tmp_path: Path, n: Callable[[int, int], int]) -> None:
    seen: list[TrainingProgress] = []
    epochs = n(1, EPOCHS)
    report = train_vgg16_digits(FOLDER / "predictor.py", tmp_path / "1", seen.append, epochs=epochs)
    assert report.held_out_accuracy >= (0.97 if epochs == EPOCHS else 0.5)
    assert [state.step for state in seen] == list(range(1, len(seen) + 1))
    assert f"{report.held_out_accuracy:.2%}" in (tmp_path / "1" / "card.md").read_text()

    manifest = parse_manifest((FOLDER / "model.toml").read_text(encoding="utf-8"))
    runner = Runner(manifest, 1, "cpu", load_module(FOLDER / "predictor.py"), tmp_path / "1")
    split = split_digits()
    outputs, bucket = runner.run(to_images(split.held_out_images))
    assert bucket == manifest.batching.items_max
    assert np.mean(outputs.argmax(axis=1) == split.held_out_labels) == pytest.approx(report.held_out_accuracy, abs=0.01)
