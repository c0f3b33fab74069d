"""A model that does what its rows ask for: it answers, raises, has no number, dawdles, or waits to be let go."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from textwrap import dedent

import torch
from safetensors.torch import save_file

JSON = {"Content-Type": "application/json"}
PREDICT = "/v1/models/wayward/predict"
DAWDLES_S = 2.5


class Wish(IntEnum):
    """What a row asks for, in its one feature. `WAIT` lasts for as long as `held_back` does."""

    ANSWER = 0
    RAISE = 1
    NAN = 2
    INFINITY = 3
    DAWDLE = 4
    WAIT = 5


_PREDICTOR = f'''
"""Does what its rows ask for."""

import time
from pathlib import Path

import numpy as np

HELD_BACK = Path(__file__).parent / "held-back"


class Predictor:
    def predict_batch(self, batch):
        wishes = batch[:, 0]
        time.sleep(0.005)
        if (wishes == {Wish.DAWDLE}).any():
            time.sleep({DAWDLES_S})
        while (wishes == {Wish.WAIT}).any() and HELD_BACK.exists():
            time.sleep(0.01)
        if (wishes == {Wish.RAISE}).any():
            raise RuntimeError("as it was asked to")
        answers = np.where(wishes == {Wish.NAN}, np.nan, np.where(wishes == {Wish.INFINITY}, np.inf, wishes))
        return answers.astype(np.float32)[:, None]


def load(version_dir, device):
    return Predictor()
'''
_MANIFEST = """
    name = "wayward"
    title = "Does what its rows ask for"
    task = "regression"
    description = "For tests of failures."
    unit = "row"
    inputs_max = 100
    device = "cpu"
    default_version = 1
    [input]
    kind = "tensor"
    features = 1
    [output]
    kind = "number"
    name = "wish"
    [batching]
    items_max = 32
"""


def build_wayward(models_dir: Path) -> None:
    """Lay out a repository with this one model."""
    folder = models_dir / "wayward"
    (folder / "1").mkdir(parents=True)
    (folder / "predictor.py").write_text(_PREDICTOR)
    (folder / "model.toml").write_text(dedent(_MANIFEST))
    save_file({"nothing": torch.zeros(1)}, folder / "1" / "weights.safetensors")


@contextmanager
def held_back(models_dir: Path) -> Iterator[None]:
    """Let rows that say `WAIT` wait in the model for so long, in all processes."""
    barrier = models_dir / "wayward" / "held-back"
    barrier.touch()
    try:
        yield
    finally:
        barrier.unlink()


def body_of(wish: Wish) -> bytes:
    """Return the body of a call with one row; an idempotency key belongs to its very bytes."""
    return b'{"inputs": [[%d]]}' % wish
