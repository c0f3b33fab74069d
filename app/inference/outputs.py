"""Outputs: the arrays of a predictor as the plain values that an answer carries."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.inference.manifest import ClassesOutput, NumberOutput
from app.inference.prediction import Output


def output_width(spec: NumberOutput | ClassesOutput) -> int:
    """Return how many numbers a predictor answers for one input."""
    return 1 if isinstance(spec, NumberOutput) else spec.classes


def to_outputs(
    spec: NumberOutput | ClassesOutput, labels: tuple[str, ...], values: NDArray[np.float32]
) -> list[Output]:
    """Turn items x width finite numbers into one object an item."""
    if isinstance(spec, NumberOutput):
        return [{spec.name: _shortest(value)} for value in values[:, 0].tolist()]
    order = np.argsort(-values, axis=1, kind="stable")[:, : spec.top_k]
    best = np.take_along_axis(values, order, axis=1)
    return [_classes(labels, *pair) for pair in zip(order.tolist(), best.tolist(), strict=True)]


def _classes(labels: tuple[str, ...], places: list[int], probabilities: list[float]) -> dict[str, Any]:
    top = [
        {"label": labels[place], "probability": _shortest(probability)}
        for place, probability in zip(places, probabilities, strict=True)
    ]
    return {**top[0], "top": top}


def _shortest(value: float) -> float:
    """Drop the digits that a float32 never had: nine significant ones name it exactly."""
    return float(f"{value:.9g}")
