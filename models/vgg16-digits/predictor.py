"""VGG16's convolutions under new fully connected layers, for ten handwritten digits of 32 x 32 pixels.

The convolutions are those of torchvision's `vgg16_bn`: they start from scratch here, and without batch normalization
that takes far too long.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn
from torchvision.models import vgg16_bn

CLASSES = 10


class Vgg16Digits(nn.Module):
    """items x 3 x 32 x 32 to items x 10 logits: five halvings leave 512 numbers an image."""

    def __init__(self) -> None:
        super().__init__()
        self.features = vgg16_bn(weights=None, init_weights=False).features
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(512, 256), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(256, CLASSES)
        )
        for module in self.features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(images))
        return logits


class Predictor:
    """The network on its device."""

    labels = tuple(str(digit) for digit in range(CLASSES))

    def __init__(self, network: nn.Module, device: str) -> None:
        self._network = network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    def predict_batch(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn items x 32 x 32 x 3 into the probabilities of ten digits."""
        images = to_network(torch.from_numpy(batch).to(self._device))
        outputs: NDArray[np.float32] = self._network(images).softmax(1).cpu().numpy()
        return outputs


def to_network(batch: torch.Tensor) -> torch.Tensor:
    """Scale items x height x width x 3 bytes to -1 … 1, channels first (and last in memory)."""
    return batch.permute(0, 3, 1, 2).float().div(127.5).sub(1)


def build_network() -> Vgg16Digits:
    """Return the network with fresh weights; training starts from it."""
    return Vgg16Digits()


def load(version_dir: Path, device: str) -> Predictor:
    network = build_network()
    network.load_state_dict(load_file(version_dir / "weights.safetensors"))
    return Predictor(network, device)
