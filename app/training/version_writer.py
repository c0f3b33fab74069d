"""Writing a trained version: the folder appears whole, by one rename, while a server may be looking for it."""

import shutil
import tempfile
from pathlib import Path

from safetensors.torch import save_file
from torch import nn


def write_version(network: nn.Module, card: str, version_dir: Path) -> None:
    """Write the weights as safetensors, and the card, to `version_dir`; a version that is there already is replaced."""
    version_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=version_dir.parent, prefix=".writing-") as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
        save_file(state, fresh / "weights.safetensors")
        (fresh / "card.md").write_text(card, encoding="utf-8")
        if version_dir.exists():
            shutil.move(version_dir, Path(temporary) / "old")
        fresh.rename(version_dir)
