"""Image files, good and bad, made here."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image


def picture(kind: str = "PNG", *, shade: int = 200, size: tuple[int, int] = (40, 32), **options: Any) -> bytes:
    """Return a still picture as a file."""
    return _saved(Image.new("RGB", size, (shade, shade // 2, 10)), kind, **options)


def animation(kind: str) -> bytes:
    """Return two frames as one file."""
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    return _saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def png_that_claims(width: int, height: int) -> bytes:
    """Return a PNG whose header promises that many pixels and whose data hold one line."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0")) + _chunk(b"IEND", b"")


def truncated_jpeg() -> bytes:
    """Return a JPEG whose header is whole and whose data are not."""
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    whole = _saved(noise, "JPEG")
    return whole[: len(whole) // 2]


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
