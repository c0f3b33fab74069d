"""Images: an encoded file becomes the uint8 RGB array that a manifest declares. No torch; runs in the decode threads.

A decoder's own words are never shown: they name its internals and say nothing that helps the caller.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from app.inference.image_header import exif_orientation, read_header
from app.inference.inputs import InputInvalid
from app.inference.manifest import ImageInput

# Bounds are checked by `inputs` on the header and again below; Pillow's own limit would only add a warning.
Image.MAX_IMAGE_PIXELS = None

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class _Jpeg(JpegImageFile):
    """The first picture of a JPEG file (phones append further ones); its print resolution is not looked up in EXIF."""

    def _read_dpi_from_exif(self) -> None:
        """Do nothing: Pillow would parse, and warn about, a block that plays no part here."""


_READERS: dict[str, type[ImageFile]] = {"JPEG": _Jpeg, "PNG": PngImageFile, "WEBP": WebPImageFile}


def decode_image(spec: ImageInput, data: bytes, where: str) -> NDArray[np.uint8]:
    """Return the crop x crop x 3 RGB pixels that the model sees. Raises InputInvalid where the file is damaged."""
    try:
        image = _open(spec, data)
        # Scales by 2, 4 or 8 while decoding; twice the size that is needed keeps the result what it would have been.
        image.draft(None, (2 * spec.resize, 2 * spec.resize))
        image.load()
        return fit_to_model(spec, _flatten(_turn_upright(image)))
    except Exception as error:  # a decoder may raise anything at all on hostile bytes, and each means a bad file
        raise InputInvalid(
            "cannot be decoded: the image is damaged or cut short", where=where, hint="save or upload the image again"
        ) from error


def _open(spec: ImageInput, data: bytes) -> ImageFile:
    """Begin to read a file of a known format; its size is checked again, as the decoder sees it."""
    header = read_header(data)
    image = _READERS[header.format if header else ""](BytesIO(data))
    if image.width * image.height > spec.pixels_max:
        raise ValueError("the decoder finds more pixels than the header said")
    return image


def fit_to_model(spec: ImageInput, image: Image.Image) -> NDArray[np.uint8]:
    """Resize the shorter side to `spec.resize` and cut the centre, as torchvision's Resize and CenterCrop do.

    Both in one step, so that a very long picture is never blown up: only the pixels of the cut are computed.
    """
    width, height = image.size
    short = min(width, height)
    across, down = int(spec.resize * width / short), int(spec.resize * height / short)
    left, top = round((across - spec.crop) / 2), round((down - spec.crop) / 2)
    box = (
        left * width / across,
        top * height / down,
        min((left + spec.crop) * width / across, width),
        min((top + spec.crop) * height / down, height),
    )
    return np.array(image.resize((spec.crop, spec.crop), Image.Resampling.BILINEAR, box=box))  # a copy: writable


def _turn_upright(image: Image.Image) -> Image.Image:
    turn = _UPRIGHT.get(exif_orientation(image.info.get("exif", b"")))
    return image if turn is None else image.transpose(turn)


def _flatten(image: Image.Image) -> Image.Image:
    """Return the picture as RGB: 16-bit grey scaled down, transparency laid on white."""
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image.convert("RGBA"))
        image = paper
    return image.convert("RGB")
