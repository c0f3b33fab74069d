"""A file that appears under its name only when it is complete and durable."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from app.backup.manifest import BackupFileUnusable

_FOR_THE_OWNER_ALONE = 0o600


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to write; it bears the name `path` once the block has been left without an error.

    Until then it lies beside it as `.NAME.PID.partial`, which is removed after an error. Only its owner may read it.
    Raises BackupFileUnusable where a file of that name exists, or where the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        if os.path.lexists(path):
            raise _taken(path)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FOR_THE_OWNER_ALONE), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)  # unlike a renaming, it never replaces what has got that name meanwhile
        _make_durable(path.parent)
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        raise BackupFileUnusable(f"the file cannot be written: {error.strerror}", where=str(path)) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def _taken(path: Path) -> BackupFileUnusable:
    return BackupFileUnusable("there is such a file already", where=str(path), hint="choose another name")


def _make_durable(folder: Path) -> None:
    """Let the folder's new entry survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
