"""Training `linear` again gives the committed weights and card."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from app.training.linear import EPOCHS, LinearReport, train_linear

COMMITTED = Path("models") / "linear" / "1"
Trained = tuple[Path, LinearReport, list[int]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    version_dir = tmp_path_factory.mktemp("linear") / "1"
    epochs: list[int] = []
    report = train_linear(Path("models") / "linear" / "predictor.py", version_dir, epochs.append)
    return version_dir, report, epochs


def test_the_committed_weights_and_card_are_reproduced(trained: Trained) -> None:
    version_dir, _, _ = trained
    fresh, committed = (load_file(path / "weights.safetensors") for path in (version_dir, COMMITTED))
    assert fresh.keys() == committed.keys()
    for name, weight in fresh.items():
        torch.testing.assert_close(weight, committed[name], rtol=1e-3, atol=1e-2)
    assert (version_dir / "card.md").read_text() == (COMMITTED / "card.md").read_text()


def test_descent_comes_as_far_as_the_closed_form(trained: Trained) -> None:
    _, report, _ = trained
    assert report.sgd.r2 == pytest.approx(report.closed_form.r2, abs=0.01)
    assert report.sgd.rmse == pytest.approx(report.closed_form.rmse, rel=0.01)
    assert report.rows_train + report.rows_held_out == 442


def test_progress_is_told_every_epoch(trained: Trained) -> None:
    assert trained[2] == list(range(1, EPOCHS + 1))
