"""The data and their splits. What is held out is only ever used to say how good a finished model is, and to show it."""

from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_diabetes, load_digits

_SEED = 2026
_DIABETES_HELD_OUT = 89  # of 442 patients
_DIGITS_HELD_OUT = 360  # of 1,797 pictures
_DIGITS_VALIDATION = 180


@dataclass(frozen=True, slots=True)
class RowSplit:
    """Rows for training and rows held out: items x 10, and one target each."""

    train_rows: NDArray[np.float64]
    train_targets: NDArray[np.float64]
    held_out_rows: NDArray[np.float64]
    held_out_targets: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DigitSplit:
    """Digits, items x 8 x 8 bytes, in three parts: for training, for deciding when to stop, and held out."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    validation_images: NDArray[np.uint8]
    validation_labels: NDArray[np.int64]
    held_out_images: NDArray[np.uint8]
    held_out_labels: NDArray[np.int64]


def split_diabetes() -> RowSplit:
    """Return the diabetes data, split once and for all."""
    rows, targets = load_diabetes(return_X_y=True)
    order = np.random.default_rng(_SEED).permutation(len(rows))
    held_out, train = order[:_DIABETES_HELD_OUT], order[_DIABETES_HELD_OUT:]
    return RowSplit(rows[train], targets[train], rows[held_out], targets[held_out])


def split_digits() -> DigitSplit:
    """Return the digits, split once and for all; their 17 levels of grey are spread over a byte."""
    digits = load_digits()
    images, labels = np.round(digits.images * (255 / 16)).astype(np.uint8), digits.target
    order = np.random.default_rng(_SEED).permutation(len(images))
    held_out, validation, train = np.split(order, [_DIGITS_HELD_OUT, _DIGITS_HELD_OUT + _DIGITS_VALIDATION])
    return DigitSplit(
        images[train], labels[train], images[validation], labels[validation], images[held_out], labels[held_out]
    )


def held_out_patients(count: int) -> tuple[list[list[float]], list[float]]:
    """Return the first held-out patients, ten features each, and the progression that was measured a year later."""
    split = split_diabetes()
    return split.held_out_rows[:count].tolist(), split.held_out_targets[:count].tolist()


def held_out_digits(count: int) -> list[tuple[bytes, int]]:
    """Return the first held-out digits: PNG files of 8 x 8 pixels, and what each shows."""
    split = split_digits()
    pairs = zip(split.held_out_images[:count], split.held_out_labels[:count].tolist(), strict=True)
    return [(_png(image), label) for image, label in pairs]


def sample_photograph() -> bytes:
    """Return the JPEG file of a flower, 640 x 427 pixels, that scikit-learn carries."""
    return files("sklearn.datasets.images").joinpath("flower.jpg").read_bytes()


def _png(image: NDArray[np.uint8]) -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()
