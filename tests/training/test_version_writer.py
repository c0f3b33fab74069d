"""Writing a version: whole, or not at all."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from app.training.version_writer import write_version


def test_a_version_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        network = nn.Linear(2, 1)
        nn.init.constant_(network.weight, value)
        write_version(network, f"card {value}", tmp_path / "m" / "1")
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["1"]
    assert torch.equal(load_file(tmp_path / "m" / "1" / "weights.safetensors")["weight"], torch.full((1, 2), 2.0))
    assert (tmp_path / "m" / "1" / "card.md").read_text() == "card 2.0"
