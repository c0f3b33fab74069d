"""vgg16: the network itself, and how its published weights are fetched."""

import hashlib
import pickle
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.inference.download import DownloadFailed, HashMismatch
from app.inference.manifest import parse_manifest
from app.inference.model_check import check_model
from app.inference.model_repository import ModelRepository
from app.inference.runner import Runner, load_module
from app.training.held_out import sample_photograph

FOLDER = Path("models") / "vgg16"
VGG16 = load_module(FOLDER / "predictor.py")


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder and logs nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library gave it
        """Say nothing."""


@pytest.fixture
def publish(tmp_path: Path) -> Iterator[Callable[[bytes, str], str]]:
    """Serve a file under a name that carries a hash, and return its URL."""
    folder = tmp_path / "published"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def put(data: bytes, sha256_prefix: str) -> str:
        (folder / f"vgg16-{sha256_prefix}.pth").write_bytes(data)
        return f"http://127.0.0.1:{server.server_port}/vgg16-{sha256_prefix}.pth"

    yield put
    server.shutdown()
    thread.join()
    server.server_close()


def saved(value: object) -> bytes:
    file = BytesIO()
    torch.save(value, file)
    return file.getvalue()


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]


def test_published_weights_become_safetensors(tmp_path: Path, publish: Callable[[bytes, str], str]) -> None:
    weight = torch.arange(6.0).reshape(2, 3)
    data = saved({"weight": weight})
    VGG16.fetch(tmp_path / "1", publish(data, hash_of(data)))
    assert torch.equal(load_file(tmp_path / "1" / "weights.safetensors")["weight"], weight)
    assert [path.name for path in (tmp_path / "1").iterdir()] == ["weights.safetensors"]


def test_a_file_with_another_hash_is_thrown_away(tmp_path: Path, publish: Callable[[bytes, str], str]) -> None:
    with pytest.raises(HashMismatch, match="published is 397923af"):
        VGG16.fetch(tmp_path / "1", publish(saved({"weight": torch.zeros(1)}), "397923af"))
    assert list((tmp_path / "1").iterdir()) == []


def test_a_file_that_holds_code_is_not_loaded(tmp_path: Path, publish: Callable[[bytes, str], str]) -> None:
    marker = tmp_path / "code-ran"
    data = saved(Harmful(marker))
    with pytest.raises(DownloadFailed, match="more than tensors"):
        VGG16.fetch(tmp_path / "1", publish(data, hash_of(data)))
    assert not marker.exists()
    assert list((tmp_path / "1").iterdir()) == []


class Harmful:
    """Touches a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self._marker,)


def test_the_harm_is_real(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Harmful(tmp_path / "code-ran")))
    assert (tmp_path / "code-ran").exists()


def test_without_a_network_the_reason_is_plain(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1 does not answer"):
        VGG16.fetch(tmp_path / "1", "http://127.0.0.1:1/vgg16-397923af.pth")
    assert list((tmp_path / "1").iterdir()) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/vgg16.pth", "file:///vgg16-397923af.pth"])
def test_an_address_without_a_hash_or_of_another_kind_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadFailed):
        VGG16.fetch(tmp_path / "1", url)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with weights of the real shapes, all drawn at random: 138 million of them."""
    version_dir = tmp_path_factory.mktemp("data") / "models" / "vgg16" / "1"
    version_dir.mkdir(parents=True)
    generator = torch.Generator().manual_seed(1)
    shapes = {name: tensor.shape for name, tensor in VGG16.build_network().state_dict().items()}
    state = {name: torch.empty(shape).uniform_(-0.02, 0.02, generator=generator) for name, shape in shapes.items()}
    save_file(state, version_dir / "weights.safetensors")
    return version_dir.parents[2]


def test_the_full_network_answers_a_photograph(data_dir: Path, tmp_path: Path) -> None:
    photo = tmp_path / "flower.jpg"
    photo.write_bytes(sample_photograph())
    repository = ModelRepository(Path("models"), data_dir)
    check = check_model(repository, "vgg16", version=None, device="cpu", photo=photo)
    assert len(check.output["top"]) == 5
    assert check.output["label"] == check.output["top"][0]["label"]


def test_a_batch_answers_what_single_images_do(data_dir: Path) -> None:
    manifest = parse_manifest((FOLDER / "model.toml").read_text(encoding="utf-8"))
    runner = Runner(manifest, 1, "cpu", VGG16, data_dir / "models" / "vgg16" / "1")
    batch = np.random.default_rng(3).integers(0, 256, size=(2, 224, 224, 3), dtype=np.uint8)
    together, _ = runner.run(batch)
    assert together.sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-4)
    np.testing.assert_allclose(together[1:], runner.run(batch[1:])[0], atol=1e-5)
    assert runner.labels[985] == "daisy"
