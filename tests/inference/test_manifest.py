"""Manifests: the shipped ones read; each mistake is one error that names its key."""

from pathlib import Path

import pytest

from app.inference.manifest import ClassesOutput, ImageInput, ManifestInvalid, TensorInput, parse_manifest

LINEAR = (Path("models") / "linear" / "model.toml").read_text(encoding="utf-8")
VGG16 = (Path("models") / "vgg16" / "model.toml").read_text(encoding="utf-8")


def test_a_row_manifest_reads() -> None:
    manifest = parse_manifest(LINEAR)
    assert isinstance(manifest.input, TensorInput)
    assert (manifest.name, manifest.unit, manifest.input.features, manifest.device) == ("linear", "row", 10, "cpu")


def test_an_image_manifest_reads() -> None:
    manifest = parse_manifest(VGG16)
    assert manifest.input == ImageInput(resize=256, crop=224)
    assert manifest.output == ClassesOutput(classes=1000, top_k=5)
    assert manifest.batching.buckets[-1] == manifest.batching.items_max


@pytest.mark.parametrize(
    ("source", "old", "new", "where"),
    [
        (LINEAR, 'name = "linear"', 'name = "Linear Model"', "name"),
        (LINEAR, 'name = "linear"', "", "name"),
        (LINEAR, 'task = "regression"', 'task = "guessing"', "task"),
        (LINEAR, 'unit = "row"', "unit = 1", "unit"),
        (LINEAR, "inputs_max = 1024", "inputs_max = 0", "inputs_max"),
        (LINEAR, "inputs_max = 1024", "inputs_max = true", "inputs_max"),
        (LINEAR, 'device = "cpu"', 'device = "tpu"', "device"),
        (LINEAR, 'device = "cpu"', 'devise = "cpu"', "devise"),
        (LINEAR, "features = 10", "features = 11", "input.names"),
        (LINEAR, "features = 10", 'features = "10"', "input.features"),
        (LINEAR, "minimum = -1000", "minimum = 1001", "input.minimum"),
        (LINEAR, "maximum = 1000", "maximum = nan", "input.maximum"),
        (LINEAR, "features = 10", "features = 10\ncolour = 1", "input.colour"),
        (LINEAR, "example = [0.038, ", "example = [", "input.example"),
        (LINEAR, "example = [0.038, ", "example = [1001, ", "input.example"),
        (LINEAR, "example = [0.038, ", "example = [nan, ", "input.example[0]"),
        (LINEAR, "example = [0.038, ", "example = 1 # ", "input.example"),
        (LINEAR, '"age", "sex"', '"age", "age"', "input.names"),
        (LINEAR, 'kind = "number"', 'kind = "text"', "output.kind"),
        (LINEAR, "items_max = 256", "items_max = 256\nbuckets = [8, 4, 256]", "batching.buckets"),
        (LINEAR, "items_max = 256", "items_max = 256\nbuckets = [8, 16]", "batching.buckets"),
        (LINEAR, "items_max = 256", "items_max = 256\nbuckets = [0, 256]", "batching.buckets[0]"),
        (VGG16, "crop = 224", "crop = 512", "input.crop"),
        (VGG16, "top_k = 5", "top_k = 1001", "output.top_k"),
        (VGG16, "[batching]", "[batches]", "batching"),
        (VGG16, "[input]", "input]", "model.toml"),
    ],
)
def test_a_mistake_names_its_key(source: str, old: str, new: str, where: str) -> None:
    assert old in source
    with pytest.raises(ManifestInvalid) as mistake:
        parse_manifest(source.replace(old, new))
    assert mistake.value.where == where
