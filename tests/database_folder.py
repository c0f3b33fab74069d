"""Where the databases of tests lie: in memory in the short form, on the disk in the full one.

Every test has fresh databases, and disks are slowest at files that are made, grown and deleted all the time. Nothing
else differs: both databases sync as ever. What tests kill are processes, and memory outlives a process as a disk does;
the end of a whole machine is nothing that a test could try.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")
_FREE_BYTES_MIN = 2 * 1024**3  # PostgreSQL keeps up to a GiB of its log
_PREFIX = "faremeter-db-"


@contextmanager
def database_folder() -> Iterator[Path]:
    """Make a fresh folder, and remove it afterwards. Its path is short: PostgreSQL's socket has 107 bytes for it."""
    home = _home()
    _remove_forgotten(home)
    folder, lock = _fresh(home)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)


def _fresh(home: Path) -> tuple[Path, int]:
    """Make a folder and lock it: again, where a run beside this one took it for forgotten between the two."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=home))
        lock = _locked(folder)
        if lock is not None and folder.exists():
            folder.chmod(0o755)  # as root, tests start PostgreSQL as somebody else
            return folder, lock


def _home() -> Path:
    if os.environ.get("PROOF") != "1" and os.access(_MEMORY, os.W_OK):
        room = os.statvfs(_MEMORY)
        if room.f_bavail * room.f_frsize >= _FREE_BYTES_MIN:
            return _MEMORY
    return Path("/tmp")


def _remove_forgotten(home: Path) -> None:
    """Remove what killed runs left: nobody holds its lock. Memory would not come back by itself."""
    for folder in home.glob(f"{_PREFIX}*"):
        if (lock := _locked(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """Lock the folder until the end of this process. None where another process holds it, or has removed it by now."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
