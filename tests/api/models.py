"""The models of the tests' installation: the real ones, with weights made here, and one that fails when asked to."""

from pathlib import Path
from textwrap import dedent

import torch
from safetensors.torch import save_file

from app.inference.runner import load_module

REPOSITORY = Path(__file__).parents[2] / "models"
INTERCEPT = 152.0

# The first feature of a row says what happens: 1 raises, 2 answers NaN, 3 has the wrong shape; any other is echoed.
_MOODY_PREDICTOR = '''
"""A model that does what its first feature says."""

import numpy as np

from tests.api.gate import GATE


class Predictor:
    def predict_batch(self, batch):
        GATE.pass_through()
        wish = batch[:, 0]
        if (wish == 1).any():
            raise RuntimeError("the secret inside fm_live_0123456789 must not be shown")
        if (wish == 3).any():
            return np.zeros((len(batch), 7), dtype=np.float32)
        return np.where(wish == 2, np.nan, wish).astype(np.float32)[:, None]


def load(version_dir, device):
    return Predictor()
'''
_MOODY_MANIFEST = """
    name = "moody"
    title = "Does what its first feature says"
    task = "regression"
    description = "For tests of failures."
    unit = "row"
    inputs_max = 300
    device = "cpu"
    default_version = 1
    [input]
    kind = "tensor"
    features = 2
    [output]
    kind = "number"
    name = "echo"
    [batching]
    items_max = 8
"""


def build_models(models_dir: Path, data_dir: Path) -> None:
    """Lay out a repository: `linear`, `vgg16-digits` and `vgg16` (without weights) as they are, and `moody`."""
    models_dir.mkdir(parents=True)
    for name in ("linear", "vgg16-digits", "vgg16"):
        (models_dir / name).symlink_to(REPOSITORY / name)
    _build_moody(models_dir / "moody")
    save_linear(data_dir)
    save_digits(data_dir)


def save_linear(data_dir: Path) -> None:
    """Save a regression whose answer can be told by heart: feature n counts n-fold, and 152 is added."""
    network = load_module(REPOSITORY / "linear" / "predictor.py").build_network()
    with torch.no_grad():
        network.linear.weight.copy_(torch.arange(10, dtype=torch.float32)[None])
        network.linear.bias.fill_(INTERCEPT)
    _save("linear", data_dir, network)


def save_digits(data_dir: Path) -> None:
    """Save the digits' network as it is before it learns: it answers, and guesses."""
    torch.manual_seed(0)
    _save("vgg16-digits", data_dir, load_module(REPOSITORY / "vgg16-digits" / "predictor.py").build_network())


def _save(name: str, data_dir: Path, network: torch.nn.Module) -> None:
    folder = data_dir / "models" / name / "1"
    folder.mkdir(parents=True)
    save_file(network.state_dict(), folder / "weights.safetensors")


def _build_moody(folder: Path) -> None:
    (folder / "1").mkdir(parents=True)
    (folder / "model.toml").write_text(dedent(_MOODY_MANIFEST))
    (folder / "predictor.py").write_text(_MOODY_PREDICTOR)
    save_file({"nothing": torch.zeros(1)}, folder / "1" / "weights.safetensors")
