"""Downloading a published file: into a temporary one, its hash checked, nothing of it seen by others before."""

import hashlib
import tempfile
import urllib.request
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from app.errors import AppError, Kind, Unavailable

_BLOCK_BYTES = 1 << 20
_SILENCE_S_MAX = 30


class DownloadFailed(Unavailable):
    """The file could not be had now: no network, no such file, or too slow."""

    code = "download_failed"


class HashMismatch(AppError):
    """What came is not what was published; it was thrown away."""

    kind = Kind.FAILED
    code = "hash_mismatch"


def download(url: str, folder: Path, *, sha256_prefix: str, bytes_max: int) -> Path:
    """Return a new file in `folder` with the content of the URL; the caller removes it.

    Raises DownloadFailed, and HashMismatch where the SHA-256 does not begin with the published prefix.
    """
    host = urlsplit(url).hostname or "an unnamed host"
    if urlsplit(url).scheme not in {"http", "https"}:
        raise DownloadFailed(f"{url} is not an http or https address")
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".fetch-", delete=False) as file:
        path = Path(file.name)
        try:
            _check(_copy(url, file, bytes_max), sha256_prefix)
        except (OSError, ValueError) as error:  # urllib's errors are OSErrors
            path.unlink()
            raise DownloadFailed(f"{host} does not answer with the file ({_reason_of(error)})") from error
        except BaseException:
            path.unlink()
            raise
    return path


def _copy(url: str, file: IO[bytes], bytes_max: int) -> str:
    """Copy the content of the URL and return its SHA-256 in hex."""
    digest = hashlib.sha256()
    count = 0
    with urllib.request.urlopen(url, timeout=_SILENCE_S_MAX) as answer:  # noqa: S310 - the scheme is checked above
        while block := answer.read(_BLOCK_BYTES):
            count += len(block)
            if count > bytes_max:
                raise DownloadFailed(f"the file is longer than {bytes_max} bytes")
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _check(digest: str, sha256_prefix: str) -> None:
    if not digest.startswith(sha256_prefix):
        raise HashMismatch(f"the file has the SHA-256 {digest[:16]}…, published is {sha256_prefix}…")


def _reason_of(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return str(reason) or type(error).__name__
