"""Writing a version: whole, or not at all."""

from pathlib import Path

import pytest
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


def test_the_version_before_comes_back_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version_dir = tmp_path / "m" / "1"
    write_version(nn.Linear(2, 1), "the card before", version_dir)
    rename = Path.rename

    def fail_for_the_fresh_one(path: Path, target: Path) -> Path:
        if path.name == "fresh":
            raise OSError("no space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_fresh_one)
    with pytest.raises(OSError, match="no space left"):
        write_version(nn.Linear(2, 1), "the card after", version_dir)
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["1"]
    assert (version_dir / "weights.safetensors").exists()
    assert (version_dir / "card.md").read_text() == "the card before"
