"""A model that writes down how many calls are inside of it, and when: the witness of limits of calls at once.

Calls that say 1 are noted."""

from itertools import accumulate
from pathlib import Path
from textwrap import dedent

import torch
from safetensors.torch import save_file

_PREDICTOR = '''
"""Takes its time, and notes from when to when it had how many rows that say 1."""

import os
import time
from pathlib import Path

NOTES = Path(__file__).parent / "notes"


class Predictor:
    def predict_batch(self, batch):
        started_ns = time.monotonic_ns()  # one clock for all processes of a machine
        time.sleep(0.02)
        note = f"{started_ns} {time.monotonic_ns()} {int((batch[:, 0] == 1).sum())}\\n"
        with NOTES.open("ab", buffering=0) as notes:
            notes.write(note.encode())
        return batch[:, :1]


def load(version_dir, device):
    return Predictor()
'''
_MANIFEST = """
    name = "crowd"
    title = "Notes how many are inside"
    task = "regression"
    description = "For tests of limits."
    unit = "row"
    inputs_max = 100
    device = "cpu"
    default_version = 1
    [input]
    kind = "tensor"
    features = 1
    [output]
    kind = "number"
    name = "echo"
    [batching]
    items_max = 32
"""


def build_crowd(models_dir: Path) -> None:
    """Lay out a repository with this one model."""
    folder = models_dir / "crowd"
    (folder / "1").mkdir(parents=True)
    (folder / "predictor.py").write_text(_PREDICTOR)
    (folder / "model.toml").write_text(dedent(_MANIFEST))
    save_file({"nothing": torch.zeros(1)}, folder / "1" / "weights.safetensors")


def most_inside(models_dir: Path) -> int:
    """Return how many calls were inside of the model at once, at most, in all processes together."""
    steps = []
    for line in (models_dir / "crowd" / "notes").read_text().splitlines():
        started_ns, ended_ns, rows = map(int, line.split())
        steps += [(started_ns, rows), (ended_ns, -rows)]
    return max(accumulate(change for _, change in sorted(steps)))
