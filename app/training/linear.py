"""Training `linear`: stochastic gradient descent on the squared error, beside the closed form on the same split."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import r2_score, root_mean_squared_error
from torch import nn

from app.inference.runner import load_module
from app.training.held_out import RowSplit, split_diabetes
from app.training.version_writer import write_version

EPOCHS = 1000
_SEED = 2026
_ROWS_PER_STEP = 32
# The features have a variance of 1/442: the steps along them are that much smaller than the step of the bias.
_WEIGHT_RATE = 1.0
_BIAS_RATE = 0.01


@dataclass(frozen=True, slots=True)
class RowFit:
    """How well held-out rows are predicted; `rmse` in the unit of the target."""

    r2: float
    rmse: float


@dataclass(frozen=True, slots=True)
class LinearReport:
    """The trained regression beside the best that any linear one can do on its training rows."""

    sgd: RowFit
    closed_form: RowFit
    rows_train: int
    rows_held_out: int
    epochs: int


def train_linear(predictor: Path, version_dir: Path, on_epoch: Callable[[int], None]) -> LinearReport:
    """Train on the diabetes data, write the version, and report. The same machine makes the same weights each time."""
    split = split_diabetes()
    torch.manual_seed(_SEED)
    network: nn.Module = load_module(predictor).build_network()
    _descend(network, split, on_epoch)
    with torch.inference_mode():
        predicted = network(torch.from_numpy(split.held_out_rows).float()).squeeze(1).numpy()
    report = LinearReport(
        sgd=_fit(split, predicted),
        closed_form=_fit(split, _closed_form(split)),
        rows_train=len(split.train_rows),
        rows_held_out=len(split.held_out_rows),
        epochs=EPOCHS,
    )
    write_version(network, card_of(report), version_dir)
    return report


def card_of(report: LinearReport) -> str:
    """Return the model card."""
    return f"""# linear, version 1

`nn.Linear(10, 1)`, trained by `faremeter train linear`: SGD with momentum on the mean squared error,
{report.epochs} epochs. Data: the diabetes data set that scikit-learn carries (442 patients; Efron et al., "Least Angle
Regression", 2004), its ten features scaled as it ships them. {report.rows_train} patients to train on,
{report.rows_held_out} held out.

| on the held-out patients | R² | RMSE |
|---|---|---|
| this model (SGD) | {report.sgd.r2:.4f} | {report.sgd.rmse:.2f} |
| closed form (least squares) | {report.closed_form.r2:.4f} | {report.closed_form.rmse:.2f} |

The target is a measure of progression, 25 to 346, whose standard deviation is 77. It is an example of a model, and no
medical advice.
"""


def _descend(network: nn.Module, split: RowSplit, on_epoch: Callable[[int], None]) -> None:
    rows = torch.from_numpy(split.train_rows).float()
    targets = torch.from_numpy(split.train_targets).float().unsqueeze(1)
    weight, bias = network.parameters()
    rates: list[dict[str, Any]] = [
        {"params": [weight], "lr": _WEIGHT_RATE},
        {"params": [bias], "lr": _BIAS_RATE},
    ]
    optimizer = torch.optim.SGD(rates, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    mean_squared_error = nn.MSELoss()
    for epoch in range(EPOCHS):
        order = torch.randperm(len(rows))
        for start in range(0, len(rows), _ROWS_PER_STEP):
            step = order[start : start + _ROWS_PER_STEP]
            optimizer.zero_grad()
            mean_squared_error(network(rows[step]), targets[step]).backward()
            optimizer.step()
        schedule.step()
        on_epoch(epoch + 1)


def _closed_form(split: RowSplit) -> NDArray[np.float64]:
    def with_one(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([rows, np.ones(len(rows))])

    solution = np.linalg.lstsq(with_one(split.train_rows), split.train_targets, rcond=None)[0]
    predicted: NDArray[np.float64] = with_one(split.held_out_rows) @ solution
    return predicted


def _fit(split: RowSplit, predicted: NDArray[Any]) -> RowFit:
    return RowFit(
        float(r2_score(split.held_out_targets, predicted)),
        float(root_mean_squared_error(split.held_out_targets, predicted)),
    )
