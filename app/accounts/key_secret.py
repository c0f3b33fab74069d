"""The material of an API key: `fm_live_` or `fm_test_`, 32 base62 characters (190 bits) and a base62 CRC-32 of six.

The checksum lets a typo be refused without any database work and lets secret scanners confirm a find offline.
"""

import hashlib
import re
import secrets
import string
import zlib

from app.errors import Invalid

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BODY_CHARS = 32
_CHECKSUM_CHARS = 6
_SECRET_CHARS = len("fm_live_") + _BODY_CHARS + _CHECKSUM_CHARS
_PREFIXES = ("fm_live_", "fm_test_")
_MISPLACED = re.compile(r"fm_(?:live|test)_[0-9A-Za-z]{38}")


class KeyMisplaced(Invalid):
    """A key was written where texts are kept and shown: it must be considered leaked."""

    code = "key_misplaced"


def new_secret(*, live: bool) -> str:
    """Return a fresh secret from the system's random source."""
    body = _PREFIXES[0 if live else 1] + "".join(secrets.choice(_ALPHABET) for _ in range(_BODY_CHARS))
    return body + _checksum(body)


def well_formed(secret: str) -> bool:
    """Tell whether the text can be a key at all: prefix, length and checksum."""
    return (
        len(secret) == _SECRET_CHARS
        and secret.startswith(_PREFIXES)
        and secret.isascii()
        and _checksum(secret[:-_CHECKSUM_CHARS]) == secret[-_CHECKSUM_CHARS:]
    )


def refuse_secret(text: str, *, where: str) -> None:
    """Raise KeyMisplaced for a text that holds a key and is about to be kept."""
    if _MISPLACED.search(text):
        raise KeyMisplaced(
            "a key does not belong here, where it would be kept; consider it leaked and revoke it", where=where
        )


def digest_of(secret: str) -> bytes:
    """Return what is stored of a secret: its SHA-256 (32 bytes). 190 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def hint_of(secret: str) -> str:
    """Return what may be shown of a secret: `fm_live_…9f3K`."""
    return f"{secret[:8]}…{secret[-4:]}"


def _checksum(body: str) -> str:
    value, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_CHARS):
        value, digit = divmod(value, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
