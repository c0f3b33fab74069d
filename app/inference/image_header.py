"""What an image file says of itself, read without decoding: no allocation follows the file's claims.

The format is sniffed from the content; a name or a content type is never asked.
"""

from dataclasses import dataclass

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS_MAX = 10_000
# Start-of-frame markers C0 to CF hold the size, except DHT (C4), JPG (C8) and DAC (CC).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_ORIENTATION_TAG = 0x0112
_SHORT = 3


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The claims of an image file; width and height are at least 1 pixel."""

    format: str
    width: int
    height: int
    animated: bool = False

    @property
    def pixels(self) -> int:
        return self.width * self.height


def read_header(data: bytes) -> ImageHeader | None:
    """Return what a JPEG, PNG or WebP file says, or None where it is none of them or its header is broken."""
    if data.startswith(b"\xff\xd8\xff"):
        header = _jpeg_header(data)
    elif data.startswith(_PNG_SIGNATURE):
        header = _png_header(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        header = _webp_header(data)
    else:
        return None
    return header if header and header.width and header.height else None


def _jpeg_header(data: bytes) -> ImageHeader | None:
    place = 2
    while place + 9 <= len(data):
        if data[place] != 0xFF:
            return None
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in _JPEG_STANDALONE:
            place += 2
        elif marker in _JPEG_FRAMES:
            return ImageHeader("JPEG", _big(data, place + 7, 2), _big(data, place + 5, 2))
        else:
            place += 2 + max(2, _big(data, place + 2, 2))
    return None


def _png_header(data: bytes) -> ImageHeader | None:
    if len(data) < 33 or data[12:16] != b"IHDR":
        return None
    return ImageHeader("PNG", _big(data, 16, 4), _big(data, 20, 4), animated=_is_animated_png(data))


def _is_animated_png(data: bytes) -> bool:
    """Tell whether an animation control chunk stands anywhere; a file of absurdly many chunks counts as one."""
    place = len(_PNG_SIGNATURE)
    for _ in range(_PNG_CHUNKS_MAX):
        if place + 8 > len(data):
            return False
        if data[place + 4 : place + 8] == b"acTL":
            return True
        place += 12 + _big(data, place, 4)
    return True


def _webp_header(data: bytes) -> ImageHeader | None:
    if len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        animated = bool(data[20] & 0x02)
        return ImageHeader("WEBP", 1 + _little(data, 24, 3), 1 + _little(data, 27, 3), animated)
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = _little(data, 21, 4)
        return ImageHeader("WEBP", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        return ImageHeader("WEBP", _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF)
    return None


def _big(data: bytes, place: int, count: int) -> int:
    return int.from_bytes(data[place : place + count], "big")


def _little(data: bytes, place: int, count: int) -> int:
    return int.from_bytes(data[place : place + count], "little")


def exif_orientation(exif: bytes) -> int:
    """Return the orientation, 1 to 8, that an EXIF block asks for; 1 where it says nothing or is broken.

    Read by hand: Pillow's reader warns about every oddity of the whole block, and one tag is all that matters here.
    """
    tiff = exif.removeprefix(b"Exif\x00\x00")
    read = _little if tiff[:2] == b"II" else _big
    directory = read(tiff, 4, 4)
    for entry in range(min(read(tiff, directory, 2), 512)):
        place = directory + 2 + 12 * entry
        if read(tiff, place, 2) == _ORIENTATION_TAG and read(tiff, place + 2, 2) == _SHORT:
            orientation = read(tiff, place + 8, 2)
            return orientation if 1 <= orientation <= 8 else 1
    return 1
