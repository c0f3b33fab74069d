"""Writing a trained version, while a server may be looking for it.

A new folder appears whole, by one rename. To replace one takes two: for a moment there is none, and never half of one;
where the second fails, the one before comes back.
"""

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
            _replace(version_dir, fresh, aside=Path(f"{temporary}-before"))
        else:
            fresh.rename(version_dir)


def _replace(version_dir: Path, fresh: Path, *, aside: Path) -> None:
    """Put `fresh` in the place of `version_dir`, whose old content waits `aside` until that is done."""
    version_dir.rename(aside)
    try:
        fresh.rename(version_dir)
    except BaseException:
        aside.rename(version_dir)
        raise
    shutil.rmtree(aside)
