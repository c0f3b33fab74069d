"""VGG16 with torchvision's ImageNet weights (IMAGENET1K_V1), fetched once or given as a local safetensors file."""

import pickle
import re
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models import VGG16_Weights, vgg16

from app.inference.download import DownloadFailed, download

WEIGHTS = VGG16_Weights.IMAGENET1K_V1
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
_FILE_BYTES_MAX = 600_000_000


class Predictor:
    """The network on its device; `channels_last`, which its convolutions are fastest in."""

    labels = tuple(WEIGHTS.meta["categories"])

    def __init__(self, network: nn.Module, device: str) -> None:
        self._network = network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device
        self._mean = torch.tensor(_MEAN, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(_STD, device=device).view(1, 3, 1, 1)

    def predict_batch(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn items x 224 x 224 x 3 into the probabilities of 1,000 classes."""
        # An array of height x width x channels, seen as channels first, is channels_last already: no copy.
        pixels = torch.from_numpy(batch).to(self._device).permute(0, 3, 1, 2).float().div(255)
        outputs: NDArray[np.float32] = self._network((pixels - self._mean) / self._std).softmax(1).cpu().numpy()
        return outputs


def build_network() -> nn.Module:
    """Return the network without memory for its weights: whoever loads them assigns them."""
    with torch.device("meta"):
        network: nn.Module = vgg16(weights=None)
    return network


def load(version_dir: Path, device: str) -> Predictor:
    network = build_network()
    network.load_state_dict(load_file(version_dir / "weights.safetensors"), assign=True)
    return Predictor(network, device)


def fetch(version_dir: Path, url: str = WEIGHTS.url) -> None:
    """Download the published weights, check their hash, and put them in place as safetensors, at once or not at all.

    The published file is a pickle: it is read by torch's restricted unpickler, in a process of its own (the loader
    calls this there), and only after its hash, which stands in its name, was found right. Raises DownloadFailed,
    HashMismatch.
    """
    published = re.search(r"-([0-9a-f]{8,64})\.pth$", url)
    if published is None:
        raise DownloadFailed(f"{url} does not name its hash")
    version_dir.mkdir(parents=True, exist_ok=True)
    file = download(url, version_dir, sha256_prefix=published[1], bytes_max=_FILE_BYTES_MAX)
    converted = file.with_suffix(".converted")
    try:
        save_file(torch.load(file, map_location="cpu", weights_only=True), converted)
        converted.replace(version_dir / "weights.safetensors")
    except pickle.UnpicklingError:
        raise DownloadFailed("the file holds more than tensors; it was not loaded") from None
    finally:
        file.unlink(missing_ok=True)
        converted.unlink(missing_ok=True)
