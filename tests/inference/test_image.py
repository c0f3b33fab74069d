"""Decoding: whatever the file, the pixels are those that torchvision's own preprocessing sees."""

import struct
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_image
from torchvision.models import VGG16_Weights
from torchvision.transforms.functional import center_crop, resize

from app.inference.image import decode_image
from app.inference.image_header import exif_orientation, read_header
from app.inference.inputs import InputInvalid
from app.inference.manifest import ImageInput

SPEC = ImageInput(resize=256, crop=224)


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    return Image.fromarray(load_sample_image("flower.jpg"))


def encode(image: Image.Image, format_name: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def reference(image: Image.Image) -> NDArray[np.int16]:
    """What torchvision's Resize and CenterCrop make of an RGB picture."""
    return np.array(center_crop(resize(image, [256]), [224, 224]), dtype=np.int16)


def difference(data: bytes, expected: Image.Image) -> NDArray[np.int16]:
    pixels: NDArray[np.int16] = np.abs(decode_image(SPEC, data, "inputs[0]").astype(np.int16) - reference(expected))
    return pixels


def test_the_size_declared_is_the_one_of_the_published_weights() -> None:
    transforms = VGG16_Weights.IMAGENET1K_V1.transforms()
    assert (transforms.resize_size, transforms.crop_size) == ([256], [224])


@pytest.mark.parametrize("size", [(640, 427), (427, 640), (301, 300), (256, 256), (100, 75), (224, 1000)])
def test_resizing_in_one_step_equals_torchvision(photograph: Image.Image, size: tuple[int, int]) -> None:
    picture = photograph.resize(size)
    assert difference(encode(picture, "PNG"), picture).max() <= 1


@pytest.mark.parametrize(("format_name", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_lossless_formats_agree(photograph: Image.Image, format_name: str, options: dict[str, object]) -> None:
    assert difference(encode(photograph, format_name, **options), photograph).max() <= 1


@pytest.mark.parametrize(("format_name", "options"), [("JPEG", {"quality": 90}), ("WEBP", {"quality": 90})])
def test_lossy_formats_agree_with_their_own_decoding(
    photograph: Image.Image, format_name: str, options: dict[str, object]
) -> None:
    data = encode(photograph, format_name, **options)
    assert difference(data, Image.open(BytesIO(data)).convert("RGB")).max() <= 1


def test_scaling_while_decoding_a_large_jpeg_changes_next_to_nothing(photograph: Image.Image) -> None:
    large = photograph.resize((2560, 1708), Image.Resampling.BICUBIC)
    data = encode(large, "JPEG", quality=92)
    assert difference(data, Image.open(BytesIO(data)).convert("RGB")).mean() < 2


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK"])
def test_other_colour_modes_become_rgb(photograph: Image.Image, mode: str) -> None:
    picture = photograph.convert(mode)
    format_name = "JPEG" if mode == "CMYK" else "PNG"
    data = encode(picture, format_name)
    assert difference(data, Image.open(BytesIO(data)).convert("RGB")).max() <= 1


def test_sixteen_bits_of_grey_are_scaled_down(photograph: Image.Image) -> None:
    grey = photograph.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert difference(encode(deep, "PNG"), grey.convert("RGB")).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_laid_on_white(mode: str) -> None:
    clear = Image.new("RGBA", (32, 32), (10, 20, 30, 0))
    data = encode(clear.convert(mode), "PNG", **({"transparency": bytes(256)} if mode == "P" else {}))
    assert decode_image(ImageInput(32, 32), data, "inputs[0]").min() == 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
def test_the_orientation_in_exif_is_followed(photograph: Image.Image, format_name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(photograph.resize((320, 213)), format_name, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB")
    assert difference(data, upright).max() <= 1


@pytest.mark.parametrize("exif", [b"", b"Exif\x00\x00", b"II", b"II*\x00\xff\xff\xff\xff", bytes(64), b"\xff" * 64])
def test_broken_exif_means_upright(photograph: Image.Image, exif: bytes) -> None:
    assert exif_orientation(exif) == 1
    data = encode(photograph, "JPEG", exif=exif)
    assert decode_image(SPEC, data, "inputs[0]").shape == (224, 224, 3)


def test_broken_entries_in_exif_warn_nobody(photograph: Image.Image) -> None:
    entry = struct.pack("<HHII", 0x011A, 5, 2**30, 2**31)
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + struct.pack("<H", 1) + entry
    assert decode_image(SPEC, encode(photograph, "JPEG", exif=exif), "inputs[0]").shape == (224, 224, 3)


def test_only_the_first_picture_of_a_file_of_several_is_read(photograph: Image.Image) -> None:
    data = encode(photograph, "MPO", save_all=True, append_images=[Image.new("RGB", photograph.size)])
    assert difference(data, Image.open(BytesIO(data)).convert("RGB")).max() <= 1


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
def test_a_file_that_was_cut_short_is_refused_without_the_decoders_words(
    photograph: Image.Image, format_name: str
) -> None:
    data = encode(photograph, format_name)
    assert read_header(data[: len(data) // 2])
    with pytest.raises(InputInvalid, match="damaged or cut short") as refusal:
        decode_image(SPEC, data[: len(data) // 2], "inputs[3]")
    assert refusal.value.where == "inputs[3]"
    assert "truncated" not in str(refusal.value)


def test_a_very_long_picture_is_never_blown_up() -> None:
    data = encode(Image.new("L", (2_000_000, 2)), "PNG")
    assert decode_image(SPEC, data, "inputs[0]").shape == (224, 224, 3)
