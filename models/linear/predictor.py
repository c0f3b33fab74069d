"""Linear regression: `nn.Linear(10, 1)` on the ten features of scikit-learn's diabetes data, as that data is scaled."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn

FEATURES = 10


class LinearRegression(nn.Module):
    """y = xW + b, items x 10 to items x 1."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(FEATURES, 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        prediction: torch.Tensor = self.linear(rows)
        return prediction


class Predictor:
    """The network on its device."""

    def __init__(self, network: nn.Module, device: str) -> None:
        self._network = network.eval().to(device)
        self._device = device

    def predict_batch(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        outputs: NDArray[np.float32] = self._network(torch.from_numpy(batch).to(self._device)).cpu().numpy()
        return outputs


def build_network() -> LinearRegression:
    """Return the network with fresh weights; training starts from it."""
    return LinearRegression()


def load(version_dir: Path, device: str) -> Predictor:
    network = build_network()
    network.load_state_dict(load_file(version_dir / "weights.safetensors"))
    return Predictor(network, device)
