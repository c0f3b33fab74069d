"""Training `vgg16-digits` from scratch on a CPU in about two minutes.

AdamW under a one-cycle schedule, channels last. Training ends when the schedule does, or earlier once the validation
part is good enough; the held-out part is looked at once, afterwards.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from app.inference.image import fit_to_model
from app.inference.manifest import ImageInput
from app.inference.runner import load_module
from app.training.held_out import split_digits
from app.training.version_writer import write_version

EPOCHS = 4
IMAGE = ImageInput(resize=32, crop=32)
_SEED = 2026
_IMAGES_PER_STEP = 32
_RATE_MAX = 1e-3
_GOOD_ENOUGH = 0.99
_EVALUATED_AT_ONCE = 180


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Where training stands after a step; the accuracy is that of the last finished epoch on the validation part."""

    step: int
    steps: int
    loss: float
    validation_accuracy: float | None

    @property
    def note(self) -> str:
        """One line for a progress bar."""
        known = "" if self.validation_accuracy is None else f", validation accuracy {self.validation_accuracy:.1%}"
        return f"loss {self.loss:.3f}{known}"


@dataclass(frozen=True, slots=True)
class DigitsReport:
    """The trained network: the held-out accuracy says how good it is, the validation accuracy when it was stopped."""

    held_out_accuracy: float
    validation_accuracy: float
    epochs: int
    seconds: float
    images_train: int
    images_validation: int
    images_held_out: int


OnStep = Callable[[TrainingProgress], None]
_Part = tuple[torch.Tensor, torch.Tensor]


def train_vgg16_digits(predictor: Path, version_dir: Path, on_step: OnStep, *, epochs: int = EPOCHS) -> DigitsReport:
    """Train, write the version, and report."""
    started_s = time.monotonic()
    torch.manual_seed(_SEED)
    module = load_module(predictor)
    split = split_digits()
    train = _part(module.to_network, split.train_images, split.train_labels)
    validation = _part(module.to_network, split.validation_images, split.validation_labels)
    held_out = _part(module.to_network, split.held_out_images, split.held_out_labels)
    network: nn.Module = module.build_network().to(memory_format=torch.channels_last)
    validation_accuracy, epochs_done = _train(network, train, validation, on_step, epochs)
    report = DigitsReport(
        held_out_accuracy=_accuracy(network, held_out),
        validation_accuracy=validation_accuracy,
        epochs=epochs_done,
        seconds=round(time.monotonic() - started_s, 1),
        images_train=len(train[1]),
        images_validation=len(validation[1]),
        images_held_out=len(held_out[1]),
    )
    write_version(network, card_of(report), version_dir)
    return report


def card_of(report: DigitsReport) -> str:
    """Return the model card."""
    return f"""# vgg16-digits, version 1

VGG16's convolutional layers (with batch normalization) under new fully connected layers with dropout, trained from
scratch by `faremeter train vgg16` in {report.seconds:.0f} s and {report.epochs} epochs.

Held-out accuracy: {report.held_out_accuracy:.2%}, on {report.images_held_out} digits that were neither trained on nor
used to decide when to stop. Validation accuracy: {report.validation_accuracy:.2%}, on {report.images_validation}
digits. Trained on {report.images_train} digits.

Data: the handwritten digits that scikit-learn carries (1,797 pictures of 8 x 8 pixels; Alpaydin and Kaynak, 1998),
scaled to 32 x 32. White strokes on black; a picture of another kind gets an answer too, and it means little.
"""


def to_images(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale grey pictures to what the model sees, exactly as the server does with a PNG file of them."""
    return np.stack([fit_to_model(IMAGE, Image.fromarray(image).convert("RGB")) for image in images])


def _part(to_network: Callable[[torch.Tensor], torch.Tensor], images: NDArray[np.uint8], labels: NDArray[Any]) -> _Part:
    inputs = to_network(torch.from_numpy(to_images(images)))
    return inputs.contiguous(memory_format=torch.channels_last), torch.from_numpy(labels)


def _train(network: nn.Module, train: _Part, validation: _Part, on_step: OnStep, epochs: int) -> tuple[float, int]:
    """Return the last validation accuracy and the number of epochs done."""
    images, labels = train
    steps_per_epoch = len(labels) // _IMAGES_PER_STEP
    steps = epochs * steps_per_epoch
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE_MAX, weight_decay=5e-4, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=_RATE_MAX, total_steps=steps)
    cross_entropy = nn.CrossEntropyLoss()
    accuracy: float | None = None
    for epoch in range(epochs):
        network.train()
        order = torch.randperm(len(labels))
        for step in range(steps_per_epoch):
            chosen = order[step * _IMAGES_PER_STEP : (step + 1) * _IMAGES_PER_STEP]
            optimizer.zero_grad()
            loss = cross_entropy(network(images[chosen]), labels[chosen])
            loss.backward()
            optimizer.step()
            schedule.step()
            on_step(TrainingProgress(epoch * steps_per_epoch + step + 1, steps, float(loss.detach()), accuracy))
        accuracy = _accuracy(network, validation)
        if accuracy >= _GOOD_ENOUGH:
            break
    return accuracy or 0.0, epoch + 1


def _accuracy(network: nn.Module, part: _Part) -> float:
    images, labels = part
    network.eval()
    with torch.inference_mode():
        guesses = [
            network(images[start : start + _EVALUATED_AT_ONCE]).argmax(1)
            for start in range(0, len(labels), _EVALUATED_AT_ONCE)
        ]
    return int((torch.cat(guesses) == labels).sum()) / len(labels)
